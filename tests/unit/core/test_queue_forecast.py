"""When a queue will be empty."""

import pytest

from daemon.core.queue_forecast import hours_to_empty


@pytest.mark.parametrize(
    ("waiting", "asked", "answered", "hours"),
    [
        (0, 100.0, 0.0, 0.0),
        (60, 10.0, 40.0, 2.0),
        (60, 0.0, 120.0, 0.5),
        (60, 40.0, 40.0, None),
        (60, 40.0, 10.0, None),
        (60, 0.0, 0.0, None),
        (10**9, 0.0, 5e-324, None),
    ],
)
def test_it_is_what_waits_over_what_is_answered_beyond_what_is_asked(
    waiting: int, asked: float, answered: float, hours: float | None
) -> None:
    assert hours_to_empty(waiting, asked, answered) == hours
