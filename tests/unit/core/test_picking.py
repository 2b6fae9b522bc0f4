"""Which items are picked to learn from."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.assembling import assemble
from daemon.core.learning_rows import Prospects, Standing, StoredBundle, TrainingRows
from daemon.core.picking import Picker, choose, fixed_items, how_many
from daemon.core.policy import Policy
from daemon.core.rows import Duty
from daemon.core.settings import GuaranteeSettings, LearningSettings, RoutingSettings, TierSettings
from models.bundle import Bundle
from models.training import TrainingData

CLASSES = ("ham", "spam")
POLICY = Policy(
    CLASSES, {"expert": TierSettings(final=True, accuracy=0.98)}, GuaranteeSettings(), RoutingSettings()
)
BUNDLE = Bundle.from_priors(CLASSES, {"expert": 0.98})
SETTINGS = LearningSettings(query_strategy="margin")
DUTY = Duty("learning", "me", 1)
FREE, TAKEN = Standing.FREE, Standing.TAKEN


def prospects(answers: int = 90, waiting: int = 0, drifting: bool = False) -> Prospects:
    return Prospects(answers, waiting, drifting, ())


def rows(votes: list[tuple[int, int]], subjects: list[str | None] | None = None) -> TrainingRows:
    """Items with two functions' votes; where these contradict each other or are silent, nothing is known."""
    n = len(votes)
    return TrainingRows(
        ids=[f"item-{number}" for number in range(n)],
        payloads=[b'{"id": "x", "text": "x"}'] * n,
        subjects=subjects or [None] * n,
        arrived=np.zeros(n, np.int64),
        functions=np.ones(n, np.int64),
        inline=[np.array(vote, np.int8) for vote in votes],
        sets={1: (1, 2)},
        names={1: ("one", "v1"), 2: ("two", "v1")},
        vectors=np.zeros((n, 0), np.float16),
        has_vector=np.zeros(n, np.bool_),
        encoder=None,
    )


def chosen(
    given: TrainingRows, standing: dict[str, Standing], count: int, settings: LearningSettings = SETTINGS
) -> list[str]:
    return choose(given, data_of(given), BUNDLE, standing, settings, count)


def data_of(given: TrainingRows) -> TrainingData:
    return assemble(given, POLICY, None)


def embedded(vectors: np.ndarray, has_vector: list[bool]) -> TrainingRows:
    n = len(vectors)
    return replace(
        rows([(1, 1)] * n),
        vectors=vectors.astype(np.float16),
        has_vector=np.array(has_vector),
        encoder="small",
    )


@pytest.mark.parametrize(
    ("answers", "share", "waiting", "wanted"),
    [
        (90, 0.1, 0, 10),
        (90, 0.1, 4, 6),
        (90, 0.1, 30, 0),
        (2, 0.1, 0, 1),
        (0, 0.1, 0, 0),
        (90, 0.0, 0, 0),
        (50, 0.5, 0, 50),
    ],
)
def test_a_share_of_what_people_answer_is_picked(
    answers: int, share: float, waiting: int, wanted: int
) -> None:
    assert how_many(prospects(answers, waiting), share) == wanted


@given(answers=st.integers(1, 10_000), share=st.floats(0.01, 0.5))
def test_picks_are_their_share_of_all_answers(answers: int, share: float) -> None:
    picks = how_many(prospects(answers), share)
    assert picks >= 1
    assert abs(picks - share * (answers + picks)) <= 1


def test_the_items_that_the_bundle_doubts_most_are_picked() -> None:
    given = rows([(1, 1), (1, 0), (0, 0), (-1, -1), (1, -1)])
    standing = dict.fromkeys(given.ids, FREE)
    assert set(chosen(given, standing, 2)) == {"item-1", "item-3"}
    assert set(chosen(given, standing, 9)) == set(given.ids)


def test_items_that_are_taken_or_out_of_reach_are_not_picked() -> None:
    given = rows([(1, 0), (1, 0), (1, 1), (0, 0)])
    standing = {"item-1": TAKEN, "item-2": FREE, "item-3": FREE}
    assert set(chosen(given, standing, 9)) == {"item-2", "item-3"}
    assert chosen(given, {}, 9) == []


def test_one_item_of_a_subject_is_enough() -> None:
    given = rows([(1, 0)] * 5, ["fox", "fox", "deer", "deer", None])
    standing = dict.fromkeys(given.ids, FREE) | {"item-3": TAKEN}
    assert set(chosen(given, standing, 9)) == {"item-0", "item-4"}


