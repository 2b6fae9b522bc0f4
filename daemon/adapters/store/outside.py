"""Questions held for people who answer in another program, and their answers.

Locks are taken in the order of `questions`: positions, annotators, questions, then money, each kind sorted.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from daemon.adapters.store import annotating, arrivals, budget, leasing, outbox, telling
from daemon.adapters.store.allowance import UNLIMITED, Allowances
from daemon.adapters.store.asking import recheck_items
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import said_columns, said_in
from daemon.adapters.store.engine import Database
from daemon.adapters.store.leasing import LEASED, OPEN
from daemon.adapters.store.schema import annotators, answers, questions, spend
from daemon.core.errors import UnknownReviewer
from daemon.core.outside import LOST, Announce, OutsideVote, Refuse, Verdict
from daemon.core.rows import Lease
from daemon.core.states import AnnotatorKind, PersonState, QuestionState
from daemon.core.wire import Span


class OutsideRoom:
    """`daemon.core.outside.OutsideStore` on SQLite or PostgreSQL."""

    def __init__(
        self,
        database: Database,
        tiers: Collection[str],
        allowances: Allowances = UNLIMITED,
        n_facets: int = 1,
        pays_all: bool = False,
    ) -> None:
        """Make one.

        Args:
            tiers: whose questions may be answered here.
            allowances: what may be spent by now on questions that are paid for when they are held.
            n_facets: bytes of a label: 1, or the number of classes of a multilabel task.
            pays_all: whether answers that are not taken are paid as well, each once. Its question is then
                put back into the queue, so that it is held again only as far as money goes.
        """
        self._database = database
        self._tiers = frozenset(tiers)
        self._allowances = allowances
        self._n_facets = n_facets
        self._pays_all = pays_all

    def enroll(self, tier: str) -> int:
        """Id of the annotator that stands for the tier's queue."""
        with self._database.write() as connection:
            return annotating.register(connection, [(AnnotatorKind.QUEUE, tier, "", tier)])[0]

    def hold(
        self, queue: int, tier: str, most: int, seconds: float, announce: Announce = lambda _: ()
    ) -> list[Lease]:
        """Hold further questions, best first, until there are `most`; those that are new.

        Raises:
            UnknownReviewer: no queue of this id is enrolled in this tier.
        """
        with self._database.write() as connection:
            _hold_queue(connection, queue, tier)
            now = self._database.now(connection)
            leasing.free_expired(connection, tier, now)
            wanted = most - _count_held(connection, queue)
            if wanted <= 0:
                return []
            left = self._allowances.lock(connection, tier, now)
            taken = leasing.best_free(connection, tier, [queue], wanted, left)
            paid_now = [leasing.booking(row) for row in taken if row.purpose not in budget.PAID_WHEN_MADE]
            budget.reserve_leased(connection, tier, paid_now, now)
            leases = leasing.give(connection, taken, queue, now + round(seconds * 1000))
            outbox.put(connection, announce(leases) if leases else ())
            return leases

    def held(self, queue: int) -> list[Lease]:
        """All that is held now, best first."""
        with self._database.read() as connection:
            now = self._database.now(connection)
            query = select(questions).where(
                questions.c.holder == queue, questions.c.state == LEASED, questions.c.leased_until > now
            )
            rows = connection.execute(query.order_by(questions.c.priority.desc(), questions.c.id)).all()
            return leasing.shown(connection, rows)

    def answered_by(self, items: Collection[str]) -> dict[str, frozenset[str]]:
        """Item -> names of the people who have answered it, under any tier; no entry where nobody has."""
        query = (
            select(answers.c.item, annotators.c.name)
            .join(annotators, annotators.c.id == answers.c.annotator)
            .where(annotators.c.kind == AnnotatorKind.PERSON.value, answers.c.retracted_at.is_(None))
        )
        names: dict[str, set[str]] = defaultdict(set)
        with self._database.read() as connection:
            for row in connection.execute(query.where(among(connection, answers.c.item, items))):
                names[row.item].add(row.name)
        return {item: frozenset(found) for item, found in names.items()}

    def release(self, queue: int, held: Sequence[int]) -> None:
        """Put those of the questions that are still held back into the tier's queue."""
        with self._database.write() as connection:
            query = select(questions.c.id, questions.c.purpose).where(
                among(connection, questions.c.id, held),
                questions.c.holder == queue,
                questions.c.state == LEASED,
            )
            leasing.free(
                connection, connection.execute(query.order_by(questions.c.id).with_for_update()).all()
            )

    def paused(self, tier: str) -> frozenset[str]:
        """Names of the tier's people who are paused."""
        query = select(annotators.c.name).where(
            annotators.c.kind == AnnotatorKind.PERSON.value,
            annotators.c.tier == tier,
            annotators.c.state == PersonState.PAUSED.value,
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def take(
        self, votes: Sequence[OutsideVote], spans: Sequence[Span] = (), refuse: Refuse = lambda _: ()
    ) -> list[Verdict]:
        """Record and pay what can be taken; what became of each vote.

        Raises:
            FenceLost: a position is not what its span says; nothing was taken.
        """
        with self._database.write() as connection:
            arrivals.move_positions(connection, spans, None)
            verdicts = self._take(connection, votes) if votes else []
            outbox.put(connection, refuse(verdicts))
            return verdicts

    def _take(self, connection: Connection, votes: Sequence[OutsideVote]) -> list[Verdict]:
        tiers = self._tiers_of(connection, votes)
        known = [vote for vote in votes if vote.question in tiers]
        people = _people(connection, [(vote.annotator, tiers[vote.question]) for vote in known])
        rows = _lock(connection, {vote.question for vote in known})
        now = self._database.now(connection)
        _hold_money(connection, list(rows.values()), now)
        keys = _keys(connection, known)
        taking = _Taking(connection, rows, people, keys, now, self._n_facets, self._pays_all)
        return [taking.take(vote) if vote.question in tiers else Verdict.UNKNOWN_QUESTION for vote in votes]

    def _tiers_of(self, connection: Connection, votes: Sequence[OutsideVote]) -> dict[int, str]:
        wanted = {vote.question for vote in votes}
        query = select(questions.c.id, questions.c.tier).where(
            among(connection, questions.c.id, wanted), questions.c.tier.in_(self._tiers)
        )
        return {row.id: row.tier for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class _People:
    """Who votes: the annotator of each name and tier, of each name everybody who is the same person, and who
    is paused."""

    by_tier: dict[tuple[str, str], int]
    same: dict[str, list[int]]
    paused: frozenset[int]


@dataclass(slots=True)
class _Taking:
    """Votes taken one after the other; all that they touch is locked."""

    connection: Connection
    rows: dict[int, Row[Any]]
    people: _People
    keys: set[str]
    now: int
    n_facets: int
    pays_all: bool

    def take(self, vote: OutsideVote) -> Verdict:
        verdict = self._judge(vote)
        if self.pays_all and verdict in LOST:
            self._pay_in_vain(vote)
        return verdict

    def _judge(self, vote: OutsideVote) -> Verdict:
        if vote.external is not None and vote.external in self.keys:
            return Verdict.REPEATED
        if vote.label is None:
            return Verdict.UNREADABLE
        row, mine = self.rows[vote.question], self.people.same[vote.annotator]
        person = self.people.by_tier[vote.annotator, row.tier]
        given = said_columns(vote.label, vote.probabilities, self.n_facets)
        known = leasing.standing(self.connection, row.item, mine)
        if known is not None:
            same = (known.question, known.annotator, said_in(known)) == (vote.question, person, given)
            return Verdict.REPEATED if same else Verdict.ANSWERED_ALREADY
        if person in self.people.paused:
            return Verdict.PAUSED
        if problem := self._problem(row, mine):
            return problem
        self._record(row, person, vote, given)
        return Verdict.TAKEN

    def _problem(self, row: Row[Any], mine: Sequence[int]) -> Verdict | None:
        if row.state not in (OPEN, LEASED) or self._is_elsewhere(row):
            return Verdict.NOT_OPEN
        if row.reserved_for is not None and row.reserved_for not in mine:
            return Verdict.RESERVED
        return None

    def _is_elsewhere(self, row: Row[Any]) -> bool:
        """Held by a person on the pages, as when the tier was answered there until a moment ago."""
        if row.state != LEASED or row.leased_until <= self.now:
            return False
        kind = select(annotators.c.kind).where(annotators.c.id == row.holder)
        return bool(self.connection.execute(kind).scalar_one() != AnnotatorKind.QUEUE.value)

    def _record(self, row: Row[Any], person: int, vote: OutsideVote, given: dict[str, bytes | None]) -> None:
        paid = budget.pay(self.connection, leasing.booking(row), person, vote.seconds, self.now)
        values = {
            "item": row.item,
            "annotator": person,
            "question": row.id,
            "purpose": row.purpose,
            "seconds": vote.seconds,
            "cost": paid,
            "external": vote.external,
            "at": self.now,
        }
        made = insert(answers).values(**values, **given).returning(answers.c.id)
        telling.answered(self.connection, self.connection.execute(made).scalar_one(), self.now)
        ended = QuestionState.ANSWERED.value
        leasing.change(
            self.connection, [row.id], state=ended, holder=None, leased_until=None, closed=self.now
        )
        recheck_items(self.connection, [row.item], "answer")
        self._done(vote)

    def _pay_in_vain(self, vote: OutsideVote) -> None:
        row = self.rows[vote.question]
        person = self.people.by_tier[vote.annotator, row.tier]
        budget.pay(self.connection, leasing.booking(row), person, vote.seconds, self.now, vote.external)
        if row.state == LEASED and not self._is_elsewhere(row):
            leasing.free(self.connection, [row])
        self._done(vote)

    def _done(self, vote: OutsideVote) -> None:
        self.rows |= _lock(self.connection, {vote.question})
        if vote.external is not None:
            self.keys.add(vote.external)


def _hold_queue(connection: Connection, queue: int, tier: str) -> None:
    """Lock the annotator that stands for a queue: it is given one question an item."""
    query = select(annotators.c.id).where(
        annotators.c.id == queue,
        annotators.c.kind == AnnotatorKind.QUEUE.value,
        annotators.c.tier == tier,
    )
    if connection.execute(query.with_for_update(key_share=True)).one_or_none() is None:
        raise UnknownReviewer(f"annotator {queue} is no queue of tier {tier!r}; enroll it first")


def _count_held(connection: Connection, queue: int) -> int:
    query = select(func.count()).where(questions.c.holder == queue, questions.c.state == LEASED)
    return int(connection.execute(query).scalar_one())


def _people(connection: Connection, wanted: Sequence[tuple[str, str]]) -> _People:
    """Enroll everybody, and lock all who go by these names, in one order."""
    pairs = sorted(set(wanted))
    ids = annotating.register(connection, [(AnnotatorKind.PERSON, name, tier, tier) for name, tier in pairs])
    names = sorted({name for name, _ in pairs})
    query = (
        select(annotators.c.id, annotators.c.name, annotators.c.state)
        .where(annotators.c.kind == AnnotatorKind.PERSON.value, annotators.c.name.in_(names))
        .order_by(annotators.c.id)
        .with_for_update(key_share=True)
    )
    same: dict[str, list[int]] = {name: [] for name in names}
    rows = connection.execute(query).all()
    for row in rows:
        same[row.name].append(row.id)
    paused = frozenset(row.id for row in rows if row.state == PersonState.PAUSED.value)
    return _People(dict(zip(pairs, ids, strict=True)), same, paused)


def _lock(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    query = select(questions).where(among(connection, questions.c.id, ids)).order_by(questions.c.id)
    return {row.id: row for row in connection.execute(query.with_for_update())}


def _hold_money(connection: Connection, rows: Sequence[Row[Any]], now: int) -> None:
    """Lock the budget rows that any of these questions may be paid from."""
    reserved = select(spend.c.tier, spend.c.at).where(
        among(connection, spend.c.question, [row.id for row in rows]), spend.c.state == "reserved"
    )
    days = {(row.tier, budget.day(row.at)) for row in connection.execute(reserved)}
    budget.hold(connection, days | {(row.tier, budget.day(now)) for row in rows})


def _keys(connection: Connection, votes: Sequence[OutsideVote]) -> set[str]:
    wanted = {vote.external for vote in votes if vote.external is not None}
    found: set[str] = set()
    for column in (answers.c.external, spend.c.external):
        rows = connection.execute(select(column).where(among(connection, column, wanted)))
        found |= {key for key in rows.scalars() if key is not None}
    return found
