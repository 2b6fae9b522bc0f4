"""Which questions are given up, and which are tried last, when calls come to nothing."""

from daemon.core.doubts import MOST_FAILURES, MOST_TRIES, Doubts


def test_a_failure_counts_once_for_each_time_that_something_else_went_well() -> None:
    doubts = Doubts()
    for _ in range(MOST_FAILURES - 1):
        assert not doubts.failed(1)
        assert not doubts.failed(1), "nothing went well since: this may be an outage"
        doubts.good()
    assert doubts.failed(1)


def test_it_is_given_up_in_any_case_after_many_tries() -> None:
    doubts = Doubts()
    assert [doubts.failed(1) for _ in range(MOST_TRIES)] == [False] * (MOST_TRIES - 1) + [True]


def test_an_outage_is_tried_on_one_question_after_the_other() -> None:
    doubts, asked = Doubts(), []
    for _ in range(7):
        asked.append(min((1, 2, 3), key=lambda one: (one in doubts.tried, one)))
        doubts.failed(asked[-1])
    assert asked == [1, 2, 3, 1, 2, 3, 1]
    doubts.good()
    assert doubts.tried == []


def test_what_ended_is_forgotten() -> None:
    doubts = Doubts()
    for _ in range(MOST_TRIES - 1):
        doubts.failed(1)
    doubts.forget(1)
    assert doubts.tried == []
    assert not doubts.failed(1)
