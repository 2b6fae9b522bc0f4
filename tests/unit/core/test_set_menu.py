"""What an answer is worth that tells about several classes at once."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.menu import menu_of
from daemon.core.routing import Candidates, Purse, route
from daemon.core.set_menu import menu_of_sets
from models.value import Asker, of_accuracy, ways

CROWD, EXPERT = 0, 1
RIGHT = 0.98

probability = st.floats(0.01, 0.99)
accuracy = st.floats(0.6, 0.95)


def tiers(crowd: float, most: int = 3) -> list[Asker]:
    return [
        Asker("crowd", 0.05, of_accuracy(crowd, 2), most),
        Asker("expert", 0.6, of_accuracy(RIGHT, 2), 1, final=True),
    ]


def sets(*rows: tuple[float, ...]) -> np.ndarray:
    """(n, F * 2) posteriors, given how likely each class applies."""
    applies = np.array(rows)
    return np.stack([1 - applies, applies], axis=2).reshape(len(rows), -1)


def nobody(n: int) -> np.ndarray:
    return np.zeros((n, 2), np.int64)


@given(st.lists(probability, min_size=1, max_size=5))
def test_of_one_facet_it_is_the_menu_of_its_tiers(likely: list[float]) -> None:
    posterior, answered = sets(*[(one,) for one in likely]), nobody(len(likely))
    one, plain = (
        menu_of_sets(posterior, answered, [tiers(0.8)], None),
        menu_of(posterior, answered, tiers(0.8), None, ways),
    )
    assert one.gain == pytest.approx(plain.gain)
    assert one.price == pytest.approx(plain.price)
    assert (one.may == plain.may).all()


def joint(likely: float, crowd: float) -> np.ndarray:
    """(votes, truths) of one class."""
    return of_accuracy(crowd, 2) * np.array([1 - likely, likely])


def calls_for_the_expert(table: np.ndarray) -> set[int]:
    """The vote after which an expert takes most risk away, per chance that it is cast."""
    taken = np.maximum(table.min(axis=1) - table.sum(axis=1) * (1 - RIGHT), 0)
    return {int(np.argmax(taken / table.sum(axis=1)))}


def play(tables: list[np.ndarray], calls: list[set[int]]) -> tuple[float, float]:
    """Expected risk taken away, and how often the expert is asked, over every pair of votes."""
    before = sum(table.sum(axis=0).min() for table in tables)
    left = asked = 0.0
    for votes in product((0, 1), repeat=len(tables)):
        chances = [table[vote].sum() for table, vote in zip(tables, votes, strict=True)]
        doubts = [table[vote].min() for table, vote in zip(tables, votes, strict=True)]
        if any(vote in wanted for vote, wanted in zip(votes, calls, strict=True)):
            asked += np.prod(chances)
            left += len(tables) * (1 - RIGHT) * np.prod(chances)
        else:
            left += sum(
                doubt * np.prod(chances[:place] + chances[place + 1 :]) for place, doubt in enumerate(doubts)
            )
    return before - left, asked


@settings(max_examples=50)
@given(probability, probability, accuracy, accuracy)
def test_gain_and_chance_of_the_expert_are_those_of_every_case_played(
    a: float, b: float, good: float, poor: float
) -> None:
    facets = [tiers(good, most=1), tiers(poor, most=1)]
    menu = menu_of_sets(sets((a, b)), nobody(1), facets, None)
    tables = [joint(a, good), joint(b, poor)]
    alone, followed = np.flatnonzero(menu.first == CROWD)
    gain, _ = play(tables, [set(), set()])
    assert menu.gain[0, alone] == pytest.approx(gain, abs=1e-9)
    gain, asked = play(tables, [calls_for_the_expert(table) for table in tables])
    assert menu.votes[0, followed, EXPERT] == pytest.approx(asked, abs=1e-9)
    # a final answer that takes nothing away from a class is not counted against it
    assert menu.gain[0, followed] >= gain - 1e-9


@given(st.lists(st.tuples(probability, probability, probability), min_size=1, max_size=4))
def test_no_way_takes_more_risk_away_than_there_is(rows: list[tuple[float, float, float]]) -> None:
    posterior = sets(*rows)
    menu = menu_of_sets(posterior, nobody(len(rows)), [tiers(0.7), tiers(0.8), tiers(0.9)], None)
    risk = np.minimum(np.array(rows), 1 - np.array(rows)).sum(axis=1)
    assert (menu.gain >= -1e-12).all()
    assert (menu.gain <= risk[:, None] + 1e-12).all()


def test_an_item_with_two_doubtful_classes_is_asked_before_one_with_one() -> None:
    items = Candidates(
        posterior=sets((0.5, 0.01), (0.5, 0.5)),
        answered=nobody(2),
        wanted=nobody(2),
        may_ask=np.ones(2, np.bool_),
        doubtful=np.ones(2, np.bool_),
    )
    facets = [tiers(0.9), tiers(0.9)]
    routed = route(items, facets[0], Purse((None, None)), facets=facets)
    assert routed.worth[1] == pytest.approx(2 * routed.worth[0], rel=0.1)
    one = route(items, facets[0], Purse((None, None), total=0.05), facets=facets)
    assert not one.ask[0].any()
    assert one.ask[1].any()
