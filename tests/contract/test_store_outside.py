"""Questions held for people who answer in another program: money, repeats, refusals, and positions."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows, count

from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.controls import Controls
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.outside import OutsideRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import annotators, answers, budgets, outbox, questions, recheck, spend
from daemon.adapters.store.spending import spending
from daemon.adapters.store.stream import StreamRoom
from daemon.core.control_settings import ControlSettings
from daemon.core.errors import FenceLost, UnknownReviewer
from daemon.core.outside import OutsideVote, Verdict
from daemon.core.rows import Lease
from daemon.core.wire import LogStart, OutMessage, Span

TIER = "crowd"
HOUR = 3_600.0


def asked(database: Database, *ids: str, tier: str = TIER, **changes: object) -> list[int]:
    add_items(database, ids)
    return [add_question(database, id_, tier, **changes) for id_ in ids]  # type: ignore[arg-type]


def room_of(database: Database, cap: int | None = None) -> OutsideRoom:
    return OutsideRoom(database, [TIER], Allowances({TIER: cap}))


def vote(question: int, name: str = "ann", label: int = 1, **more: object) -> OutsideVote:
    return OutsideVote(question, name, label, **more)  # type: ignore[arg-type]


def states(database: Database) -> list[str]:
    return [row.state for row in all_rows(database, questions)]


def test_what_is_held_takes_its_money_and_gives_it_back_when_nobody_answers(
    database: Database, clock: MovableClock
) -> None:
    asked(database, "a", "b", "c", price=5)
    room = room_of(database, cap=12)
    queue = room.enroll(TIER)
    assert len(room.hold(queue, TIER, 10, HOUR)) == 2, "the third cannot be paid"
    assert [row.reserved for row in all_rows(database, budgets)] == [10]
    assert {lease.item for lease in room.held(queue)} == {"a", "b"}
    assert {lease.attempt for lease in room.held(queue)} == {1}
    clock.advance(HOUR + 1)
    assert room.held(queue) == []
    again = room.hold(queue, TIER, 10, HOUR)
    assert {lease.key for lease in again} == {lease.key for lease in room.held(queue)}
    assert {lease.attempt for lease in again} == {2}
    assert [row.reserved for row in all_rows(database, budgets)] == [10]


def test_no_more_are_held_than_are_wanted_and_each_item_once(database: Database) -> None:
    asked(database, "a", "b")
    add_question(database, "a", TIER)
    room = room_of(database)
    queue = room.enroll(TIER)
    assert len(room.hold(queue, TIER, 1, HOUR)) == 1
    assert len(room.hold(queue, TIER, 9, HOUR)) == 1, "the second question about an item waits"
    assert room.hold(queue, TIER, 9, HOUR) == []


def test_an_answer_is_of_a_person_paid_and_looked_at(database: Database) -> None:
    (question,) = asked(database, "a", price=5)
    room = room_of(database)
    room.hold(room.enroll(TIER), TIER, 1, HOUR)
    said = vote(question, seconds=2.5, probabilities=(0.25, 0.75), external="kafka:1")
    assert room.take([said]) == [Verdict.TAKEN]
    (row,) = all_rows(database, answers)
    assert (row.item, row.purpose, row.cost, row.seconds, row.external) == ("a", "settle", 5, 2.5, "kafka:1")
    assert np.frombuffer(row.labels, np.int8).tolist() == [1]
    assert np.frombuffer(row.probabilities, "<f4").tolist() == [0.25, 0.75]
    (person,) = all_rows(database, annotators, annotators.c.id == row.annotator)
    assert (person.kind, person.name, person.tier) == ("person", "ann", TIER)
    assert [(row.state, row.micros) for row in all_rows(database, spend)] == [("spent", 5)]
    assert [row.item for row in all_rows(database, recheck)] == ["a"]
    assert states(database) == ["answered"]


def test_a_repeated_vote_changes_nothing(database: Database) -> None:
    (question,) = asked(database, "a", price=5)
    room = room_of(database)
    room.hold(room.enroll(TIER), TIER, 1, HOUR)
    assert room.take([vote(question), vote(question)]) == [Verdict.TAKEN, Verdict.REPEATED]
    assert room.take([vote(question)]) == [Verdict.REPEATED]
    assert (count(database, answers), count(database, recheck), count(database, spend)) == (1, 1, 1)


def test_a_key_from_outside_is_taken_once_whatever_comes_with_it(database: Database) -> None:
    first, second = asked(database, "a", "b")
    room = room_of(database)
    assert room.take([vote(first, external="x")]) == [Verdict.TAKEN]
    assert room.take([vote(second, external="x"), vote(second, "bob")]) == [Verdict.REPEATED, Verdict.TAKEN]


def test_nobody_answers_an_item_twice_under_any_tier(database: Database) -> None:
    add_items(database, ["a"])
    here, there, third = (add_question(database, "a", tier) for tier in (TIER, "expert", TIER))
    reviewers = QuestionRoom(database)
    ann = reviewers.enroll("ann", "expert")
    reviewers.lease(ann.id, "expert", 1, HOUR)
    reviewers.answer(there, ann.id, 0, 1.0)
    room = room_of(database)
    assert room.take([vote(here)]) == [Verdict.ANSWERED_ALREADY]
    assert room.take([vote(here, "bob"), vote(third, "bob"), vote(third, "cy")]) == [
        Verdict.TAKEN,
        Verdict.ANSWERED_ALREADY,
        Verdict.TAKEN,
    ]


def test_votes_that_can_never_be_taken_say_why(database: Database) -> None:
    gone, meant, elsewhere = asked(database, "a", "b", "c")
    (other,) = asked(database, "d", tier="expert")
    somebody = add_annotator(database, "zoe", TIER)
    with database.write() as connection:
        update = questions.update()
        connection.execute(update.where(questions.c.id == gone).values(state="cancelled"))
        connection.execute(update.where(questions.c.id == meant).values(reserved_for=somebody))
        until = database.now(connection) + 60_000
        leased = {"state": "leased", "holder": somebody, "leased_until": until}
        connection.execute(update.where(questions.c.id == elsewhere).values(**leased))
    room = room_of(database)
    votes = [vote(gone), vote(meant), vote(elsewhere), vote(other), vote(999)]
    assert room.take(votes) == [
        Verdict.NOT_OPEN,
        Verdict.RESERVED,
        Verdict.NOT_OPEN,
        Verdict.UNKNOWN_QUESTION,
        Verdict.UNKNOWN_QUESTION,
    ]
    assert count(database, answers) == 0
    assert room.take([vote(meant, "zoe")]) == [Verdict.TAKEN]


def test_a_late_answer_counts_and_is_paid_while_its_question_is_open(
    database: Database, clock: MovableClock
) -> None:
    (question,) = asked(database, "a", price=5)
    room = room_of(database)
    queue = room.enroll(TIER)
    room.hold(queue, TIER, 1, HOUR)
    room.release(queue, [question])
    assert [(row.reserved, row.spent) for row in all_rows(database, budgets)] == [(0, 0)]
    clock.advance(2 * HOUR)
    assert room.take([vote(question)]) == [Verdict.TAKEN]
    assert [(row.reserved, row.spent) for row in all_rows(database, budgets)] == [(0, 5)]


def test_votes_positions_and_refusals_are_one_transaction(database: Database) -> None:
    (question,) = asked(database, "a")
    room = room_of(database)
    StreamRoom(database, {}).locate([LogStart("t1", "votes", 0, 0)])

    def refuse(verdicts: Sequence[Verdict]) -> list[OutMessage]:
        return [OutMessage("dead", 0, None, one.value.encode()) for one in verdicts if one != Verdict.TAKEN]

    span = Span("t1", "votes", 0, 0, 2)
    room.take([vote(question), vote(7)], [span], refuse)
    assert (count(database, answers), count(database, outbox)) == (1, 1)
    with pytest.raises(FenceLost):
        room.take([vote(question, "bob")], [span], refuse)
    assert (count(database, answers), count(database, outbox), count(database, annotators)) == (1, 1, 1)


def test_what_is_held_is_told_of_in_the_same_transaction(database: Database) -> None:
    asked(database, "a", "b")
    room = room_of(database)
    queue = room.enroll(TIER)
    told: list[str] = []

    def announce(leases: Sequence[Lease]) -> list[OutMessage]:
        told.extend(lease.item for lease in leases)
        return [OutMessage("questions", 0, None, b"?")]

    room.hold(queue, TIER, 9, HOUR, announce)
    room.hold(queue, TIER, 9, HOUR, announce)
    assert told == ["a", "b"]
    assert count(database, outbox) == 1


def test_nothing_is_taken_from_who_is_paused_in_the_tier(database: Database) -> None:
    (question,) = asked(database, "a")
    with database.write() as connection:
        row = {"kind": "person", "name": "ann", "version": TIER, "tier": TIER, "state": "paused"}
        connection.execute(annotators.insert().values(row))
    room = room_of(database)
    assert room.take([vote(question), vote(question, "bob")]) == [Verdict.PAUSED, Verdict.TAKEN]


def test_who_has_answered_an_item_is_named_under_any_tier(database: Database) -> None:
    asked(database, "a", "b", "c")
    ann, bob = add_annotator(database, "ann", "expert"), add_annotator(database, "bob", TIER)
    add_answer(database, "a", ann, 0)
    add_answer(database, "a", bob, 1)
    add_answer(database, "b", bob, 1)
    with database.write() as connection:
        connection.execute(answers.update().where(answers.c.item == "b").values(retracted_at=1))
    assert room_of(database).answered_by(["a", "b", "c"]) == {"a": {"ann", "bob"}}
    assert room_of(database).answered_by(["c"]) == {}


def test_who_is_paused_in_the_tier_is_named(database: Database) -> None:
    for name, tier, state in (("ann", TIER, "paused"), ("bob", TIER, "active"), ("cy", "expert", "paused")):
        with database.write() as connection:
            row = {"kind": "person", "name": name, "version": tier, "tier": tier, "state": state}
            connection.execute(annotators.insert().values(row))
    assert room_of(database).paused(TIER) == {"ann"}


def test_an_answer_that_names_no_label_leaves_its_question_open(database: Database) -> None:
    (question,) = asked(database, "a", price=5)
    room = room_of(database)
    room.hold(room.enroll(TIER), TIER, 1, HOUR)
    nothing = OutsideVote(question, "ann", None, external="x")
    assert room.take([nothing]) == [Verdict.UNREADABLE]
    assert room.take([vote(question, "bob")]) == [Verdict.TAKEN]


def test_what_is_refused_is_paid_once_where_all_are_and_its_question_asked_anew(database: Database) -> None:
    (question,) = asked(database, "a", price=5)
    add_answer(database, "a", add_annotator(database, "ann", "expert"), 0)
    room = OutsideRoom(database, [TIER], Allowances({TIER: 12}), pays_all=True)
    queue = room.enroll(TIER)
    room.hold(queue, TIER, 1, HOUR)
    again = vote(question, external="x")
    assert room.take([again]) == [Verdict.ANSWERED_ALREADY]
    assert room.take([again]) == [Verdict.REPEATED]
    assert [(row.reserved, row.spent) for row in all_rows(database, budgets)] == [(0, 5)]
    assert states(database) == ["open"]
    assert len(room.hold(queue, TIER, 1, HOUR)) == 1
    assert room.take([vote(question, "bob", external="y")]) == [Verdict.TAKEN]
    assert room.take([vote(question, "cy", external="z")]) == [Verdict.NOT_OPEN]
    assert [(row.reserved, row.spent) for row in all_rows(database, budgets)] == [(0, 15)]
    assert room.take([vote(999, "cy", external="w")]) == [Verdict.UNKNOWN_QUESTION]


def test_what_is_paid_in_vain_is_money_of_the_tier_and_no_answer(database: Database) -> None:
    (question,) = asked(database, "a", price=5)
    room = OutsideRoom(database, [TIER], pays_all=True)
    room.take([OutsideVote(question, "ann", None, external="x"), vote(question, "bob", external="y")])
    with database.read() as connection:
        (money,) = spending(connection, {}, database.now(connection))
    assert (money.answers, money.spent, money.today_spent) == (1, 10, 10)


def test_an_answer_taken_back_gives_its_own_money_back(database: Database) -> None:
    (question,) = asked(database, "a", price=5)
    room = OutsideRoom(database, [TIER], pays_all=True)
    room.take([OutsideVote(question, "ann", None, external="x"), vote(question, "bob", external="y")])
    (row,) = all_rows(database, answers)
    QuestionRoom(database).undo(row.annotator, HOUR)
    assert [(row.reserved, row.spent) for row in all_rows(database, budgets)] == [(5, 5)]


def test_who_clicks_without_reading_is_paused_where_the_tier_wants_it(database: Database) -> None:
    ids = asked(database, *(f"i{n:03}" for n in range(220)))
    rules = Controls({TIER: ControlSettings(pause_clicking=True)})
    room = OutsideRoom(database, [TIER], controls=rules)
    careful = [vote(id_, f"p{at % 3}", at % 2, seconds=20.0 + at % 7) for at, id_ in enumerate(ids[:150])]
    room.take(careful)
    assert room.paused(TIER) == frozenset()
    found = [room.take([vote(id_, "hasty", seconds=0.2)])[0] for id_ in ids[150:]]
    assert room.paused(TIER) == {"hasty"}
    assert found.count(Verdict.PAUSED) > 20
    assert Verdict.PAUSED not in [room.take([again])[0] for again in careful]


def test_a_queue_that_is_not_enrolled_holds_nothing(database: Database) -> None:
    with pytest.raises(UnknownReviewer):
        room_of(database).hold(add_annotator(database, "ann", TIER), TIER, 1, HOUR)


def test_many_processes_take_each_vote_once(database: Database) -> None:
    ids = asked(database, *(f"i{n:02}" for n in range(40)), price=3)
    room_of(database).hold(room_of(database).enroll(TIER), TIER, 30, HOUR)
    ready = threading.Barrier(4)
    found: list[Verdict] = []

    def work(turn: int) -> None:
        room = room_of(database)
        mixed = ids if turn % 2 else ids[::-1]
        ready.wait(timeout=30)
        for first in range(0, 40, 8):
            votes = [vote(id_, f"p{turn}", external=f"{id_}") for id_ in mixed[first : first + 8]]
            found.extend(room.take(votes))

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found.count(Verdict.TAKEN) == 40
    assert len(found) == 160
    assert set(found) <= {Verdict.TAKEN, Verdict.REPEATED, Verdict.NOT_OPEN}
    assert [(row.reserved, row.spent) for row in all_rows(database, budgets)] == [(0, 120)]
