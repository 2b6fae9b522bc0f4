"""Intervals over groups drawn anew."""

import numpy as np
import pytest

from models.bootstrap import drawn_groups, interval


def test_items_of_a_group_are_drawn_together() -> None:
    drawn = drawn_groups(np.array([7, 7, 3, 3, 9]), draws=50)
    assert drawn.shape == (50, 5)
    np.testing.assert_array_equal(drawn[:, 0], drawn[:, 1])
    np.testing.assert_array_equal(drawn[:, [0, 2, 4]].sum(axis=1), 3)


def test_groups_make_intervals_wider_than_items_would() -> None:
    values = np.repeat(np.random.default_rng(0).random(20), 10)
    _, low, high = interval(values, drawn_groups(np.repeat(np.arange(20), 10)))
    _, alone_low, alone_high = interval(values, drawn_groups(np.arange(200)))
    assert high - low > 2 * (alone_high - alone_low)


def test_the_interval_holds_the_mean_and_values_that_are_missing_do_not_count() -> None:
    values = np.array([0.0, 1.0, 1.0, np.nan])
    mean, low, high = interval(values, drawn_groups(np.arange(4)))
    assert mean == pytest.approx(2 / 3)
    assert low <= mean <= high


def test_without_values_nothing_is_said() -> None:
    assert np.isnan(interval(np.full(3, np.nan), drawn_groups(np.arange(3)))).all()
