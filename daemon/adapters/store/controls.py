"""Control questions: made for one person when they lease, answered beside all other answers, and counted."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, union_all, update

from daemon.adapters.store import budget, leasing, paces, telling
from daemon.adapters.store.bulk import among, together
from daemon.adapters.store.engine import Database
from daemon.adapters.store.known_items import Known, KnownItems
from daemon.adapters.store.schema import annotators, answers, controls, questions, skips
from daemon.core.control_settings import ControlSettings
from daemon.core.errors import LeaseLost
from daemon.core.states import PersonState, Purpose, QuestionState

CONTROL = Purpose.CONTROL.value
TRIED = 40
"""Of the known items, how many are looked at for one person; who has seen all of them is asked no control
question."""
COUNTED = 50
"""Newest answers to control questions that a person is judged by."""

LOOKED_AT = 10
"""After one answer in so many it is looked at whether somebody clicks without reading."""

Rules = Mapping[str, ControlSettings]
"""Tier -> how its people are looked at."""


@dataclass
class Controls:
    """The control questions of one process.

    Attributes:
        rules: by tier; tiers that are not in it ask none. prices: of an answer, in micro-units, by tier.
        final: tiers whose answers are the truth. Their own people are asked about imported labels alone.
        chance: draws. clock: seconds that only rise.
    """

    rules: Rules = field(default_factory=dict)
    prices: Mapping[str, int] = field(default_factory=dict)
    final: frozenset[str] = frozenset()
    chance: random.Random = field(default_factory=random.SystemRandom)
    clock: Callable[[], float] = time.monotonic
    _onboarded: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known = KnownItems(self.final, self.clock)

    def renew(self, database: Database) -> None:
        """See that what is asked about does not grow old; to be called when no lock is held."""
        self._known.renew(database)

    def _wanted(self, connection: Connection, tier: str, person: int, free: int) -> int:
        """How many of `free` new questions for a person are to be control questions."""
        rules = self.rules.get(tier)
        if rules is None or not rules.asked:
            return 0
        first = min(max(rules.onboarding - self._begun(connection, person, rules.onboarding), 0), free)
        return first + sum(self.chance.random() < rules.share for _ in range(free - first))

    def _begun(self, connection: Connection, person: int, enough: int) -> int:
        """How many control questions a person answered or holds; nobody who had `enough` is counted again."""
        if person in self._onboarded:
            return enough
        begun = (
            select(func.count())
            .select_from(controls)
            .join(questions, questions.c.id == controls.c.question)
            .where(
                controls.c.annotator == person,
                or_(controls.c.at.is_not(None), questions.c.state == QuestionState.LEASED.value),
            )
        )
        count = int(connection.execute(begun).scalar_one())
        if count >= enough:
            self._onboarded.add(person)
        return count

    def mixed(
        self,
        connection: Connection,
        tier: str,
        person: int,
        mine: Sequence[int],
        taken: list[Row[Any]],
        now: int,
    ) -> list[Row[Any]]:
        """The questions that a person is about to lease, some put back for control questions.

        Without others there are none: nobody is paid for what is known while nothing is to be done.

        Args:
            mine: ids of everybody of the person's name: none of them is asked about an item again.
            taken: free questions that can be paid, best first; the last ones are put back.
        """
        count = self._wanted(connection, tier, person, len(taken)) if taken else 0
        price = self.prices.get(tier, 0)
        # The money for a control question is that of the one it takes the place of.
        count = sum(row.price >= price for row in taken[len(taken) - count :])
        made = self._make(connection, tier, person, mine, count, taken[0].priority, now) if count else []
        mixed = taken[: len(taken) - len(made)]
        for row in made:
            mixed.insert(self.chance.randrange(len(mixed) + 1), row)
        return mixed

    def _make(
        self,
        connection: Connection,
        tier: str,
        person: int,
        mine: Sequence[int],
        count: int,
        priority: float,
        now: int,
    ) -> list[Row[Any]]:
        """Up to `count` questions for this person alone: fewer where nothing known is new to them."""
        chosen = self._unseen(connection, tier, mine, count)
        if not chosen:
            return []
        row = {"tier": tier, "purpose": CONTROL, "priority": priority, "price": self.prices.get(tier, 0)}
        asked = insert(questions).returning(questions, sort_by_parameter_order=True)
        rows = connection.execute(
            asked, [{**row, "item": one.item, "reserved_for": person, "created": now} for one in chosen]
        ).all()
        kept = [
            {"question": row.id, "annotator": person, "item": one.item, "truth": one.labels}
            for row, one in zip(rows, chosen, strict=True)
        ]
        connection.execute(insert(controls), kept)
        return list(rows)

    def _unseen(self, connection: Connection, tier: str, mine: Sequence[int], count: int) -> list[Known]:
        known = self._known.get(connection, answered=tier not in self.final)
        tried = self.chance.sample(known, min(TRIED, len(known)))
        seen = _seen(connection, [one.item for one in tried], mine)
        return [one for one in tried if one.item not in seen][:count]

    def record(
        self, connection: Connection, row: Row[Any], person: int, labels: bytes, seconds: float, now: int
    ) -> None:
        """Keep and pay an answer to the control question of this locked row; pause who is wrong too often.

        Repeating the same answer changes nothing.

        Raises:
            LeaseLost: it is another person's, or has another answer.
        """
        control = connection.execute(select(controls).where(controls.c.question == row.id)).one()
        if control.annotator != person:
            raise LeaseLost(f"question {row.id} is meant for somebody else")
        if control.labels is not None:
            if bytes(control.labels) == labels:
                return
            raise LeaseLost(f"this reviewer has answered item {row.item!r} already; undo comes first")
        if row.state != QuestionState.LEASED.value:
            raise LeaseLost(f"question {row.id} is {row.state} already; take the next one")
        payment = budget.spent(connection, leasing.booking(row), person, seconds, now)
        ended = QuestionState.ANSWERED.value
        with together(connection):
            leasing.change(connection, [row.id], state=ended, holder=None, leased_until=None, closed=now)
            connection.execute(
                update(controls)
                .where(controls.c.question == row.id)
                .values(labels=labels, seconds=seconds, at=now)
            )
        self._judge(connection, row.tier, person, now)
        budget.settle(connection, payment)

    def _judge(self, connection: Connection, tier: str, person: int, now: int) -> None:
        rules = self.rules.get(tier)
        if rules is None or rules.pause_below is None:
            return
        right = score(connection, person)
        if len(right) >= rules.pause_after and sum(right) < rules.pause_below * len(right):
            note = f"{sum(right)} of the last {len(right)} control questions right"
            pause(connection, person, note, now)

    def look(self, connection: Connection, tier: str, person: int, answer: int, now: int) -> None:
        """After one answer in ten: pause who clicks without reading, where the tier wants that."""
        rules = self.rules.get(tier)
        if rules is None or not rules.pause_clicking or answer % LOOKED_AT:
            return
        if told := paces.clicking(connection, person, tier):
            pause(connection, person, "; ".join(told), now)


def retract(connection: Connection, question: int) -> None:
    """Take the answer to a control question back; what was paid is reserved again."""
    connection.execute(
        update(controls).where(controls.c.question == question).values(labels=None, seconds=0, at=None)
    )
    budget.unpay(connection, question)


def last_answered(connection: Connection, person: int) -> Row[Any] | None:
    """The person's newest answer to a control question."""
    query = select(controls).where(controls.c.annotator == person, controls.c.at.is_not(None))
    return connection.execute(
        query.order_by(controls.c.at.desc(), controls.c.question.desc()).limit(1)
    ).first()


