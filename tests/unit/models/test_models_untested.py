"""People count half until known labels have tested them, and in full afterwards."""

import numpy as np
import pytest

from models.arrays import UNKNOWN
from models.bundle import fallback_tables
from models.label_model.pool import Pool
from models.label_model.protocol import Member
from models.label_model.untested import (
    FEWEST_JUDGED,
    UNTRAINED_TEMPERATURE,
    as_untested,
    judged_families,
    with_untested,
)
from models.votes import Votes, person_key

N = 300
KNOWN = 40


def stream(crowd_rows: np.ndarray) -> tuple[Votes, np.ndarray, np.ndarray]:
    """A function on everything, two people on some rows, all often right; KNOWN labels at the beginning."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, N)

    def said(rows: np.ndarray, accuracy: float) -> np.ndarray:
        right = random.random(len(rows)) < accuracy
        return np.where(right, truth[rows], 1 - truth[rows])

    everything = np.arange(N)
    votes = Votes.from_dense(said(everything, 0.8)[:, None], ("function:f",), 2)
    for who in ("a", "b"):
        one = Votes(N, (person_key("crowd", who),), (2,), crowd_rows, 0 * crowd_rows, said(crowd_rows, 0.9))
        votes = Votes.concat_annotators(votes, one)
    gold = np.where(everything < KNOWN, truth, UNKNOWN)
    return votes, gold, truth


def strength(members: tuple[Member, ...], key: str) -> float:
    """Log-odds that a vote of 0 adds for class 0, temperature included, on average over the members."""
    return sum(m.weight * m.temperature * (m.tables[key][0, 0] - m.tables[key][0, 1]) for m in members)


def test_people_who_never_met_a_known_label_speak_softly_until_they_do() -> None:
    votes, gold, _ = stream(np.arange(KNOWN, 200))
    (untold, told) = Pool().fit(votes, 2, gold).members(), Pool().fit(*_met(FEWEST_JUDGED)).members()
    assert max(m.temperature for m in untold) > UNTRAINED_TEMPERATURE
    assert 1.2 * strength(untold, "tier:crowd@a") < strength(told, "tier:crowd@a")
    assert strength(untold, "function:f") == pytest.approx(strength(told, "function:f"), rel=0.3)


def _met(number: int) -> tuple[Votes, int, np.ndarray]:
    votes, gold, _ = stream(np.arange(KNOWN - number, 200))
    return votes, 2, gold


@pytest.mark.parametrize("number", [0, FEWEST_JUDGED - 1, FEWEST_JUDGED])
def test_a_tier_is_tested_by_items_not_by_votes_and_by_all_of_its_people(number: int) -> None:
    votes, _, gold = _met(number)
    known = judged_families(votes.take(gold != UNKNOWN))
    assert "function:f" in known
    assert ("tier:crowd" in known) == (number >= FEWEST_JUDGED)


def test_nobody_is_tested_where_nothing_is_known() -> None:
    votes, _, _ = stream(np.arange(50))
    assert judged_families(votes.take(np.zeros(N, np.bool_))) == frozenset()
    assert judged_families(Votes(3, (), (), *np.empty((3, 0), np.int64))) == frozenset()


@pytest.mark.parametrize("temperature", [0.1, UNTRAINED_TEMPERATURE, 1.0, 2.5])
def test_their_temperature_is_at_most_that_before_any_known_label(temperature: float) -> None:
    table = fallback_tables(2, {"crowd": 0.9})["tier:crowd"]
    member = Member("m", np.log([0.5, 0.5]), {"tier:crowd@a": table, "llm:cheap/p": table}, temperature)
    damped = with_untested(member, frozenset({"function:f"}))
    np.testing.assert_allclose(
        temperature * damped.tables["tier:crowd@a"], min(temperature, UNTRAINED_TEMPERATURE) * table
    )
    np.testing.assert_array_equal(damped.tables["llm:cheap/p"], table)
    np.testing.assert_array_equal(
        with_untested(member, frozenset({"tier:crowd"})).tables["tier:crowd@a"], table
    )
    np.testing.assert_array_equal(as_untested(member, "tier:crowd@new", table), damped.tables["tier:crowd@a"])
