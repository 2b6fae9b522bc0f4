"""What the reader says of calls to the model; the run itself is in `test_chaos`."""

import pytest
from reader import Found, Sent, calls_are_paid_once

MADE = [(1, "a", "spent"), (2, "b", "lost"), (3, "b", "spent")]
ANSWERS, SPOILED = {"a": 1, "b": 1}, {"b": 1}


def found(made: list[tuple[int, str, str]], cut: frozenset[int] = frozenset(), **more: int) -> Found:
    sent = Sent(set(), set(), [], {}, 0.05, {**ANSWERS, **more}, SPOILED, cut)
    return Found(sent, {}, {}, [], {}, [], [], made, [], {}, [], [])


def test_an_answer_that_nobody_could_read_is_paid_for_again() -> None:
    assert calls_are_paid_once(found(MADE)) == []


@pytest.mark.parametrize(
    ("made", "answers", "said"),
    [
        ([*MADE, (4, "a", "spent")], 2, "1 items whose answer was paid again: a"),
        ([*MADE, (4, "a", "lost")], 2, "1 items whose answer came and was lost: a"),
        ([*MADE, (4, "a", "reserved")], 1, "1 items with calls that the model never saw: a"),
        (MADE, 2, "1 items with calls that are not booked: a"),
    ],
)
def test_a_second_call_is_told(made: list[tuple[int, str, str]], answers: int, said: str) -> None:
    assert said in calls_are_paid_once(found(made, a=answers))


def test_a_call_that_a_fault_cut_off_excuses_itself_and_no_other() -> None:
    late, killed = [*MADE, (4, "a", "spent")], [*MADE, (4, "a", "reserved")]
    assert calls_are_paid_once(found(late, frozenset({1}), a=2)) == []
    assert calls_are_paid_once(found(killed, frozenset({4}), a=2)) == []
    assert calls_are_paid_once(found(killed, frozenset({4}), a=1)) == [], "killed before it was sent"
    assert calls_are_paid_once(found([*late, (5, "a", "spent")], frozenset({1}), a=3)) != []
