"""Agreement from answers: by tier, class, day, pair and person."""

import math

import pytest

from daemon.core.agreement import TOGETHER, by_tier
from daemon.core.agreement_rows import GivenAnswer

DAY = 86_400_000
CLASSES = ("ham", "spam", "other")


def said(item: str, name: str, label: int, at: int = 0, tier: str = "crowd") -> GivenAnswer:
    return GivenAnswer(tier, item, name, bytes([label]), at)


def test_items_that_one_person_answered_count_nowhere() -> None:
    assert (
        by_tier([said("i", "ann", 0), said("j", "bob", 1), said("i", "eve", 1, tier="expert")], CLASSES) == []
    )


def test_tiers_are_apart_and_figures_are_those_of_their_shared_items() -> None:
    given = [
        *(said("i", name, 0) for name in ("ann", "bob")),
        *(said("j", name, label) for name, label in (("ann", 1), ("bob", 1), ("cy", 2))),
        said("alone", "ann", 2),
        *(said("i", name, 0, tier="expert") for name in ("eve", "max")),
    ]
    crowd, expert = by_tier(given, CLASSES)
    assert (crowd.tier, crowd.all.items, crowd.all.votes) == ("crowd", 2, 5)
    assert crowd.all.percent == pytest.approx(2 / 4)
    assert (expert.tier, expert.all.percent) == ("expert", 1)
    assert math.isnan(expert.all.alpha)
    people = {one.name: (one.same, one.pairs) for one in crowd.people}
    assert people == {"ann": (2, 3), "bob": (2, 3), "cy": (0, 2)}


def test_a_class_that_people_mix_up_agrees_less_than_one_that_they_know() -> None:
    given = []
    for number in range(30):
        first, second = (0, 0) if number % 3 == 0 else (1, 1 + number % 2)
        given += [said(f"i{number}", "ann", first), said(f"i{number}", "bob", second)]
    (crowd,) = by_tier(given, CLASSES)
    assert crowd.by_class["ham"].alpha == pytest.approx(1)
    assert crowd.by_class["spam"].alpha < 0.7
    assert crowd.by_class["other"].alpha < 0.2


def test_days_are_those_of_the_last_answer() -> None:
    given = [said("i", "ann", 0, DAY - 1), said("i", "bob", 0, DAY), said("j", "ann", 1), said("j", "bob", 0)]
    (crowd,) = by_tier(given, CLASSES)
    assert {day: found.percent for day, found in crowd.by_day.items()} == {"1970-01-01": 0, "1970-01-02": 1}


def test_pairs_need_enough_items_in_common() -> None:
    given = []
    for number in range(TOGETHER):
        given += [said(f"i{number}", "bob", number % 2), said(f"i{number}", "ann", number % 2)]
        if number:
            given.append(said(f"i{number}", "cy", 0))
    (crowd,) = by_tier(given, CLASSES)
    (pair,) = crowd.pairs
    assert (pair.one, pair.other, pair.items, pair.kappa) == ("ann", "bob", TOGETHER, pytest.approx(1))


def test_sets_agree_as_wholes_and_class_by_class() -> None:
    given = [
        GivenAnswer("crowd", "i", "ann", bytes([1, 1]), 0),
        GivenAnswer("crowd", "i", "bob", bytes([1, 0]), 0),
        GivenAnswer("crowd", "j", "ann", bytes([0, 0]), 0),
        GivenAnswer("crowd", "j", "bob", bytes([0, 0]), 0),
    ]
    (crowd,) = by_tier(given, ("a", "b"))
    assert crowd.all.percent == 0.5
    assert (crowd.by_class["a"].percent, crowd.by_class["b"].percent) == (1, 0.5)
