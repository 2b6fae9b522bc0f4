"""Costly figures rest, cheap ones are always fresh."""

from daemon.adapters.store.rested import CHEAP_SECONDS, LEISURE, Rested


class _Work:
    """Takes a while on a clock of its own and counts how often it was done."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.done = 0

    def __call__(self, given: int) -> int:
        self.now += self.seconds
        self.done += 1
        return given


def test_a_cheap_figure_is_always_fresh() -> None:
    work = _Work(CHEAP_SECONDS / 2)
    rested = Rested(work, lambda: work.now)
    assert [rested.get(n) for n in range(3)] == [0, 1, 2]


def test_a_costly_figure_rests_as_long_as_it_cost() -> None:
    work = _Work(2.0)
    rested = Rested(work, lambda: work.now)
    assert [rested.get(n) for n in range(3)] == [0, 0, 0]
    work.now += 2.0 * LEISURE
    assert [rested.get(n) for n in (7, 8)] == [7, 7]
    assert work.done == 2
