"""What audits of closed windows said of the labels that were frozen in them."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select

from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import i1, unpack_frozen
from daemon.adapters.store.schema import answers, questions, windows
from daemon.core.panel import finding
from daemon.core.report_rows import AuditedPair
from daemon.core.states import AuditProtocol, Purpose

Pairs = Sequence[AuditedPair]


def audited_pairs(connection: Connection, ids: Sequence[int]) -> dict[int, Pairs]:
    """Window -> its audited items by true and frozen class; audits without a finding stand nowhere."""
    given = _given(connection, ids)
    query = select(windows.c.id, windows.c.frozen, windows.c.protocol, windows.c.p)
    return {
        row.id: _pairs(row.frozen, given[row.id], AuditProtocol(row.protocol), row.p)
        for row in connection.execute(query.where(windows.c.id.in_(ids)))
    }


def _given(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, list[int]]]:
    """Window -> item -> what auditors answered, in order."""
    query = (
        select(questions.c.window, answers.c.item, answers.c.labels)
        .join(answers, answers.c.question == questions.c.id)
        .where(
            among(connection, questions.c.window, ids),
            questions.c.purpose == Purpose.AUDIT.value,
            answers.c.retracted_at.is_(None),
        )
        .order_by(answers.c.id)
    )
    found: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in connection.execute(query):
        found[row.window][row.item].append(int(i1(row.labels)[0]))
    return found


def _pairs(packed: bytes, given: dict[str, list[int]], protocol: AuditProtocol, p: float) -> Pairs:
    frozen = unpack_frozen(packed)
    labels = dict(zip(frozen.ids, frozen.labels[:, 0].tolist(), strict=True))
    counts: dict[tuple[int, int], int] = defaultdict(int)
    for item, said in given.items():
        truth = finding(said, protocol)
        if truth >= 0 and item in labels:
            counts[truth, labels[item]] += 1
    return [AuditedPair(truth, label, count, count / p) for (truth, label), count in counts.items()]
