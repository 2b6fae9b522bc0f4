"""Votes of stored items written anew, and their items left to be decided again."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from daemon.adapters.store.asking import recheck_items
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import rows_of
from daemon.adapters.store.schema import items
from daemon.core.revoting import REVOTED, NewVotes, Revoted
from daemon.core.states import ItemState

_WRITE = (
    update(items)
    .where(items.c.id == bindparam("item"))
    .values(functions=bindparam("by"), inline=bindparam("votes"))
)


def revote(connection: Connection, functions: int, found: NewVotes, now: int) -> Revoted:
    """Replace the votes of those items that are stored with this content, and have them decided anew.

    The items are locked in the order of their ids, as whoever decides locks them. Rechecks are due from
    `now` (ms) on, so that answers, due since ever, come first. Of an item that came twice the last counts.

    Args:
        functions: id of the set that voted.
    """
    new = {
        id_: (digest, votes)
        for id_, digest, votes in zip(found.ids, found.digests, rows_of(found.inline, "i1"), strict=True)
    }
    rows = _lock(connection, new)
    fates = {id_: _fate(rows.get(id_), functions, *new[id_]) for id_ in new}
    written = sorted(id_ for id_, fate in fates.items() if fate == "written")
    if written:
        connection.execute(_WRITE, [{"item": id_, "by": functions, "votes": new[id_][1]} for id_ in written])
        # One that waits since an earlier replay is looked at twice: finding out would read the whole table.
        recheck_items(connection, written, REVOTED, now)
    frozen = sum(rows[id_].state == ItemState.FROZEN.value for id_ in written)
    return Revoted(frozen=frozen, **Counter(fates.values()))


def _fate(row: Any, functions: int, digest: bytes, votes: bytes) -> str:
    """The count of `Revoted` that an item falls under."""
    if row is None:
        return "not_stored"
    if bytes(row.digest) != digest:
        return "other_content"
    return "same" if (row.functions, bytes(row.inline)) == (functions, votes) else "written"


def _lock(connection: Connection, ids: Mapping[str, object]) -> dict[str, Any]:
    columns = (items.c.id, items.c.digest, items.c.functions, items.c.inline, items.c.state)
    query = select(*columns).where(among(connection, items.c.id, ids)).order_by(items.c.id).with_for_update()
    return {row.id: row for row in connection.execute(query)}
