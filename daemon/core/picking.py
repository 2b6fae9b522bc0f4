"""Which items people are asked about only so that the models learn, how many, and until when."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.bundles import whole
from daemon.core.learning_rows import Prospects, Standing, TrainingRows
from daemon.core.ports import LearningStore
from daemon.core.rows import Duty
from daemon.core.settings import LearningSettings
from labeling_functions.label_space import joined
from models.any_training import AnyData, predict_any
from models.arrays import F8, I8
from models.bundles import AnyBundle
from models.query_strategy.pool import Pool
from models.query_strategy.registry import QUERY_STRATEGIES
from models.stopping import RETRAININGS, Verdict, enough_learned

FIXED_ITEMS = 500
"""Items on which a model is compared with the ones before it."""


@dataclass(frozen=True, slots=True)
class Picker:
    """Chooses after each training run what `run` is to ask about."""

    store: LearningStore
    settings: LearningSettings

    def verdict(
        self, rows: TrainingRows, data: AnyData, candidate: AnyBundle, prospects: Prospects
    ) -> Verdict:
        """Whether asking to learn may stop, by the models before the candidate and by windows."""
        if not self.settings.share:
            return Verdict(True, "learning.share is 0")
        read = [whole(stored.id, stored.data) for stored in self.store.last_bundles(RETRAININGS)]
        earlier = [bundle for bundle in read if bundle is not None]
        fixed = fixed_items(rows)
        labels = [_labels(predict_any(bundle, data, fixed), bundle) for bundle in (*earlier, candidate)]
        return enough_learned(prospects.certified_shares, labels, prospects.drifting)

    def pick(self, duty: Duty, rows: TrainingRows, data: AnyData, prospects: Prospects) -> int:
        """Leave the picks for `run`; how many. None before there is a bundle: random draws come first.

        Raises DutyLost.
        """
        count = how_many(prospects, self.settings.share)
        current = self.store.current_bundle(None)
        bundle = whole(current.id, current.data) if current and count else None
        if bundle is None:
            return 0
        standing = self.store.standings(rows.ids)
        chosen = choose(rows, data, bundle, standing, self.settings, count)
        if chosen:
            self.store.leave_picks(duty, chosen)
        return len(chosen)


def how_many(prospects: Prospects, share: float) -> int:
    """As many as make `share` of people's answers, at least one, less those that still wait."""
    if not prospects.answers or not share:
        return 0
    return max(0, max(1, round(share / (1 - share) * prospects.answers)) - prospects.waiting)


def choose(
    rows: TrainingRows,
    data: AnyData,
    bundle: AnyBundle,
    standing: Mapping[str, Standing],
    settings: LearningSettings,
    count: int,
) -> list[str]:
    """Ids of at most `count` items, best first, by the strategy of the settings and the bundle's beliefs.

    Those without a vector (the encoder was spared for them, or another one was used) are chosen apart from
    the others by strategies that go by vectors (`models/query_strategy/apart.py`).
    """
    places = _places(rows, standing)
    if not len(places):
        return []
    pool = Pool(
        posterior=_most_doubtful(predict_any(bundle, data, places), bundle),
        labeled=_labeled(rows, standing, places),
        vectors=rows.vectors[places].astype(np.float32) if rows.has_vector.any() else None,
        embedded=rows.has_vector[places],
    )
    strategy = QUERY_STRATEGIES[settings.query_strategy]
    chosen = strategy(pool, count, len(rows.answers))
    return [rows.ids[place] for place in places[chosen].tolist()]


def _labels(posterior: F8, bundle: AnyBundle) -> I8:
    """(n,) the most probable labels of (n, F * K)."""
    return joined(_facets(posterior, bundle).argmax(axis=2))


def _most_doubtful(posterior: F8, bundle: AnyBundle) -> F8:
    """(n, K) the facet of each item that is least sure: a set is as doubtful as its most doubtful class."""
    facets = _facets(posterior, bundle)
    return np.asarray(facets[np.arange(len(facets)), facets.max(axis=2).argmin(axis=1)])


def _facets(posterior: F8, bundle: AnyBundle) -> F8:
    """(n, F, K)."""
    n_facets = len(bundle.parts)
    return posterior.reshape(len(posterior), n_facets, -1 if posterior.size else 1)


def fixed_items(rows: TrainingRows) -> I8:
    """Rows of FIXED_ITEMS items that hardly change while items come: the first by a hash of their ids.

    Where any has a vector, only items that have one: the classifier votes on these alone. The others are
    those that functions were sure of (`encoding.skip_certified`) or that came before another encoder. More
    answers hardly turn their labels, so that with them among the 500 a classifier that still learns would
    look steady, and asking would stop too early.
    """
    seen = np.flatnonzero(rows.has_vector) if rows.has_vector.any() else np.arange(len(rows.ids))
    order = sorted(seen.tolist(), key=lambda row: hashlib.blake2b(rows.ids[row].encode()).digest())
    return np.array(order[:FIXED_ITEMS], np.int64)


def _places(rows: TrainingRows, standing: Mapping[str, Standing]) -> I8:
    """Rows that people answered, will answer or may be asked about."""
    return np.flatnonzero(np.array([id_ in standing for id_ in rows.ids], np.bool_))


def _labeled(rows: TrainingRows, standing: Mapping[str, Standing], places: I8) -> NDArray[np.bool_]:
    """(p,) rows that are taken; of items of one subject all if one is taken, all but the first if none is."""
    labeled = np.array([standing[rows.ids[row]] == Standing.TAKEN for row in places.tolist()], np.bool_)
    seen = {rows.subjects[row] for row in places[labeled].tolist()} - {None}
    for index, row in enumerate(places.tolist()):
        subject = rows.subjects[row]
        if subject is not None:
            labeled[index] |= subject in seen
            seen.add(subject)
    return labeled
