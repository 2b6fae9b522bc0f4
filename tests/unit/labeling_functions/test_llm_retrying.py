"""What is asked again, how often, and after how long."""

import threading
import time

import pytest
from llm_models_for_tests import REPLY, REQUEST, Told

from labeling_functions.llm.chat_model import (
    ChatBusy,
    ChatDown,
    ChatFailure,
    ChatRefused,
    ChatStoodStill,
    ChatUnknown,
)
from labeling_functions.llm.retrying import Retrying, RetrySettings

SETTINGS = RetrySettings(attempts=4, first_seconds=1.0, longest_seconds=30.0)


class Waits:
    """Notes how long it was to wait, and waits for nothing."""

    def __init__(self, stops_at: int = 99) -> None:
        self.seconds: list[float] = []
        self.stops_at = stops_at

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) == self.stops_at


def retrying(model: Told, waits: Waits, draw: float = 1.0, settings: RetrySettings = SETTINGS) -> Retrying:
    """The wrapper, without waits or chance."""
    return Retrying(model, settings, threading.Event(), waits, lambda: draw)


@pytest.mark.parametrize("failure", [ChatBusy("busy"), ChatDown("down")])
def test_what_failed_in_passing_is_asked_again(failure: ChatFailure) -> None:
    model = Told([failure, failure])
    assert retrying(model, Waits()).ask(REQUEST) == REPLY
    assert model.requests == [REQUEST] * 3


@pytest.mark.parametrize(
    "failure", [ChatRefused("bad"), ChatUnknown("lost"), ChatStoodStill(), KeyError("bug")]
)
def test_what_is_refused_or_may_be_paid_is_not(failure: Exception) -> None:
    model, waits = Told([failure]), Waits()
    with pytest.raises(type(failure)):
        retrying(model, waits).ask(REQUEST)
    assert len(model.requests) == 1
    assert waits.seconds == []


def test_the_last_failure_is_raised_when_no_attempt_is_left() -> None:
    model = Told([ChatDown(str(n)) for n in range(9)])
    with pytest.raises(ChatDown, match=r"^3$"):
        retrying(model, Waits()).ask(REQUEST)
    assert len(model.requests) == 4


def test_bounds_of_the_waits_double_up_to_the_longest() -> None:
    settings = RetrySettings(attempts=8, first_seconds=1.0, longest_seconds=20.0)
    waits = Waits()
    retrying(Told([ChatDown("down")] * 7), waits, draw=1.0, settings=settings).ask(REQUEST)
    assert waits.seconds == [1, 2, 4, 8, 16, 20, 20]


def test_waits_are_drawn_below_their_bounds() -> None:
    waits = Waits()
    retrying(Told([ChatDown("down")] * 3), waits, draw=0.25).ask(REQUEST)
    assert waits.seconds == [0.25, 0.5, 1.0]


@pytest.mark.parametrize("draw", [0.0, 1.0])
def test_it_waits_at_least_as_long_as_the_endpoint_asks(draw: float) -> None:
    waits = Waits()
    retrying(Told([ChatBusy("busy", 12.0)]), waits, draw).ask(REQUEST)
    assert waits.seconds == [12.0 + draw]


def test_an_open_breaker_is_not_waited_for() -> None:
    model, waits = Told([ChatDown("spared", 3.0)]), Waits()
    with pytest.raises(ChatDown, match="spared"):
        retrying(model, waits).ask(REQUEST)
    assert (len(model.requests), waits.seconds) == (1, [])


def test_an_endpoint_that_asks_for_too_long_a_wait_is_left_alone() -> None:
    model, waits = Told([ChatBusy("busy", 30.1)]), Waits()
    with pytest.raises(ChatBusy) as caught:
        retrying(model, waits).ask(REQUEST)
    assert caught.value.retry_after == 30.1
    assert (len(model.requests), waits.seconds) == (1, [])


def test_a_stop_ends_the_wait_with_the_failure() -> None:
    model = Told([ChatBusy("busy")] * 9)
    with pytest.raises(ChatBusy):
        retrying(model, Waits(stops_at=2)).ask(REQUEST)
    assert len(model.requests) == 2


def test_a_set_event_ends_a_real_wait_at_once() -> None:
    stop = threading.Event()
    model = Told([ChatBusy("busy", 25.0)])
    timer = threading.Timer(0.01, stop.set)
    started = time.monotonic()
    timer.start()
    with pytest.raises(ChatBusy):
        Retrying(model, SETTINGS, stop).ask(REQUEST)
    timer.join()
    assert time.monotonic() - started < 20
    assert len(model.requests) == 1


def test_nothing_is_asked_again_once_stopped() -> None:
    stop, waits = threading.Event(), Waits()
    stop.set()
    with pytest.raises(ChatDown):
        Retrying(Told([ChatDown("down")]), SETTINGS, stop, waits).ask(REQUEST)
    assert waits.seconds == []


def test_a_process_that_stood_still_while_it_waited_does_not_ask_again() -> None:
    """Its leases may have run out, and somebody else may be asking."""
    model, now = Told([ChatDown("down")]), [0.0]

    def frozen(seconds: float) -> bool:
        now[0] += seconds + 60.0
        return False

    with pytest.raises(ChatDown):
        Retrying(model, SETTINGS, threading.Event(), frozen, lambda: 1.0, lambda: now[0]).ask(REQUEST)
    assert len(model.requests) == 1