def score(connection: Connection, person: int) -> list[bool]:
    """Whether each counted answer to control questions was right, newest first; since they were let go on."""
    since = select(func.coalesce(annotators.c.state_at, 0)).where(annotators.c.id == person)
    query = (
        select(controls.c.labels, controls.c.truth)
        .where(controls.c.annotator == person, controls.c.at > since.scalar_subquery())
        .order_by(controls.c.at.desc(), controls.c.question.desc())
        .limit(COUNTED)
    )
    return [bytes(row.labels) == bytes(row.truth) for row in connection.execute(query)]


def pause(connection: Connection, person: int, note: str, now: int) -> None:
    """Give this person no more questions; those that they hold go back into the queue."""
    done = connection.execute(
        update(annotators)
        .where(annotators.c.id == person, annotators.c.state == PersonState.ACTIVE.value)
        .values(state=PersonState.PAUSED.value, state_at=now, note=note)
    )
    if done.rowcount:
        telling.paused(connection, person, now)
    held = select(questions).where(
        questions.c.holder == person, questions.c.state == QuestionState.LEASED.value
    )
    leasing.free(connection, connection.execute(held.with_for_update()).all())


def _seen(connection: Connection, tried: Sequence[str], mine: Sequence[int]) -> set[str]:
    """Those of these items that one of `mine` holds, or was ever asked."""
    if not tried:
        return set()
    given = select(answers.c.item).where(
        among(connection, answers.c.item, tried), answers.c.annotator.in_(mine)
    )
    asked = select(controls.c.item).where(
        among(connection, controls.c.item, tried), controls.c.annotator.in_(mine)
    )
    held = select(questions.c.item).where(
        among(connection, questions.c.item, tried), questions.c.holder.in_(mine)
    )
    passed = (
        select(questions.c.item)
        .join(skips, skips.c.question == questions.c.id)
        .where(among(connection, questions.c.item, tried), skips.c.annotator.in_(mine))
    )
    return set(connection.execute(union_all(given, asked, held, passed)).scalars())
