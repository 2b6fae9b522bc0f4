"""What a replay reads of stored items: all of them, once, in stretches of time."""

import pytest
from rows_for_tests import add_items

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.replaying import ReplayRoom


def payload(id_: str) -> bytes:
    return b'{"id": "%b"}' % id_.encode()


@pytest.mark.parametrize("most", [1, 2, 3, 4, 100])
def test_stretches_hold_everything_once_oldest_first(
    most: int, database: Database, clock: MovableClock
) -> None:
    came = [["b", "a"], ["d"], ["c"], ["e", "f", "g"]]
    for ids in came:
        for id_ in ids:
            add_items(database, [id_], payload=payload(id_), arrived=1_000 + came.index(ids))
    room = ReplayRoom(database)
    stretches = room.stretches(most)
    read = [room.payloads(stretch) for stretch in stretches]
    assert [one for part in read for one in part] == [payload(id_) for ids in came for id_ in sorted(ids)]
    assert [len(part) for part in read] == [stretch.items for stretch in stretches]
    assert all(len(part) <= max(most, 3) for part in read)


def test_nothing_stored_is_no_stretch(database: Database) -> None:
    assert ReplayRoom(database).stretches(10) == []
