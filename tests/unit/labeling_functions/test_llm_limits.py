"""Calls stay within the limits: at once, and within any minute."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_models_for_tests import REPLY, REQUEST, Clock, Told

from labeling_functions.llm.chat_model import ChatBusy, ChatDown, ChatReply, ChatRequest, ChatStoodStill
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.limits import WINDOW_SECONDS, Limited, Limits, Window

URL = "http://127.0.0.1/v1"


@given(
    st.integers(1, 5),
    st.integers(1, 50),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=40),
)
def test_no_minute_exceeds_the_limits(requests: int, tokens: int, calls: list[tuple[int, int]]) -> None:
    window, now, begun = Window(requests, tokens), 0.0, []
    for gap, size in calls:
        now += gap
        now += window.delay(now, size)
        assert window.delay(now, size) == 0
        window.add(now, size)
        begun.append((now, size))
    for start, _ in begun:
        within = [size for at, size in begun if start <= at < start + WINDOW_SECONDS]
        assert len(within) <= requests
        assert sum(within) <= tokens or len(within) == 1  # one call alone may be larger than a minute allows


def test_a_delay_is_no_longer_than_it_takes() -> None:
    window = Window(requests=None, tokens=100)
    window.add(0.0, 50)
    window.add(10.0, 30)
    assert window.delay(20.0, 20) == 0
    assert window.delay(20.0, 21) == 40  # when the first is a minute old
    assert window.delay(20.0, 71) == 50
    assert window.delay(20.0, 500) == 50


def test_without_limits_nothing_waits() -> None:
    window = Window()
    for _ in range(1_000):
        assert window.delay(5.0, 1_000_000) == 0
        window.add(5.0, 1_000_000)


class Waits:
    """Moves the clock by what is waited; may stop after so many waits."""

    def __init__(self, clock: Clock, stop: threading.Event, stops_at: int = 10_000) -> None:
        self.clock, self.stop, self.stops_at, self.count = clock, stop, stops_at, 0

    def __call__(self, _: threading.Condition, seconds: float) -> None:
        self.clock.now += seconds
        self.count += 1
        if self.count == self.stops_at:
            self.stop.set()


class World:
    """A model behind limits, with a clock that moves by waiting."""

    def __init__(self, model: Told, stops_at: int = 10_000, **limits: int) -> None:
        self.clock, stop = Clock(), threading.Event()
        endpoint = EndpointSettings(base_url=URL, **limits)  # type: ignore[arg-type]
        self.waits = Waits(self.clock, stop, stops_at)
        self.limits = Limits(endpoint, stop, self.clock, self.waits)
        self.limited = Limited(model, endpoint, self.limits)

    def seconds(self, request: ChatRequest = REQUEST) -> float:
        """How long one call waited."""
        before = self.clock.now
        self.limited.ask(request)
        return self.clock.now - before


def test_the_third_call_of_two_a_minute_waits_for_the_first_to_be_a_minute_old() -> None:
    world = World(Told(), requests_per_minute=2)
    assert world.seconds() == 0
    world.clock.now += 20
    assert world.seconds() == 0
    assert world.seconds() == pytest.approx(40, abs=0.11)
    assert world.seconds() == pytest.approx(20, abs=0.11)


def test_tokens_are_reserved_at_most_and_corrected_by_the_reply() -> None:
    at_most = 300  # for REQUEST, roughly; the reply used 6
    world = World(Told(), tokens_per_minute=2 * at_most)
    assert [world.seconds() for _ in range(5)] == [0] * 5


def test_a_call_without_a_reply_keeps_its_tokens_reserved() -> None:
    world = World(Told([ChatDown("down")]), tokens_per_minute=300)
    with pytest.raises(ChatDown):
        world.limited.ask(REQUEST)
    assert world.seconds() == pytest.approx(60, abs=0.11)


def test_a_stop_ends_the_wait_and_nothing_is_sent() -> None:
    model = Told()
    world = World(model, stops_at=3, requests_per_minute=1)
    world.limited.ask(REQUEST)
    with pytest.raises(ChatBusy, match="stopped"):
        world.limited.ask(REQUEST)
    assert len(model.requests) == 1
    assert world.waits.count == 3


def test_a_process_that_stood_still_while_it_waited_does_not_ask() -> None:
    """Its leases may have run out, and somebody else may be asking."""
    clock, model = Clock(), Told()

    def frozen(_: threading.Condition, seconds: float) -> None:
        clock.now += seconds + 60.0

    endpoint = EndpointSettings(base_url=URL, requests_per_minute=1)
    limited = Limited(model, endpoint, Limits(endpoint, threading.Event(), clock, frozen))
    limited.ask(REQUEST)
    with pytest.raises(ChatStoodStill, match="60 s"):
        limited.ask(REQUEST)
    assert len(model.requests) == 1
    assert limited.ask(REQUEST) == REPLY, "its place was not taken"


def test_a_failed_call_gives_its_place_back() -> None:
    world = World(Told([ChatDown("down")] * 5), concurrency=1)
    for _ in range(5):
        with pytest.raises(ChatDown):
            world.limited.ask(REQUEST)
    assert world.seconds() == 0


class Nested:
    """Asks again in the middle of a call, as another thread would."""

    def __init__(self) -> None:
        self.again: Limited

    def ask(self, request: ChatRequest) -> ChatReply:
        with pytest.raises(ChatBusy, match="stopped"):
            self.again.ask(request)
        return REPLY


def test_a_call_under_way_takes_its_place_from_the_others() -> None:
    stop = threading.Event()
    endpoint = EndpointSettings(base_url=URL, concurrency=1)
    model = Nested()
    model.again = Limited(model, endpoint, Limits(endpoint, stop, wait=lambda *_: stop.set()))
    assert model.again.ask(REQUEST) == REPLY


def test_a_place_that_is_given_back_wakes_who_waits_for_it() -> None:
    endpoint = EndpointSettings(base_url=URL, concurrency=1)
    limits = Limits(endpoint, threading.Event(), wait=lambda changed, _: changed.wait(30))
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with limits.place(1):
            inside.set()
            leave.wait(30)

    started = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        pool.submit(hold)
        inside.wait(30)
        waiting = pool.submit(Limited(Told(), endpoint, limits).ask, REQUEST)
        leave.set()
        assert waiting.result() == REPLY
    assert time.monotonic() - started < 20


class Crowded:
    """Counts how many are inside at once; nobody leaves before `wanted` were inside together."""

    def __init__(self, wanted: int) -> None:
        self.inside = self.most = 0
        self.wanted = wanted
        self.changed = threading.Condition()

    def ask(self, request: ChatRequest) -> ChatReply:
        with self.changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.wanted, timeout=10)
            self.inside -= 1
        return REPLY


def test_threads_share_the_places() -> None:
    endpoint = EndpointSettings(base_url=URL, concurrency=3)
    model = Crowded(wanted=3)
    limited = Limited(model, endpoint, Limits(endpoint, threading.Event()))
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(limited.ask, [REQUEST] * 40))
    assert replies == [REPLY] * 40
    assert model.most == 3
