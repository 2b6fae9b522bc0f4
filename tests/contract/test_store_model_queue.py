"""Questions that language models answer: leased by one of many processes, paid by calls, passed on."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from decisions_for_tests import decision, silent
from rows_for_tests import add_annotator, add_items, add_question, all_rows, count

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.model_queue import ModelQueueRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import answers, budgets, questions, recheck, spend
from daemon.adapters.store.stream import StreamRoom
from daemon.core.call_rows import ModelVote
from daemon.core.errors import LeaseLost, UnknownReviewer
from daemon.core.rows import Compose, Decision, OpenItem

TIER = "llm"
MINUTE = 60.0
VOTE = ModelVote(label=1, probabilities=(0.25, 0.75), micros=7, seconds=0.5, trace="t1")


def asked(database: Database, *ids: str, tier: str = TIER, **changes: object) -> list[int]:
    add_items(database, ids)
    return [add_question(database, id_, tier, **changes) for id_ in ids]


def leased(room: ModelQueueRoom, annotator: int, count: int = 9) -> list[int]:
    return [lease.question for lease in room.lease(annotator, TIER, count, MINUTE)]


def states(database: Database) -> list[str]:
    return [row.state for row in all_rows(database, questions)]


def model(room: ModelQueueRoom, version: str = "v1", name: str = "llm/short") -> int:
    return room.enroll(name, version, TIER).id


def test_a_version_is_an_annotator_of_its_own(database: Database) -> None:
    room = ModelQueueRoom(database)
    first = model(room)
    assert model(room) == first
    assert len({first, model(room, "v2"), model(room, name="llm/long")}) == 3


def test_an_answer_costs_what_its_calls_did_and_takes_nothing_from_the_budget(database: Database) -> None:
    room = ModelQueueRoom(database)
    asked(database, "a")
    annotator = model(room)
    (question,) = leased(room, annotator)
    answer = room.answer(question, annotator, VOTE)
    (row,) = all_rows(database, answers)
    assert (row.id, row.cost, row.purpose, row.trace, row.seconds) == (answer, 7, "settle", "t1", 0.5)
    assert np.frombuffer(row.probabilities, "<f4").tolist() == [0.25, 0.75]
    assert np.frombuffer(row.labels, np.int8).tolist() == [1]
    assert states(database) == ["answered"]
    assert [row.item for row in all_rows(database, recheck)] == ["a"]
    assert (count(database, budgets), count(database, spend)) == (0, 0)
    (spending,) = ReportRoom(database, {}).overview().spending
    assert (spending.answers, spending.seconds) == (1, 0.5)


def test_questions_that_are_to_come_last_do(database: Database) -> None:
    room = ModelQueueRoom(database)
    first, second, third = (asked(database, id_, priority=9.0 - at)[0] for at, id_ in enumerate("abc"))
    annotator = model(room)

    def order(count: int, last: Sequence[int]) -> list[int]:
        leases = room.lease(annotator, TIER, count, MINUTE, last)
        room.give_back(leases)
        return [lease.question for lease in leases]

    assert order(9, []) == [first, second, third]
    assert order(9, [second, first]) == [third, first, second]
    assert order(1, [first]) == [second]
    assert order(1, [first, second, third]) == [first]


def test_processes_of_one_annotator_never_get_the_same_question(database: Database) -> None:
    asked(database, *(f"i{n:02}" for n in range(30)))
    annotator = model(ModelQueueRoom(database))
    ready = threading.Barrier(4)
    given: list[int] = []

    def work() -> None:
        room = ModelQueueRoom(database)
        ready.wait(timeout=30)
        for size in (1, 3, 5, 2):
            given.extend(leased(room, annotator, size))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(given) == len(set(given)) == 30


def test_a_lease_that_runs_out_goes_to_the_next_and_one_that_is_extended_does_not(
    database: Database, clock: MovableClock
) -> None:
    room = ModelQueueRoom(database)
    kept, dropped = asked(database, "a", "b")
    annotator = model(room)
    first, second = room.lease(annotator, TIER, 2, MINUTE)
    assert [first.question, second.question] == [kept, dropped]
    clock.advance(MINUTE - 1)
    room.extend([first], MINUTE)
    clock.advance(2)
    assert leased(room, annotator) == [dropped]


def test_what_is_given_back_is_leased_again_and_what_others_hold_is_not_touched(database: Database) -> None:
    room = ModelQueueRoom(database)
    first, second = asked(database, "a", "b")
    mine, other = model(room), model(room, "v2")
    held = room.lease(mine, TIER, 1, MINUTE)
    assert [lease.question for lease in held] == [first]
    assert leased(room, other, 1) == [second]
    room.give_back(held)
    assert states(database) == ["open", "leased"]
    assert leased(room, mine) == [first]


def test_who_slept_touches_no_later_lease_of_another_process_of_the_same_annotator(
    database: Database, clock: MovableClock
) -> None:
    asked(database, "a")
    sleeper, other = ModelQueueRoom(database), ModelQueueRoom(database)
    annotator = model(sleeper)
    slept = sleeper.lease(annotator, TIER, 1, MINUTE)
    clock.advance(MINUTE + 1)
    now_held = other.lease(annotator, TIER, 1, MINUTE)
    assert [lease.attempt for lease in (*slept, *now_held)] == [1, 2]
    sleeper.give_back(slept)
    assert states(database) == ["leased"]
    sleeper.extend(slept, 9 * MINUTE)
    clock.advance(MINUTE + 1)
    assert len(sleeper.lease(annotator, TIER, 1, MINUTE)) == 1, "not held for any longer"


def test_nobody_answers_an_item_twice(database: Database) -> None:
    room = ModelQueueRoom(database)
    first, second = (*asked(database, "a"), add_question(database, "a", TIER))
    mine, other = model(room), model(room, "v2")
    assert leased(room, mine) == [first], "one question an item at a time"
    room.answer(first, mine, VOTE)
    assert leased(room, mine) == []
    assert leased(room, other) == [second]
    with pytest.raises(LeaseLost, match="answered item 'a' already"):
        room.answer(second, mine, VOTE)


def test_a_repeated_answer_is_the_first_one(database: Database, clock: MovableClock) -> None:
    """Two processes of one annotator, one of which was away longer than its lease."""
    room = ModelQueueRoom(database)
    (question,) = asked(database, "a")
    annotator = model(room)
    leased(room, annotator)
    clock.advance(MINUTE + 1)
    assert leased(ModelQueueRoom(database), annotator) == [question]
    answer = room.answer(question, annotator, VOTE)
    assert room.answer(question, annotator, ModelVote(label=0, micros=9)) == answer
    assert [row.cost for row in all_rows(database, answers)] == [7]


def test_an_abstention_ends_the_question_for_good(database: Database) -> None:
    room = ModelQueueRoom(database)
    (question,) = asked(database, "a")
    annotator = model(room)
    leased(room, annotator)
    room.pass_on(question, annotator)
    assert states(database) == ["passed"]
    assert count(database, answers) == 0
    add_question(database, "a", TIER)
    assert leased(room, annotator) == [], "not this item again"
    assert len(leased(room, model(room, "v2"))) == 1


def test_deciders_are_told_who_passed_and_what_answers_cost(database: Database) -> None:
    room, stream = ModelQueueRoom(database), StreamRoom(database, {})
    passed, answered = asked(database, "a", "b")
    annotator = model(room)
    leased(room, annotator)
    room.pass_on(passed, annotator)
    room.answer(answered, annotator, VOTE)
    seen: list[tuple[str, Sequence[str], int, int]] = []

    def decide(found: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        seen.extend((one.id, list(one.passed), len(one.answers), one.cost) for one in found)
        return decision(len(found)), silent

    assert stream.work_rechecks(9, decide) == 2
    assert sorted(seen) == [("a", [TIER], 0, 0), ("b", [], 1, 7)]


@pytest.mark.parametrize("ended", ["answered", "cancelled", "passed"])
def test_what_has_ended_takes_no_answer(database: Database, ended: str) -> None:
    room = ModelQueueRoom(database)
    (question,) = asked(database, "a", state=ended)
    with pytest.raises(LeaseLost, match=ended):
        room.answer(question, model(room), VOTE)
    with pytest.raises(LeaseLost, match=ended):
        room.pass_on(question, model(room))


def test_models_and_people_keep_to_their_own(database: Database) -> None:
    room, people = ModelQueueRoom(database), QuestionRoom(database)
    ann = people.enroll("ann", "expert").id
    annotator = model(room)
    with pytest.raises(UnknownReviewer):
        room.lease(ann, "expert", 1, MINUTE)
    with pytest.raises(UnknownReviewer):
        room.lease(annotator, "expert", 1, MINUTE)
    with pytest.raises(UnknownReviewer):
        people.lease(annotator, TIER, 1, MINUTE)
    (question,) = asked(database, "a", tier="expert")
    with pytest.raises(LeaseLost, match="meant for somebody else"):
        room.answer(question, annotator, VOTE)


def test_what_waits_for_a_tier_without_money_is_routed_anew(database: Database, clock: MovableClock) -> None:
    room, stream = ModelQueueRoom(database), StreamRoom(database, {})
    asked(database, "a", "b")
    add_question(database, "a", TIER)
    asked(database, "c", tier="expert")
    leased(room, model(room), 1)
    stream.look_elsewhere(TIER)
    found: list[str] = []

    def decide(items: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        found.extend(item.id for item in items)
        return decision(len(items)), silent

    assert stream.work_rechecks(9, decide) == 0, "workers may not know yet that the money is gone"
    clock.advance(5)
    assert stream.work_rechecks(9, decide) == 2
    assert sorted(found) == ["a", "b"]


def test_answers_of_models_are_learned_from_but_are_no_news(database: Database) -> None:
    room, learning = ModelQueueRoom(database), LearningRoom(database)
    (question,) = asked(database, "a")
    annotator = model(room)
    leased(room, annotator)
    room.answer(question, annotator, VOTE)
    assert learning.news().answers == 0
    assert [(answer.kind, answer.label) for _, answer in learning.training_rows(9).answers] == [("llm", 1)]
    (other,) = asked(database, "b", tier="expert")
    people = QuestionRoom(database)
    people.answer(other, add_annotator(database, "ann"), 1, 1.0)
    assert learning.news().answers == 1


def test_a_question_passed_on_twice_is_passed_on_once(database: Database) -> None:
    """The first time was committed, and the database went away before it could say so."""
    room = ModelQueueRoom(database)
    (question,) = asked(database, "a")
    annotator, other = model(room), model(room, "v2")
    leased(room, annotator)
    room.pass_on(question, annotator)
    room.pass_on(question, annotator)
    assert states(database) == ["passed"]
    assert count(database, recheck) == 1
    with pytest.raises(LeaseLost):
        room.pass_on(question, other)
