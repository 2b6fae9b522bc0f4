"""Messages on their way out: one packed row a transaction and output partition."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from daemon.adapters.store.bulk import among, bulk_insert
from daemon.adapters.store.codec import pack_messages, unpack_messages
from daemon.adapters.store.schema import outbox
from daemon.core.wire import OutboxRow, OutMessage


def put(connection: Connection, messages: Sequence[OutMessage]) -> None:
    """Keep messages for publishing, in order within topic and partition."""
    places: dict[tuple[str, int], list[OutMessage]] = defaultdict(list)
    for message in messages:
        places[message.topic, message.partition].append(message)
    if places:
        bulk_insert(
            connection,
            outbox,
            {
                "topic": [topic for topic, _ in places],
                "partition": [partition for _, partition in places],
                "messages": [pack_messages(listed) for listed in places.values()],
            },
        )


def oldest(connection: Connection, limit: int) -> list[OutboxRow]:
    """Up to `limit` rows, oldest first."""
    rows = connection.execute(select(outbox).order_by(outbox.c.seq).limit(limit))
    return [
        OutboxRow(row.seq, row.topic, row.partition, unpack_messages(row.topic, row.partition, row.messages))
        for row in rows
    ]


def remove(connection: Connection, seqs: Sequence[int]) -> None:
    """Forget rows that were published."""
    connection.execute(delete(outbox).where(among(connection, outbox.c.seq, seqs)))
