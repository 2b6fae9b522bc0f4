"""Items that reviewers want to go up a tier."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from daemon.adapters.store import budget, leasing
from daemon.adapters.store.asking import recheck_items
from daemon.adapters.store.bulk import among, upsert
from daemon.adapters.store.schema import flags, skips
from daemon.core.states import QuestionState


def flag(connection: Connection, row: Row[Any], person: int, note: str, now: int) -> None:
    """Keep it, and pass the locked question that this person holds on; repeating it changes the note.

    A question that is to settle its item ends: the tier was asked, and the item is routed anew. All others,
    audits for example, go to somebody else.
    """
    kept = {"question": row.id, "annotator": person, "item": row.item, "tier": row.tier, "note": note}
    connection.execute(upsert(connection, flags, ["question", "annotator"], ["note"]), {**kept, "at": now})
    skipped = {"question": row.id, "annotator": person}
    connection.execute(upsert(connection, skips, ["question", "annotator"], []), skipped)
    if row.state != QuestionState.LEASED.value or row.holder != person:
        return
    if row.purpose in leasing.SETTLES:
        ended = {"state": QuestionState.PASSED.value, "holder": None, "leased_until": None, "closed": now}
        leasing.change(connection, [row.id], **ended)
        budget.release(connection, [row.id])
    else:
        leasing.free(connection, [row])
    recheck_items(connection, [row.item], "flag")


def flagged(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Item -> tiers whose people flagged it."""
    found: dict[str, list[str]] = defaultdict(list)
    query = select(flags.c.item, flags.c.tier).where(among(connection, flags.c.item, ids)).distinct()
    for item, tier in connection.execute(query):
        found[item].append(tier)
    return found
