"""Figures of ways of asking."""

import math

import numpy as np
import pytest

from daemon.core.compare_variants import Said, compare
from labeling_functions.label_space import LabelSpace

TRUTH = np.array([0, 0, 1, 1, 1])


def said(*rounds: list[int], sure: list[float] | None = None) -> Said:
    posterior = np.full((5, 2), np.nan)
    for row, share in enumerate(sure or []):
        posterior[row] = [1 - share, share]
    return Said(LabelSpace(("ham", "spam")), TRUTH, np.array(rounds), posterior, money=0.5, seconds=10.0)


def test_agreement_is_of_answers_and_abstentions_are_shown() -> None:
    found = compare(said([0, 1, 1, 1, -1]))
    assert found.answered == 0.8
    assert (found.judged.answers, found.judged.right, found.agreement) == (4, 3, 0.75)
    assert found.kappa == pytest.approx(0.5)
    assert (found.money, found.seconds) == (0.1, 2.0)
    assert math.isnan(found.itself) and math.isnan(found.log_loss)


def test_agreement_with_itself_is_over_all_pairs_of_rounds() -> None:
    found = compare(said([0, 0, 1, 1, -1], [0, 0, 1, 1, -1], [0, 0, 1, 0, 1]))
    assert found.itself == pytest.approx((1 + 0.6 + 0.6) / 3)


def test_its_own_confidence_is_measured() -> None:
    honest = compare(said([0, 0, 1, 1, 1], sure=[0.1, 0.1, 0.9, 0.9, 0.9]))
    assert honest.log_loss == pytest.approx(-math.log(0.9))
    assert honest.calibration_error == pytest.approx(0.1)
    boasting = compare(said([1, 1, 0, 0, 1], sure=[0.99, 0.99, 0.01, 0.01, 0.99]))
    assert boasting.calibration_error > 0.7 and boasting.log_loss > 3


def test_who_never_answers_has_no_figures() -> None:
    found = compare(said([-1] * 5, [-1] * 5))
    assert math.isnan(found.agreement) and math.isnan(found.kappa)
    assert (found.answered, found.itself) == (0.0, 1.0)


SETS = LabelSpace(("a", "b", "c"), sets=True)


def test_a_set_agrees_as_a_whole_and_class_by_class() -> None:
    truth = np.array([0b101, 0b000, 0b010, 0b111])
    labels = np.array([[0b101, 0b001, 0b000, -1]])
    posterior = np.full((4, 6), np.nan)
    posterior[0] = SETS.posterior((0.95, 0.05, 0.95))
    posterior[1] = SETS.posterior((0.95, 0.05, 0.05))
    found = compare(Said(SETS, truth, labels, posterior, money=0.0, seconds=0.0))
    assert (found.judged.answers, found.judged.right) == (3, 1)
    assert found.classes_right == pytest.approx(7 / 9)
    assert found.log_loss == pytest.approx(-(5 * math.log(0.95) + math.log(0.05)) / 2)
    right = compare(Said(SETS, truth[:1], labels[:, :1], posterior[:1], money=0.0, seconds=0.0))
    assert right.calibration_error == pytest.approx(0.05)
    assert math.isnan(compare(said([0, 1, 1, 1, -1])).classes_right)
