"""Questions on their way to people and back: leases on the database's clock, answers, skips, undo.

Everybody locks in one order: the reviewer, the window, the question, then money. SQLite has one writer at
a time; on PostgreSQL a lease passes over questions that another transaction holds, so that it may hold money
before it looks for them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from daemon.adapters.store import annotating, budget, flagging, leasing, telling
from daemon.adapters.store.allowance import UNLIMITED, Allowances
from daemon.adapters.store.asking import recheck_item, recheck_items
from daemon.adapters.store.bulk import together, upsert
from daemon.adapters.store.codec import label_bytes, said_columns, said_in
from daemon.adapters.store.controls import Controls, last_answered, retract
from daemon.adapters.store.engine import Database
from daemon.adapters.store.holding import (
    already_held,
    check_free,
    check_meant_for,
    held_by,
    hold_active,
    hold_reviewer,
    room_today,
)
from daemon.adapters.store.schema import answers, questions, skips, windows
from daemon.core.errors import LeaseLost
from daemon.core.rows import Lease, Person
from daemon.core.states import BLIND_PURPOSES, AnnotatorKind, Purpose, QuestionState, WindowState

OPEN, LEASED, ANSWERED = QuestionState.OPEN.value, QuestionState.LEASED.value, QuestionState.ANSWERED.value
BLIND = frozenset(BLIND_PURPOSES)
NO_LIMITS: Mapping[str, int] = {}

LOOK_MS = 500
"""Between two looks for leases that have run out."""


class QuestionRoom:
    """`daemon.core.ports.QuestionStore` on SQLite or PostgreSQL."""

    def __init__(
        self,
        database: Database,
        allowances: Allowances = UNLIMITED,
        n_facets: int = 1,
        controls: Controls | None = None,
        capacities: Mapping[str, int] = NO_LIMITS,
        hints: leasing.Hints = leasing.NO_HINTS,
    ) -> None:
        """Make one.

        Args:
            allowances: what may be spent by now on questions that are paid for when they are leased.
            n_facets: bytes of a label: 1, or the number of classes of a multilabel task.
            controls: questions whose answer is known; none if not given.
            capacities: tier -> answers that are taken of one person in a day (UTC).
            hints: what people of which tiers see besides the item.
        """
        self._database = database
        self._allowances = allowances
        self._n_facets = n_facets
        self._controls = controls or Controls()
        self._capacities = capacities
        self._hints = hints
        self._looked: dict[str, int] = {}

    def enroll(self, name: str, tier: str) -> Person:
        """Register a reviewer of a tier, or find them.

        Somebody who reviews in two tiers is two annotators, so that no answer ever changes its tier; the
        promise that nobody gets an item twice goes by the name.
        """
        with self._database.write() as connection:
            (id_,) = annotating.register(connection, [(AnnotatorKind.PERSON, name, tier, tier)])
        return Person(id_, name, tier)

    def lease(self, person: int, tier: str, count: int, seconds: float) -> list[Lease]:
        """Up to `count` questions of the tier, best first, held by this person until then.

        Best is the highest priority, then the lowest id; the router puts audits and gold draws above
        everything else. Those that the person already holds come first, with a new lease. What is not an
        audit takes its money now, and is passed over while the day's allowance does not reach that far.
        Control questions are among them as the tier's settings say, while there are others.

        Raises:
            UnknownReviewer: nobody of this id is enrolled in this tier.
            ReviewerPaused: they get none, or none any more today.
        """
        with self._database.write() as connection:
            reviewer = hold_active(connection, person, tier)
            mine, now = reviewer.everybody, self._database.by_clock(reviewer.seen)
            if (capacity := self._capacities.get(tier)) is not None:
                count = min(count, room_today(connection, person, capacity, now))
            held = already_held(connection, person, tier, count)
            self._free_expired(connection, tier, now, kept=[row.id for row in held])
            left = self._allowances.lock(connection, tier, now)
            taken = leasing.best_free(connection, tier, mine, count - len(held), left)
            taken = self._controls.mixed(connection, tier, person, mine, taken, now)
            paid_now = [leasing.booking(row) for row in taken if row.purpose not in budget.PAID_WHEN_MADE]
            until = now + round(seconds * 1000)
            given = [*held, *taken]
            leases = leasing.coming(connection, given, until, self._hints)
            with together(connection):
                leasing.mark(connection, given, person, until)
                # last: whoever else leases or answers in this tier waits until this transaction ends
                budget.reserve_leased(connection, tier, paid_now, now)
        self._controls.renew(self._database)
        return leases

    def _free_expired(self, connection: Connection, tier: str, now: int, kept: Sequence[int]) -> None:
        """Not with every lease: expired ones may be back in the queue half a second later."""
        if not 0 <= now - self._looked.get(tier, -LOOK_MS) < LOOK_MS:
            leasing.free_expired(connection, tier, now, kept)
            self._looked[tier] = now

    def unpaid(self, tier: str) -> int:
        """Open questions of the tier that must wait until its budget allows them."""
        with self._database.read() as connection:
            left = self._allowances.left(connection, tier, self._database.now(connection))
            beyond = leasing.beyond(left)
            which = questions.c.tier == tier, questions.c.state == OPEN, or_(false(), *beyond)
            return int(connection.execute(select(func.count()).where(*which)).scalar_one()) if beyond else 0

    def answer(
        self,
        question: int,
        person: int,
        label: int,
        seconds: float,
        probabilities: Sequence[float] | None = None,
    ) -> int:
        """Record, pay and ask for a recheck; id of the answer, or of a control question.

        Repeating the same answer returns the same id.

        Raises:
            LeaseLost: the question is not there for this person any more.
            UnknownReviewer: nobody has this id.
            ReviewerPaused: nothing is taken from them.
        """
        with self._database.write() as connection:
            reviewer = hold_active(connection, person)
            now = self._database.by_clock(reviewer.seen)
            row = leasing.lock_question(connection, question)
            if row.purpose == Purpose.CONTROL.value:
                labels = label_bytes(label, self._n_facets)
                self._controls.record(connection, row, person, labels, seconds, now)
                return question
            known = leasing.standing(connection, row.item, reviewer.everybody)
            given = said_columns(label, probabilities, self._n_facets)
            if known is not None:
                if (known.question, known.annotator, said_in(known)) == (question, person, given):
                    return int(known.id)
                raise LeaseLost(f"this reviewer has answered item {row.item!r} already; undo comes first")
            check_free(row, person, reviewer.tier, now)
            payment = budget.spent(connection, leasing.booking(row), person, seconds, now)
            answer = _record(connection, row, person, given, payment.micros, seconds, now)
            self._controls.look(connection, row.tier, person, answer, now)
            with together(connection):
                ended = {"state": ANSWERED, "holder": None, "leased_until": None, "closed": now}
                leasing.change(connection, [row.id], **ended)
                recheck_item(connection, row.item, "answer")
                telling.answered(connection, answer, now)
                # last: whoever else leases or answers in this tier waits until this transaction ends
                budget.settle(connection, payment)
            return answer

    def skip(self, question: int, person: int) -> None:
        """Pass the question on to somebody else.

        Raises:
            LeaseLost: there is no such question.
            UnknownReviewer: nobody has this id.
        """
        with self._database.write() as connection:
            hold_reviewer(connection, person)
            row = leasing.lock_question(connection, question)
            connection.execute(
                upsert(connection, skips, ["question", "annotator"], []),
                {"question": question, "annotator": person},
            )
            if row.state == LEASED and row.holder == person:
                leasing.free(connection, [row])

    def flag(self, question: int, person: int, note: str) -> None:
        """The person wants the item to go up a tier; who flagged it never gets it again.

        Raises:
            LeaseLost: there is no such question, or it is another tier's.
            UnknownReviewer: nobody has this id.
        """
        with self._database.write() as connection:
            reviewer = hold_reviewer(connection, person)
            row = leasing.lock_question(connection, question)
            check_meant_for(row, person, reviewer.tier)
            flagging.flag(connection, row, person, note, self._database.now(connection))

    def undo(self, person: int, seconds: float, question: int | None = None) -> Lease | None:
        """Retract the person's last answer and lease its question again; None if there is none to undo.

        With `question`, only an answer to this one is retracted: a repeated call returns the same lease.
        An answer that a closed window or a settled entry of the ledger rests on stands.

        Raises:
            UnknownReviewer: nobody has this id.
        """
        with self._database.write() as connection:
            hold_reviewer(connection, person)
            until = self._database.now(connection) + round(seconds * 1000)
            last = _last_answer(connection, person)
            known = last_answered(connection, person)
            if known is not None and (last is None or known.at >= last.at):
                last = known
            if question is not None and (last is None or last.question != question):
                held = held_by(connection, question, person)
                return None if held is None else self._again(connection, held, person, until)
            if last is None or (last is not known and _rested_on(connection, last)):
                return None
            row = leasing.lock_question(connection, last.question)
            if last is known:
                retract(connection, row.id)
                return self._again(connection, row, person, until)
            _retract(connection, last, self._database.now(connection))
            return self._again(connection, row, person, until)

    def _again(self, connection: Connection, row: Row[Any], person: int, until: int) -> Lease:
        return leasing.give(connection, [row], person, until, self._hints)[0]


def _record(
    connection: Connection,
    row: Row[Any],
    person: int,
    given: Mapping[str, bytes | None],
    cost: int,
    seconds: float,
    now: int,
) -> int:
    values = {
        "item": row.item,
        "annotator": person,
        "question": row.id,
        "purpose": row.purpose,
        "seconds": seconds,
        "cost": cost,
        "at": now,
    }
    return int(connection.execute(_MADE, {**values, **given}).scalar_one())


_MADE = insert(answers).returning(answers.c.id)


def _last_answer(connection: Connection, person: int) -> Row[Any] | None:
    last = select(func.max(answers.c.id)).where(
        answers.c.annotator == person, answers.c.retracted_at.is_(None), answers.c.question.is_not(None)
    )
    return connection.execute(select(answers).where(answers.c.id == last.scalar_subquery())).one_or_none()


def _rested_on(connection: Connection, answer: Row[Any]) -> bool:
    """Whether a window closed on this answer, or the ledger settled on it."""
    # Shared lock: who is about to close or settle waits for the undo, or the undo sees it done.
    window = select(questions.c.window).where(questions.c.id == answer.question).scalar_subquery()
    query = select(windows.c.state, windows.c.outgoing_open).where(windows.c.id == window)
    row = connection.execute(query.with_for_update(read=True)).one_or_none()
    if row is None:
        return False
    if answer.purpose == Purpose.OUTGOING.value:
        return not row.outgoing_open
    return bool(row.state == WindowState.CLOSED.value)


def _retract(connection: Connection, answer: Row[Any], now: int) -> None:
    connection.execute(update(answers).where(answers.c.id == answer.id).values(retracted_at=now))
    budget.unpay(connection, answer.question)
    recheck_items(connection, [answer.item], "undo")
