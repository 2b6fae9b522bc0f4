"""When a queue will be empty if everything goes on as it went lately."""

import math


def hours_to_empty(waiting: int, asked_per_hour: float, answered_per_hour: float) -> float | None:
    """Hours until nothing waits; 0 where nothing does, None where more is asked than answered.

    Straight on at the pace of lately: what the router would ask instead, and when people go home, is not in
    it.
    """
    if waiting <= 0:
        return 0.0
    net = answered_per_hour - asked_per_hour
    hours = waiting / net if net > 0 else math.inf
    return hours if math.isfinite(hours) else None
