"""The last step of a replay that publishes: its votes take the place of the stored ones, chunk by chunk."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add

import msgspec
import numpy as np

from daemon.adapters.store.replaying import ReplayRoom
from daemon.core.replaying import Relabeled
from daemon.core.revoting import NewVotes, Revoted
from daemon.core.rows import FunctionVersion
from daemon.wiring.replay.chunks import Chunk, ChunkFolder
from daemon.wiring.replay.progress import ReplayProgress

AT_ONCE = 1_000
"""Items whose votes are written in one transaction: so many are locked for a moment."""


class _Kept(msgspec.Struct, array_like=True):
    """Votes as a chunk's file has them: those of one item after those of another."""

    ids: Sequence[str]
    digests: Sequence[bytes]
    inline: bytes


_kept = msgspec.msgpack.Decoder(_Kept)


def kept(found: Relabeled) -> bytes:
    """A chunk's file of votes; empty without items."""
    if not len(found):
        return b""
    return msgspec.msgpack.encode(_Kept(found.ids, found.digests, found.inline.astype("i1").tobytes()))


def publish(
    folder: ChunkFolder, done: Mapping[int, Chunk], room: ReplayRoom, functions: Sequence[FunctionVersion]
) -> Revoted:
    """Write the votes of all chunks whose votes are not written yet; what became of those of all.

    A chunk that was being written when an earlier replay ended is written again, and found to be there.
    """
    before = folder.published()
    counts = list(before.values())
    written = sum(done[number].items for number in before)
    with ReplayProgress(sum(chunk.items for chunk in done.values()), written, "publish") as progress:
        for number in sorted(done.keys() - before.keys()):
            revoted = _write(_read(folder.votes(number)), room, functions)
            folder.publish(number, revoted)
            counts.append(revoted)
            progress.advance(done[number].items, done[number].items)
    return reduce(add, counts, Revoted())


def lines(revoted: Revoted) -> list[str]:
    """What people are told of it."""
    said = [
        f"published: new votes on {revoted.written:,} stored items, which `labelloop run` decides anew; "
        f"{revoted.same:,} had these votes already"
    ]
    left = {"not stored": revoted.not_stored, "stored with other content": revoted.other_content}
    if told := ", ".join(f"{count:,} {why}" for why, count in left.items() if count):
        said.append(f"  left alone: {told}")
    if revoted.frozen:
        said.append(
            f"  {revoted.frozen:,} of them stand in an open window, and are decided when it has closed"
        )
    return said


def _read(data: bytes) -> NewVotes:
    if not data:
        return NewVotes((), (), np.empty((0, 0), np.int8))
    found = _kept.decode(data)
    return NewVotes(found.ids, found.digests, np.frombuffer(found.inline, "i1").reshape(len(found.ids), -1))


def _write(found: NewVotes, room: ReplayRoom, functions: Sequence[FunctionVersion]) -> Revoted:
    total = Revoted()
    for start in range(0, len(found.ids), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        total += room.revote(functions, NewVotes(found.ids[rows], found.digests[rows], found.inline[rows]))
    return total
