"""Writes what was decided about stored, locked items."""

from collections.abc import Sequence

from sqlalchemy import Connection, Integer, bindparam, case, func, update

from daemon.adapters.store import asking, budget
from daemon.adapters.store.arrivals import insert_labels
from daemon.adapters.store.codec import rows_of
from daemon.adapters.store.schema import items
from daemon.core.rows import Asked, Decision, OpenItem
from daemon.core.states import BLIND_PURPOSES, ItemState

_UPDATE = (
    update(items)
    .where(items.c.id == bindparam("item"))
    .values(
        state=bindparam("next_state"),
        window=None,
        posterior=bindparam("new_posterior"),
        labels=bindparam("new_labels"),
        score=bindparam("new_score"),
        classifier=func.coalesce(
            bindparam("new_classifier", type_=items.c.classifier.type), items.c.classifier
        ),
        bundle=bindparam("new_bundle"),
        revision=items.c.revision + bindparam("published", type_=Integer),
        ready_since=case(
            (
                bindparam("next_state", type_=items.c.state.type) == ItemState.READY.value,
                func.coalesce(items.c.ready_since, bindparam("now", type_=items.c.changed.type)),
            )
        ),
        changed=bindparam("now", type_=items.c.changed.type),
    )
)


def write(
    connection: Connection,
    open_items: Sequence[OpenItem],
    decision: Decision,
    caps: asking.Caps,
    now: int,
    bundles: Sequence[int | None],
    ended: Sequence[int] = (),
) -> list[Asked]:
    """States, labels, withdrawn and new questions of items that this transaction has locked.

    Args:
        bundles: what each item's row says it was decided by.
        ended: questions that this transaction ended before; their budget is released with the rest.
    """
    ids = [item.id for item in open_items]
    withdrawn = [id_ for id_, wanted in zip(ids, decision.withdraw.tolist(), strict=True) if wanted]
    cancelled = asking.withdraw(connection, withdrawn, now)
    asking.move(connection, ids, decision.reprices)  # before money is touched, as everybody locks
    today = budget.day(now)
    budget.release(
        connection,
        [*ended, *cancelled],
        {(ask.tier, today) for ask in decision.asks if ask.purpose in BLIND_PURPOSES},
    )
    _update_items(connection, open_items, decision, now, bundles)
    insert_labels(
        connection,
        ids,
        decision,
        now,
        revisions=[item.revision + 1 for item in open_items],
        costs=[item.cost for item in open_items],
        bundles=bundles,
    )
    return asking.ask(connection, ids, decision.asks, caps, now)


def _update_items(
    connection: Connection,
    open_items: Sequence[OpenItem],
    decision: Decision,
    now: int,
    bundles: Sequence[int | None],
) -> None:
    n = len(open_items)
    columns = {
        "item": [item.id for item in open_items],
        "next_state": [state.value for state in decision.states],
        "new_posterior": rows_of(decision.posterior, "<f4"),
        "new_labels": rows_of(decision.labels, "i1"),
        "new_score": decision.scores.tolist(),
        "new_classifier": [None] * n if decision.classifier is None else rows_of(decision.classifier, "<f4"),
        "new_bundle": bundles,
        "published": decision.publish.astype(int).tolist(),
        "now": [now] * n,
    }
    names = list(columns)
    released = [
        item.state == after == ItemState.CERTIFIED and not published
        for item, after, published in zip(open_items, decision.states, decision.publish.tolist(), strict=True)
    ]
    # A released label that stands keeps the figures that it was released with.
    rows = [
        dict(zip(names, values, strict=True))
        for values, stands in zip(zip(*columns.values(), strict=True), released, strict=True)
        if not stands
    ]
    if rows:
        connection.execute(_UPDATE, rows)
