"""What plans are made from: recent items, closed windows, the models that are followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.planning import PlanRoom
from daemon.adapters.store.stream import StreamRoom
from daemon.core.bundles import whole
from daemon.core.decide import label_scores
from daemon.core.evidence import function_key, of_stored
from daemon.core.grouping import groups_of_stored
from daemon.core.planning import Sample, guessed_sample
from daemon.core.policy import Policy
from daemon.core.ports import ReportStore
from daemon.core.report_rows import NOTHING_YET, Overview
from daemon.core.rows import OpenItem
from daemon.wiring import parts
from models.bundles import AnyBundle

SAMPLE = 3_000
"""Items that are looked at: the newest."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when planning."""

    sample: Sample
    overview: Overview
    bundle: AnyBundle


def guessed_situation(policy: Policy, per_day: float | None) -> Situation:
    """Before anything has come."""
    return Situation(guessed_sample(policy.space, per_day), NOTHING_YET, parts.prior_bundle(policy))


def read_situation(
    database: Database, reports: ReportStore, policy: Policy, per_day: float | None, size: int = SAMPLE
) -> Situation:
    """As it is now; `per_day` overrides the pace at which items come, `size` is of the sample."""
    room = PlanRoom(database)
    overview = reports.overview()
    stored = LearningRoom(database).current_bundle(None)
    known = None if stored is None else whole(stored.id, stored.data)
    bundle = parts.prior_bundle(policy) if known is None else known
    items = room.recent(size)
    if not items:
        return guessed_situation(policy, per_day)
    return Situation(_sample(items, per_day or room.per_day(), bundle, policy, database), overview, bundle)


def _sample(
    items: Sequence[OpenItem], per_day: float | None, bundle: AnyBundle, policy: Policy, database: Database
) -> Sample:
    stream = StreamRoom(database, {})

    @lru_cache(maxsize=1_000)
    def keys(functions: int) -> tuple[str, ...]:
        return tuple(function_key(version) for version in stream.function_keys(functions))

    evidence = of_stored(items, groups_of_stored(items), keys, bundle, policy.ladder, policy.final_tiers)
    posterior = evidence.posterior.astype(np.float64)
    _, scores = label_scores(
        posterior, evidence.scores.astype(np.float64), policy.cost, policy.space.n_facets
    )
    return Sample(posterior, scores, per_day)
