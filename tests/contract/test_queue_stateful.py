"""Whatever people do in whatever order, no slot is filled twice and the books agree; on both databases."""

from collections import Counter

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from rows_for_tests import add_items, add_question, all_rows
from sqlalchemy import delete

from daemon.adapters.store.codec import label_of
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import answers, budgets, metadata, questions, spend
from daemon.core.errors import LeaseLost

ITEMS = ("a", "b", "c", "d")
PEOPLE = (("ann", "crowd"), ("bob", "crowd"), ("eve", "crowd"), ("ann", "expert"), ("dee", "expert"))
LEASE_SECONDS = 60

WHO = st.sampled_from(PEOPLE)


class Queue(RuleBasedStateMachine):
    """People at a queue; beside the tables it keeps what they were told."""

    database: Database
    clock: MovableClock

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[int, str] = {}
        self.passed: set[tuple[str, str]] = set()
        self.told: dict[int, tuple[tuple[str, str], int]] = {}
        self.held: dict[int, tuple[tuple[str, str], int]] = {}

    @initialize()
    def open(self) -> None:
        with self.database.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
        self.room = QuestionRoom(self.database)
        self.ids = {who: self.room.enroll(*who).id for who in PEOPLE}
        self.people = {id_: who for who, id_ in self.ids.items()}
        add_items(self.database, ITEMS)

    @rule(
        item=st.sampled_from(ITEMS),
        tier=st.sampled_from(["crowd", "expert"]),
        purpose=st.sampled_from(["settle", "learn", "audit", "gold"]),
        price=st.sampled_from([0, 5, 70]),
        priority=st.sampled_from([0.0, 1.0, 2.0]),
    )
    def ask(self, item: str, tier: str, purpose: str, price: int, priority: float) -> None:
        question = add_question(self.database, item, tier, purpose, price, priority=priority)
        self.asked[question] = item

    @rule(who=WHO, count=st.integers(1, 3))
    def lease(self, who: tuple[str, str], count: int) -> None:
        leases = self.room.lease(self.ids[who], who[1], count, LEASE_SECONDS)
        assert len({lease.item for lease in leases}) == len(leases) <= count
        for lease in leases:
            holder, until = self.held.get(lease.question, (who, 0))
            assert holder == who or until <= self.now()
            assert lease.question not in self.told
            if lease.question not in self.held or holder != who:
                assert (who[0], lease.item) not in self.passed
                assert (who[0], lease.item) not in {
                    (by[0], self.asked[q]) for q, (by, _) in self.told.items()
                }
            self.held[lease.question] = who, lease.until

    @rule(who=WHO, place=st.integers(0, 30), label=st.integers(0, 1))
    def answer(self, who: tuple[str, str], place: int, label: int) -> None:
        if not self.asked:
            return
        question = list(self.asked)[place % len(self.asked)]
        before = self.told.get(question)
        try:
            self.room.answer(question, self.ids[who], label, 1.0)
        except LeaseLost:
            return
        assert before in (None, (who, label))
        holder, until = self.held.pop(question, (who, 0))
        assert holder == who or until <= self.now()
        self.told[question] = who, label

    @rule(who=WHO, place=st.integers(0, 30))
    def skip(self, who: tuple[str, str], place: int) -> None:
        if self.asked:
            question = list(self.asked)[place % len(self.asked)]
            self.room.skip(question, self.ids[who])
            self.passed.add((who[0], self.asked[question]))
            if self.held.get(question, (None, 0))[0] == who:
                del self.held[question]

    @rule(who=WHO)
    def undo(self, who: tuple[str, str]) -> None:
        lease = self.room.undo(self.ids[who], LEASE_SECONDS)
        mine = [question for question, (by, _) in self.told.items() if by == who]
        assert (lease is None) == (not mine)
        if lease is not None:
            assert lease.question in mine
            del self.told[lease.question]
            self.held[lease.question] = who, lease.until

    @rule(seconds=st.sampled_from([1, 20, 61]))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)

    def now(self) -> int:
        with self.database.read() as connection:
            return self.database.now(connection)

    @invariant()
    def what_was_told_stands(self) -> None:
        standing = all_rows(self.database, answers, answers.c.retracted_at.is_(None))
        found = {row.question: (self.people[row.annotator], label_of(row.labels)) for row in standing}
        assert found == self.told
        assert len(standing) == len(found), "a slot has two answers"
        states = {row.id: row.state for row in all_rows(self.database, questions)}
        assert {id_ for id_, state in states.items() if state == "answered"} == set(self.told)

    @invariant()
    def nobody_answers_an_item_twice(self) -> None:
        given = Counter((who[0], self.asked[question]) for question, (who, _) in self.told.items())
        assert max(given.values(), default=0) <= 1

    @invariant()
    def the_books_agree(self) -> None:
        lines = all_rows(self.database, spend)
        days = all_rows(self.database, budgets)
        for state, column in (("reserved", "reserved"), ("spent", "spent")):
            booked = sum(row.micros for row in lines if row.state == state)
            assert booked == sum(getattr(row, column) for row in days), state
        paid = sum(row.cost for row in all_rows(self.database, answers, answers.c.retracted_at.is_(None)))
        assert paid == sum(row.micros for row in lines if row.state == "spent")
        reserved = Counter(row.question for row in lines if row.state == "reserved")
        wanted = {
            row.id
            for row in all_rows(self.database, questions)
            if row.state == "leased" or (row.state == "open" and row.purpose in ("audit", "gold"))
        }
        assert reserved == Counter(wanted)


def test_the_queue_in_any_order(database: Database, clock: MovableClock) -> None:
    machine = type("OnThisDatabase", (Queue,), {"database": database, "clock": clock})
    examples = 40 if database.is_sqlite else 25
    run_state_machine_as_test(
        machine, settings=hypothesis.settings(max_examples=examples, stateful_step_count=30)
    )
