"""When the breaker opens, whom it lets through as a probe, and when it closes."""

from collections.abc import Callable

import pytest
from llm_models_for_tests import REPLY, REQUEST, Clock, Told

from labeling_functions.llm.breaker import Breaker, BreakerSettings, Guarded
from labeling_functions.llm.chat_model import (
    ChatBusy,
    ChatDown,
    ChatFailure,
    ChatRefused,
    ChatReply,
    ChatRequest,
    ChatStoodStill,
    ChatUnknown,
)

SETTINGS = BreakerSettings(failures=3, open_seconds=10.0, longest_seconds=35.0)
DOWN = ChatDown("down")


class World:
    """One model behind a breaker, and the clock."""

    def __init__(self, *outcomes: BaseException | ChatReply) -> None:
        self.clock = Clock()
        self.model = Told(outcomes)
        self.guarded = Guarded(self.model, Breaker("endpoint a", SETTINGS, self.clock))

    def fails(self, times: int = 1, kind: type[BaseException] = ChatDown) -> None:
        """Ask so often, each time in vain."""
        for _ in range(times):
            with pytest.raises(kind):
                self.guarded.ask(REQUEST)

    @property
    def calls(self) -> int:
        """How many reached the model."""
        return len(self.model.requests)


def test_it_opens_after_failures_in_a_row_and_then_sends_nothing() -> None:
    world = World(*[DOWN] * 9)
    world.fails(5)
    assert world.calls == 3


def test_calls_that_never_get_an_answer_open_it_too() -> None:
    world = World(ChatUnknown("lost"), DOWN, ChatUnknown("lost"))
    for kind in (ChatUnknown, ChatDown, ChatUnknown):
        world.fails(kind=kind)
    world.fails()
    assert world.calls == 3


@pytest.mark.parametrize("alive", [REPLY, ChatBusy("busy"), ChatRefused("bad")])
def test_any_answer_in_between_begins_the_count_anew(alive: ChatReply | ChatFailure) -> None:
    world = World(DOWN, DOWN, alive, DOWN, DOWN, REPLY)
    world.fails(2)
    if isinstance(alive, ChatReply):
        world.guarded.ask(REQUEST)
    else:
        world.fails(kind=type(alive))
    world.fails(2)
    assert world.guarded.ask(REQUEST) == REPLY


def test_it_says_when_it_is_worth_asking_again() -> None:
    world = World(*[DOWN] * 3)
    world.fails(3)
    world.clock.now += 4
    said = r"endpoint a is out \(down\) and is not asked; the next try is in 6 s"
    with pytest.raises(ChatDown, match=said) as caught:
        world.guarded.ask(REQUEST)
    assert caught.value.retry_after == 6.0


def test_a_probe_that_succeeds_closes_it() -> None:
    world = World(*[DOWN] * 3)
    world.fails(3)
    world.clock.now += 10
    assert world.guarded.ask(REQUEST) == REPLY
    assert world.guarded.ask(REQUEST) == REPLY
    world.model.outcomes = [DOWN, DOWN]
    world.fails(2)
    assert world.guarded.ask(REQUEST) == REPLY  # the old failures are forgotten


def test_each_probe_that_fails_doubles_the_time_to_the_next_up_to_the_longest() -> None:
    world = World(*[DOWN] * 9)
    world.fails(3)
    for seconds, calls in [(10, 4), (20, 5), (35, 6), (35, 7)]:
        world.clock.now += seconds - 0.5
        world.fails()
        assert world.calls == calls - 1
        world.clock.now += 0.5
        world.fails()
        assert world.calls == calls


class Nested:
    """Does something in the middle of a call, as another thread would."""

    def __init__(self, meanwhile: Callable[[], None], outcome: BaseException) -> None:
        self.meanwhile = meanwhile
        self.outcome = outcome

    def ask(self, request: ChatRequest) -> ChatReply:
        self.meanwhile()
        raise self.outcome


def open_breaker(clock: Clock) -> Breaker:
    """One whose endpoint was down three times."""
    breaker = Breaker("endpoint a", SETTINGS, clock)
    guarded = Guarded(Told([DOWN] * 3), breaker)
    for _ in range(3):
        with pytest.raises(ChatDown):
            guarded.ask(REQUEST)
    return breaker


def test_there_is_one_probe_at_a_time() -> None:
    clock, others = Clock(), Told()
    breaker = open_breaker(clock)
    clock.now += 10

    def meanwhile() -> None:
        with pytest.raises(ChatDown, match="not asked"):
            Guarded(others, breaker).ask(REQUEST)

    with pytest.raises(ChatDown, match=r"^down$"):
        Guarded(Nested(meanwhile, DOWN), breaker).ask(REQUEST)
    assert others.requests == []


def test_a_probe_that_ended_by_an_error_of_ours_leaves_the_next_one_free() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now += 10
    with pytest.raises(KeyboardInterrupt):
        Guarded(Told([KeyboardInterrupt()]), breaker).ask(REQUEST)
    assert Guarded(Told(), breaker).ask(REQUEST) == REPLY


def test_a_probe_of_a_process_that_stood_still_says_nothing_of_the_endpoint() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now += 10
    with pytest.raises(ChatStoodStill):
        Guarded(Told([ChatStoodStill()]), breaker).ask(REQUEST)
    with pytest.raises(ChatDown, match=r"^down$"):
        Guarded(Told([DOWN]), breaker).ask(REQUEST)
    with pytest.raises(ChatDown, match="not asked"):
        Guarded(Told(), breaker).ask(REQUEST)


def test_calls_that_began_before_it_opened_do_not_prolong_it() -> None:
    clock = Clock()
    breaker = Breaker("endpoint a", SETTINGS, clock)

    def meanwhile() -> None:
        for _ in range(3):
            with pytest.raises(ChatDown):
                Guarded(Told([DOWN]), breaker).ask(REQUEST)
        clock.now += 9

    with pytest.raises(ChatDown):
        Guarded(Nested(meanwhile, DOWN), breaker).ask(REQUEST)
    clock.now += 1
    assert Guarded(Told(), breaker).ask(REQUEST) == REPLY
