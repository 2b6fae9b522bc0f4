"""Which items go without a vector: by what functions say, and nothing else."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.evidence import Evidence, of_arrivals
from daemon.core.first_look import vectors_of
from daemon.core.policy import Policy
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.sparing import SAMPLE, Sparing, sampled
from labeling_functions.items import Item
from models.bundle import Bundle

POLICY = Policy(("ham", "spam"), {"expert": TierSettings(final=True)}, GuaranteeSettings(), RoutingSettings())
KEYS = ("function:a@1", "function:b@1", "function:c@1")
BUNDLE = Bundle.from_priors(POLICY.classes, {"expert": 0.98})


def cheap(inline: np.ndarray) -> Evidence:
    return of_arrivals(inline, KEYS, None, np.zeros(len(inline), np.int64), BUNDLE, 1)


@dataclass
class Spelled:
    """Vectors that say which item they are of; knows what it was asked."""

    name: str = "spelled"
    asked: list[str] = field(default_factory=list)

    def encode(self, items: Any) -> np.ndarray:
        self.asked += [item.id for item in items]
        return np.array([[float(item.id), 1.0] for item in items], np.float32).reshape(-1, 2)


def test_the_sample_is_its_share_of_the_ids_and_stays() -> None:
    ids = [f"item-{number}" for number in range(20_000)]
    first = sampled(ids)
    assert first.mean() == pytest.approx(SAMPLE, abs=0.01)
    assert (sampled(ids[::-1])[::-1] == first).all()
    assert sampled([]).shape == (0,)


@given(st.lists(st.tuples(*[st.integers(-1, 1)] * 3), min_size=1, max_size=40), st.floats(0.5, 1.0))
def test_spared_are_all_that_reach_the_threshold_by_votes_but_for_the_sample(
    votes: list[tuple[int, int, int]], least: float
) -> None:
    inline = np.array(votes, np.int8)
    ids = [f"i{number}" for number in range(len(votes))]
    spared = Sparing(POLICY, lambda: least).spared(ids, lambda: cheap(inline))
    assert spared.tolist() == ((cheap(inline).scores >= least) & ~sampled(ids)).tolist()
    kept = ~sampled(ids)
    for pattern in set(votes):
        alike = np.array([one == pattern for one in votes]) & kept
        assert len(set(spared[alike].tolist())) <= 1, "equal votes, equal fate"


def test_nothing_is_spared_while_no_window_may_release() -> None:
    def not_asked() -> Evidence:
        raise AssertionError("scores are not needed")

    assert not Sparing(POLICY, lambda: float("inf")).spared(["a", "b"], not_asked).any()


@given(st.lists(st.booleans(), max_size=20))
def test_only_what_is_not_spared_is_encoded(spared: list[bool]) -> None:
    items = [Item(str(number), {"text": ""}) for number in range(len(spared))]
    encoder = Spelled()
    vectors = vectors_of(items, encoder, np.array(spared, bool))
    assert vectors is not None
    assert encoder.asked == [item.id for item, left in zip(items, spared, strict=True) if not left]
    for item, left, vector in zip(items, spared, vectors, strict=True):
        assert np.isnan(vector).all() if left else vector.tolist() == [float(item.id), 1.0]