def test_answered_items_are_known_ground() -> None:
    vectors = np.eye(3)[[0, 0, 0, 0, 1, 1, 1, 2, 2]]
    given = embedded(vectors, [True] * 9)
    standing = dict.fromkeys(given.ids, FREE) | {"item-0": TAKEN}
    herding = LearningSettings(query_strategy="herding")
    first, second = chosen(given, standing, 2, herding)
    assert first in {"item-4", "item-5", "item-6"}
    assert second in {"item-7", "item-8"}


@pytest.mark.parametrize("strategy", ["margin", "herding", "margin_clusters"])
def test_items_without_a_vector_are_picked_beside_those_that_have_one(strategy: str) -> None:
    """An encoder that is spared or changed leaves many without: their labels are doubted as others are."""
    has_vector = [number % 2 == 0 for number in range(40)]
    given = embedded(np.eye(40) * np.array(has_vector)[:, None], has_vector)
    standing = dict.fromkeys(given.ids, FREE)
    settings = LearningSettings(query_strategy=strategy)
    assert set(chosen(given, standing, 40, settings)) == set(given.ids)
    bare = {id_ for id_, has in zip(given.ids, has_vector, strict=True) if not has}
    assert 5 <= len(bare.intersection(chosen(given, standing, 20, settings))) <= 15


def test_the_fixed_items_stay_while_others_come_and_go() -> None:
    few = rows([(1, 0)] * 400)
    more = rows([(1, 0)] * 3_000)
    assert len(fixed_items(few)) == 400
    before = {more.ids[row] for row in fixed_items(more).tolist()}
    assert len(before) == 500
    shuffled = replace(more, ids=more.ids[::-1])
    assert {shuffled.ids[row] for row in fixed_items(shuffled).tolist()} == before


@dataclass
class Store:
    """Remembers what was left for `run`."""

    bundles: list[Bundle] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    current: bool = True

    def last_bundles(self, count: int) -> list[StoredBundle]:
        kept = [
            StoredBundle(n, "", bundle.to_bytes(), 0, None, None) for n, bundle in enumerate(self.bundles)
        ]
        return kept[-count:]

    def current_bundle(self, known: int | None) -> StoredBundle | None:
        return self.last_bundles(1)[0] if self.current else None

    def standings(self, ids: list[str]) -> dict[str, Standing]:
        return dict.fromkeys(ids, FREE)

    def leave_picks(self, duty: Duty, ids: list[str]) -> None:
        assert duty == DUTY
        self.left += ids


def test_picks_are_left_for_the_worker() -> None:
    store = Store([BUNDLE])
    given = rows([(1, 0)] * 40)
    assert Picker(store, SETTINGS).pick(DUTY, given, data_of(given), prospects()) == 10
    assert len(set(store.left)) == 10


def test_nothing_is_picked_before_a_bundle_is_there() -> None:
    store = Store([BUNDLE], current=False)
    given = rows([(1, 0)] * 40)
    assert Picker(store, SETTINGS).pick(DUTY, given, data_of(given), prospects()) == 0
    assert store.left == []


def leaning(label: int) -> Bundle:
    """A bundle that gives this label to items that the functions say nothing about."""
    (member,) = BUNDLE.members
    prior = np.where(np.arange(2) == label, -0.3, -1.0)
    return replace(BUNDLE, members=(replace(member, prior=prior),))


@pytest.mark.parametrize(
    ("earlier", "drifting", "stop", "word"),
    [
        ([0, 0, 0], False, True, "as they were"),
        ([0, 0, 0], True, False, "drift"),
        ([0, 0, 1], False, False, "changed predictions"),
        ([0, 0], False, False, "2 of 3 retrainings"),
    ],
)
def test_the_stop_rule_compares_the_bundles_that_are_kept(
    earlier: list[int], drifting: bool, stop: bool, word: str
) -> None:
    given = rows([(1, 1), (0, 0), (-1, -1)] * 100)
    store = Store([leaning(label) for label in earlier])
    verdict = Picker(store, SETTINGS).verdict(given, data_of(given), leaning(0), prospects(drifting=drifting))
    assert verdict.stop is stop
    assert word in verdict.reason


def test_a_share_of_nothing_stops_asking() -> None:
    given = rows([(1, 1)])
    verdict = Picker(Store(), LearningSettings(share=0)).verdict(given, data_of(given), BUNDLE, prospects())
    assert verdict.stop
