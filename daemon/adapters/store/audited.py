"""What audits of closed windows said of the labels that were frozen in them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import label_of, unpack_frozen
from daemon.adapters.store.schema import answers, questions, windows
from daemon.core.panel import finding
from daemon.core.report_rows import AuditedPair
from daemon.core.rows import F4
from daemon.core.states import AuditProtocol, Purpose
from daemon.core.window_rows import Frozen
from labeling_functions.label_space import joined

TYPICAL = 400
"""Scores that stand for those of a whole window."""


@dataclass(frozen=True, slots=True, eq=False)
class Audited:
    """A closed window as its audits saw it.

    `pairs`: audited items by true and frozen label, those without a finding left out; `scores`: (s,) evenly
    thinned, of all its items.
    """

    pairs: Sequence[AuditedPair]
    scores: F4


@dataclass(slots=True)
class _Audit:
    """What auditors answered, in order, and how many items this one stands for."""

    said: list[int]
    weight: float


def audited_windows(connection: Connection, ids: Sequence[int]) -> dict[int, Audited]:
    """Window -> what its audits saw."""
    given = _given(connection, ids)
    query = select(windows.c.id, windows.c.frozen, windows.c.protocol).where(windows.c.id.in_(ids))
    return {
        row.id: _seen(unpack_frozen(row.frozen), given[row.id], AuditProtocol(row.protocol))
        for row in connection.execute(query)
    }


def _given(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, _Audit]]:
    """Window -> item -> its audit. Questions of windows of the first version have the window's chance."""
    chance = func.coalesce(questions.c.chance, windows.c.p).label("chance")
    query = (
        select(questions.c.window, answers.c.item, answers.c.labels, chance)
        .join(windows, windows.c.id == questions.c.window)
        .join(answers, answers.c.question == questions.c.id)
        .where(
            among(connection, questions.c.window, ids),
            questions.c.purpose == Purpose.AUDIT.value,
            answers.c.retracted_at.is_(None),
        )
        .order_by(answers.c.id)
    )
    found: dict[int, dict[str, _Audit]] = defaultdict(dict)
    for row in connection.execute(query):
        audit = found[row.window].setdefault(row.item, _Audit([], 1 / row.chance))
        audit.said.append(label_of(row.labels))
    return found


def _seen(frozen: Frozen, given: dict[str, _Audit], protocol: AuditProtocol) -> Audited:
    labels = dict(zip(frozen.ids, joined(frozen.labels).tolist(), strict=True))
    weights: dict[tuple[int, int], list[float]] = defaultdict(list)
    for item, audit in given.items():
        truth = finding(audit.said, protocol)
        if truth >= 0 and item in labels:
            weights[truth, labels[item]].append(audit.weight)
    pairs = [AuditedPair(*key, len(items), sum(items)) for key, items in weights.items()]
    places = np.linspace(0, len(frozen.scores) - 1, min(len(frozen.scores), TYPICAL)).astype(np.int64)
    return Audited(pairs, np.sort(frozen.scores)[places])
