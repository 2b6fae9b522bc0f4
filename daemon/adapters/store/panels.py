"""Experts who audit one item: what they have said so far, and the third where two differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, select

from daemon.adapters.store import asking, coins
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import label_of
from daemon.adapters.store.schema import answers, items, questions
from daemon.core import panel
from daemon.core.rows import Ask, Asked, AuditMade
from daemon.core.states import AuditProtocol, Purpose


@dataclass(slots=True)
class Panel:
    """One item's audit: how many experts were asked, and the answers that stand."""

    asked: int = 0
    said: list[int] = field(default_factory=list)


Panels = dict[str, Panel]
"""By item."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How questions of a window's audits are asked."""

    window: int
    purpose: Purpose
    protocol: AuditProtocol
    tier: str
    price: int
    priority: float

    @property
    def first(self) -> int:
        """Experts asked of every audit."""
        return panel.FIRST[self.protocol]

    @property
    def most(self) -> int:
        """Experts that an audit may take."""
        return panel.MOST[self.protocol]


def lock(connection: Connection, window: int, purpose: Purpose) -> None:
    """Hold a window's questions: an answer that comes meanwhile waits, and finds what became of its own."""
    which = questions.c.window == window, questions.c.purpose == purpose.value
    connection.execute(select(questions.c.id).where(*which).order_by(questions.c.id).with_for_update())


def read(connection: Connection, windows: Sequence[int], purpose: Purpose) -> dict[int, Panels]:
    """Window -> its audits as they stand."""
    standing = and_(answers.c.question == questions.c.id, answers.c.retracted_at.is_(None))
    query = (
        select(questions.c.window, questions.c.item, answers.c.labels)
        .outerjoin(answers, standing)
        .where(among(connection, questions.c.window, windows), questions.c.purpose == purpose.value)
        .order_by(questions.c.id)
    )
    found: dict[int, Panels] = {window: {} for window in windows}
    for row in connection.execute(query):
        one = found[row.window].setdefault(row.item, Panel())
        one.asked += 1
        if row.labels is not None:
            one.said.append(label_of(row.labels))
    return found


def findings(panels: Panels, ids: Sequence[str], protocol: AuditProtocol) -> NDArray[np.int64]:
    """(n,) what the audits of these items found: a label, UNANSWERED or UNDECIDED."""
    nobody = Panel()
    return np.array([panel.finding(panels.get(id_, nobody).said, protocol) for id_ in ids], np.int64)


Picked = tuple[str, float | None]
"""An item, and the probability of the coin that picked it; None for a third expert's question."""


def ask(
    connection: Connection, picked: Sequence[Picked], terms: Terms, caps: asking.Caps, now: int
) -> list[AuditMade]:
    """Ask the first experts about these items; fewer questions than wanted if the budget cannot pay."""
    return _ask(connection, [one for one in picked for _ in range(terms.first)], terms, caps, now)


def ask_thirds(
    connection: Connection, panels: Panels, terms: Terms, caps: asking.Caps, now: int
) -> list[AuditMade]:
    """Ask one more expert wherever the protocol wants it and the day's budget can pay it."""
    split = [id_ for id_, one in panels.items() if wants_another(one, terms.protocol)]
    if not split:
        return []
    payable = coins.affordable(connection, terms.tier, terms.price, len(split), caps, now)
    return _ask(connection, [(id_, None) for id_ in split[:payable]], terms, caps, now)


def wants_another(one: Panel, protocol: AuditProtocol) -> bool:
    """Whether everybody asked has answered, they differ, and one more may be asked."""
    return panel.wants_another(one.said, one.asked, protocol)


def _ask(
    connection: Connection, picked: Sequence[Picked], terms: Terms, caps: asking.Caps, now: int
) -> list[AuditMade]:
    ids = [id_ for id_, _ in picked]
    asks = [
        Ask(row, terms.tier, terms.purpose, terms.priority, terms.price, chance)
        for row, (_, chance) in enumerate(picked)
    ]
    return _made(connection, ids, asking.ask(connection, ids, asks, caps, now, terms.window))


def _made(connection: Connection, ids: Sequence[str], asked: Sequence[Asked]) -> list[AuditMade]:
    about = [ids[one.ask.row] for one in asked]
    query = select(items.c.id, items.c.payload).where(among(connection, items.c.id, about))
    payloads = {row.id: bytes(row.payload) for row in connection.execute(query)}
    return [
        AuditMade(one.question, id_, payloads[id_], one.ask) for one, id_ in zip(asked, about, strict=True)
    ]
