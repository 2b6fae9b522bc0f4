"""Questions held for people who answer in another program, and their answers.

Locks are taken in the order of `questions`: positions, annotators, questions, then money, each kind sorted.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from daemon.adapters.store import annotating, arrivals, budget, leasing, outbox
from daemon.adapters.store.allowance import UNLIMITED, Allowances
from daemon.adapters.store.bulk import among
from daemon.adapters.store.controls import Controls
from daemon.adapters.store.engine import Database
from daemon.adapters.store.leasing import LEASED
from daemon.adapters.store.schema import annotators, answers, questions, spend
from daemon.adapters.store.taking import Taking, enroll_all, known_keys, lock_all
from daemon.core.errors import UnknownReviewer
from daemon.core.outside import Announce, OutsideVote, Refuse, Verdict
from daemon.core.rows import Lease
from daemon.core.states import AnnotatorKind, PersonState
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
        controls: Controls | None = None,
    ) -> None:
        """Make one.

        Args:
            tiers: whose questions may be answered here.
            allowances: what may be spent by now on questions that are paid for when they are held.
            n_facets: bytes of a label: 1, or the number of classes of a multilabel task.
            pays_all: whether answers that are not taken are paid as well, each once. Its question is then
                put back into the queue, so that it is held again only as far as money goes.
            controls: whether somebody who clicks without reading is paused; nobody if not given.
        """
        self._database = database
        self._tiers = frozenset(tiers)
        self._allowances = allowances
        self._n_facets = n_facets
        self._pays_all = pays_all
        self._controls = controls or Controls()

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
        people = enroll_all(connection, [(vote.annotator, tiers[vote.question]) for vote in known])
        rows = lock_all(connection, {vote.question for vote in known})
        now = self._database.now(connection)
        _hold_money(connection, list(rows.values()), now)
        keys = known_keys(connection, known)
        taking = Taking(connection, rows, people, keys, now, self._n_facets, self._pays_all)
        verdicts = [
            taking.take(vote) if vote.question in tiers else Verdict.UNKNOWN_QUESTION for vote in votes
        ]
        for answer, person, tier in taking.given:
            self._controls.look(connection, tier, person, answer, now)
        return verdicts

    def _tiers_of(self, connection: Connection, votes: Sequence[OutsideVote]) -> dict[int, str]:
        wanted = {vote.question for vote in votes}
        query = select(questions.c.id, questions.c.tier).where(
            among(connection, questions.c.id, wanted), questions.c.tier.in_(self._tiers)
        )
        return {row.id: row.tier for row in connection.execute(query)}


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


def _hold_money(connection: Connection, rows: Sequence[Row[Any]], now: int) -> None:
    """Lock the budget rows that any of these questions may be paid from."""
    reserved = select(spend.c.tier, spend.c.at).where(
        among(connection, spend.c.question, [row.id for row in rows]), spend.c.state == "reserved"
    )
    days = {(row.tier, budget.day(row.at)) for row in connection.execute(reserved)}
    budget.hold(connection, days | {(row.tier, budget.day(now)) for row in rows})
