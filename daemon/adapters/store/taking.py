"""Votes from outside taken one after the other, in one transaction; all that they touch is locked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from daemon.adapters.store import annotating, budget, leasing, telling
from daemon.adapters.store.asking import recheck_items
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import said_columns, said_in
from daemon.adapters.store.leasing import LEASED, OPEN
from daemon.adapters.store.schema import annotators, answers, questions, spend
from daemon.core.outside import LOST, OutsideVote, Verdict
from daemon.core.states import AnnotatorKind, PersonState, QuestionState


@dataclass(frozen=True, slots=True)
class People:
    """Who votes: the annotator of each name and tier, of each name everybody who is the same person, and who
    is paused."""

    by_tier: dict[tuple[str, str], int]
    same: dict[str, list[int]]
    paused: frozenset[int]


@dataclass(slots=True)
class Taking:
    """One transaction's votes.

    Attributes:
        rows: questions by id. people: who votes. keys: of answers that were taken or paid before.
        now: milliseconds. n_facets: bytes of a label. pays_all: whether what is not taken is paid as well.
        given: answers that were taken: id, annotator and tier of each.
    """

    connection: Connection
    rows: dict[int, Row[Any]]
    people: People
    keys: set[str]
    now: int
    n_facets: int
    pays_all: bool
    given: list[tuple[int, int, str]] = field(default_factory=list)

    def take(self, vote: OutsideVote) -> Verdict:
        """What becomes of a vote on one of `rows`."""
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
        answer = self.connection.execute(made).scalar_one()
        telling.answered(self.connection, answer, self.now)
        self.given.append((answer, person, row.tier))
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
        self.rows |= lock_all(self.connection, {vote.question})
        if vote.external is not None:
            self.keys.add(vote.external)


def enroll_all(connection: Connection, wanted: Sequence[tuple[str, str]]) -> People:
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
    return People(dict(zip(pairs, ids, strict=True)), same, paused)


def lock_all(connection: Connection, ids: Collection[int]) -> dict[int, Row[Any]]:
    """These questions, locked in order."""
    query = select(questions).where(among(connection, questions.c.id, ids)).order_by(questions.c.id)
    return {row.id: row for row in connection.execute(query.with_for_update())}


def known_keys(connection: Connection, votes: Sequence[OutsideVote]) -> set[str]:
    """Those keys of the votes that were taken or paid before."""
    wanted = {vote.external for vote in votes if vote.external is not None}
    found: set[str] = set()
    for column in (answers.c.external, spend.c.external):
        rows = connection.execute(select(column).where(among(connection, column, wanted)))
        found |= {key for key in rows.scalars() if key is not None}
    return found
