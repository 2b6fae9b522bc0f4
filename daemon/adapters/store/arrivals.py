"""A batch's first look: positions moved under the fence, items and their first labels inserted."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection, insert, literal, select, update

from daemon.adapters.store import asking
from daemon.adapters.store.bulk import AlreadyThere, among, bulk_insert
from daemon.adapters.store.codec import rows_of
from daemon.adapters.store.schema import answers, items, labels, positions, recheck, vectors
from daemon.core.errors import FenceLost, ItemsRaced
from daemon.core.rows import Arrivals, Decision
from daemon.core.states import ItemState, LabelStatus
from daemon.core.wire import Span


def move_positions(connection: Connection, spans: Sequence[Span], arrivals: Arrivals | None) -> None:
    """Move every position, counting the items that come with it.

    Raises:
        FenceLost: one was not where its span begins.
    """
    where = zip(arrivals.topic_ids, arrivals.partitions, strict=True) if arrivals else ()
    new = Counter(where)
    # One order for everybody: two workers never wait for each other in a circle.
    for span in sorted(spans, key=lambda span: (span.topic_id, span.partition)):
        moved = connection.execute(
            update(positions)
            .where(
                positions.c.topic_id == span.topic_id,
                positions.c.partition == span.partition,
                positions.c.next_offset == span.first,
            )
            .values(next_offset=span.next, stored=positions.c.stored + new[span.topic_id, span.partition])
        )
        if moved.rowcount != 1:
            raise FenceLost(f"{span.topic}[{span.partition}] does not stand at {span.first} any more")


def insert_items(connection: Connection, arrivals: Arrivals, decision: Decision, now: int) -> None:
    """Items, vectors and first labels; a recheck for those that were answered before they came.

    Raises:
        ItemsRaced: one of the ids is stored.
    """
    order = sorted(range(len(arrivals.ids)), key=lambda row: arrivals.ids[row])
    try:
        bulk_insert(connection, items, _in_order(_item_columns(arrivals, decision, now), order))
    except AlreadyThere as error:
        raise ItemsRaced("an item of this batch was stored meanwhile") from error
    _insert_vectors(connection, arrivals)
    insert_labels(
        connection,
        arrivals.ids,
        decision,
        now,
        revisions=[1] * len(order),
        costs=[0] * len(order),
        bundles=[decision.bundle] * len(order),
    )
    answered = (
        select(answers.c.item, literal("answer"), literal(0))
        .where(among(connection, answers.c.item, arrivals.ids), answers.c.retracted_at.is_(None))
        .distinct()
    )
    connection.execute(insert(recheck).from_select(["item", "reason", "due"], answered))
    _recheck_subjects(connection, arrivals)


def _recheck_subjects(connection: Connection, arrivals: Arrivals) -> None:
    """One look, after this transaction, at all that is known of each subject that showed up.

    Without exception: another worker may be storing an item of the same subject right now, and neither sees
    the other's. Whoever looks second sees both.
    """
    newest = {subject: id_ for id_, subject in zip(arrivals.ids, arrivals.subjects, strict=True) if subject}
    asking.recheck_items(connection, sorted(newest.values()), "subject")


def insert_labels(
    connection: Connection,
    ids: Sequence[str],
    decision: Decision,
    now: int,
    revisions: Sequence[int],
    costs: Sequence[int],
    bundles: Sequence[int | None],
) -> None:
    """A new revision for every row that is published; only certified ones name the window."""
    rows = np.flatnonzero(decision.publish).tolist()
    if not rows:
        return
    status = [decision.status[row] for row in rows]
    bulk_insert(
        connection,
        labels,
        {
            "item": [ids[row] for row in rows],
            "revision": [revisions[row] for row in rows],
            "labels": rows_of(decision.labels[rows], "i1"),
            "probabilities": rows_of(decision.posterior[rows], "<f4"),
            "status": [str(word.value) for word in status],
            "window": [decision.window if word == LabelStatus.CERTIFIED else None for word in status],
            "bundle": [bundles[row] for row in rows],
            "cost": [costs[row] for row in rows],
            "at": [now] * len(rows),
        },
    )


def _in_order(columns: Mapping[str, Sequence[object]], order: Sequence[int]) -> dict[str, Sequence[object]]:
    # Sorted ids: workers that store the same new items wait for each other instead of locking each other out.
    return {name: [values[row] for row in order] for name, values in columns.items()}


def _item_columns(arrivals: Arrivals, decision: Decision, now: int) -> dict[str, Sequence[object]]:
    n = len(arrivals.ids)
    classifier = decision.classifier
    return {
        "id": arrivals.ids,
        "topic_id": arrivals.topic_ids,
        "partition": arrivals.partitions,
        "offset": arrivals.offsets,
        "subject": arrivals.subjects,
        "payload": arrivals.payloads,
        "digest": arrivals.digests,
        "arrived": [now] * n,
        "functions": [arrivals.functions] * n,
        "inline": rows_of(arrivals.inline, "i1"),
        "classifier": [None] * n if classifier is None else rows_of(classifier, "<f4"),
        "bundle": [decision.bundle] * n,
        "posterior": rows_of(decision.posterior, "<f4"),
        "labels": rows_of(decision.labels, "i1"),
        "score": decision.scores.tolist(),
        "state": [state.value for state in decision.states],
        "revision": decision.publish.astype(int).tolist(),
        "ready_since": [now if state == ItemState.READY else None for state in decision.states],
        "changed": [now] * n,
    }


def _insert_vectors(connection: Connection, arrivals: Arrivals) -> None:
    if arrivals.vectors is None:
        return
    rows = np.flatnonzero(~np.isnan(arrivals.vectors).any(axis=1))
    bulk_insert(
        connection,
        vectors,
        {
            "item": [arrivals.ids[row] for row in rows.tolist()],
            "encoder": [arrivals.encoder] * len(rows),
            "vector": rows_of(arrivals.vectors[rows], "<f2"),
        },
    )
