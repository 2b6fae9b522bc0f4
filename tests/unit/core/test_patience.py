"""When a loop leaves a language model alone, and for how long."""

import pytest

from daemon.core.errors import CapReached
from daemon.core.patience import CAPPED_SECONDS, LONGEST_SECONDS, REFUSALS, Patience
from labeling_functions.llm.chat_model import ChatBusy, ChatDown, ChatRefused, ChatUnknown


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rest(patience: Patience, clock: Clock) -> float:
    """Seconds until calls are allowed again."""
    began = clock.now
    while not patience.allowed(4):
        clock.now += 0.25
    return clock.now - began


def test_rests_grow_with_failures_in_a_row_up_to_a_limit(clock: Clock) -> None:
    patience = Patience(clock)
    rests = []
    for _ in range(9):
        patience.bad(ChatDown("gone"))
        rests.append(rest(patience, clock))
    assert rests == [1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS, LONGEST_SECONDS]
    patience.good()
    patience.bad(ChatDown("gone"))
    assert rest(patience, clock) == 1


def test_calls_that_fail_together_count_once(clock: Clock) -> None:
    patience = Patience(clock)
    assert [patience.bad(ChatDown("gone")) for _ in range(4)] == [True, False, False, False]
    assert rest(patience, clock) == 1


def test_one_call_is_risked_after_a_rest(clock: Clock) -> None:
    patience = Patience(clock)
    assert patience.allowed(4) == 4
    patience.bad(ChatUnknown("lost"))
    assert patience.allowed(4) == 0
    rest(patience, clock)
    assert (patience.allowed(4), patience.why) == (1, "resting: lost")
    patience.good()
    assert (patience.allowed(4), patience.why) == (4, "")


@pytest.mark.parametrize("kind", [ChatBusy, ChatDown])
def test_what_the_endpoint_asks_for_is_kept(clock: Clock, kind: type[ChatBusy | ChatDown]) -> None:
    patience = Patience(clock)
    patience.bad(kind("later", 90.0))
    assert rest(patience, clock) == 90


def test_without_money_the_rest_does_not_grow(clock: Clock) -> None:
    patience = Patience(clock)
    for _ in range(3):
        patience.bad(CapReached("no more"))
        assert patience.why == "no money left"
        assert rest(patience, clock) == CAPPED_SECONDS


def test_a_rest_for_another_reason_is_told(clock: Clock) -> None:
    patience = Patience(clock)
    assert patience.bad(ChatDown("gone"))
    assert patience.bad(CapReached("no more"))
    assert not patience.bad(CapReached("no more"))


def test_a_refusal_is_of_its_request_until_everything_is_refused(clock: Clock) -> None:
    patience = Patience(clock)
    for _ in range(REFUSALS - 1):
        assert not patience.bad(ChatRefused("no"))
        assert (patience.allowed(4), patience.refuses_all) == (4, False)
    patience.good()
    for _ in range(REFUSALS):
        patience.bad(ChatRefused("no"))
    assert (patience.allowed(4), patience.refuses_all) == (0, True)
