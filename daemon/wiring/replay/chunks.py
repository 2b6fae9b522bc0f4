"""The folder in which a replay keeps what is done, chunk by chunk, so that it may go on after any end."""

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from daemon.core.errors import SetupProblem
from daemon.core.label_diff import Diff
from daemon.core.revoting import Revoted

BEGUN = "begun.json"

ROWS, REJECTED, TURNED, VOTES = "rows", "rejected.jsonl", "turned.jsonl", "votes"
"""Kinds of file that a chunk leaves."""

PUBLISHED = "published.json"
"""Kind of the file that says that a chunk's votes are written, and what became of them."""

MOST_NAMED = 3
"""Differences told where a replay does not go on."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is counted of a chunk; once this is written, the chunk is done.

    Attributes:
        items: labeled. weight: of its piece.
        rejected: reason -> records that are no items. first: where the first of them stands, and why.
        failures: labeling function -> items on which it failed. messages: function -> the first failure.
        diff: None where nothing was compared.
    """

    number: int
    items: int
    weight: float
    rejected: dict[str, int] = field(default_factory=dict)
    first: str = ""
    failures: dict[str, int] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    diff: Diff | None = None


Identity = Mapping[str, Mapping[str, str]]
"""Section -> what stands in it: what must be the same for a replay to go on."""

_chunk = msgspec.json.Decoder(Chunk)
_revoted = msgspec.json.Decoder(Revoted)
_encode = msgspec.json.Encoder().encode


class ChunkFolder:
    """`FOLDER/begun.json` says what is replayed; `000007.json` that chunk 7 is done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make it, and keep others out.

        Raises:
            SetupProblem: another process works in it, or it cannot be made.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise SetupProblem(
                f"replay: {self.folder} cannot be written: {error.strerror or error}"
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SetupProblem(f"replay: another process works in {self.folder}") from None
            yield

    def begun(self) -> dict[str, Any] | None:
        """What was said when it began; None if nothing has begun."""
        try:
            begun: dict[str, Any] = json.loads((self.folder / BEGUN).read_bytes())
        except FileNotFoundError:
            return None
        return begun

    def begin(self, identity: Identity, more: Mapping[str, Any]) -> None:
        """Begin, or go on with what was begun; `more` is kept for going on, whatever it is.

        Raises:
            SetupProblem: what was begun is something else; the message says in what.
        """
        begun = self.begun()
        if begun is None:
            for left in self.folder.glob("[0-9]*"):  # of a replay whose folder was being removed
                left.unlink()
            self._put(BEGUN, json.dumps({"identity": identity, **more}, indent=1).encode())
        elif others := _differences(begun["identity"], identity):
            raise SetupProblem(
                f"replay: {self.folder} was begun with something else: {'; '.join(others[:MOST_NAMED])}. "
                "Put that back to go on, or remove the folder to begin anew"
            )

    def done(self) -> dict[int, Chunk]:
        """Chunks that are done, by number."""
        files = self.folder.glob("[0-9]*.json")
        chunks = [_chunk.decode(file.read_bytes()) for file in files if file.stem.isdigit()]
        return {chunk.number: chunk for chunk in chunks}

    def keep(self, chunk: Chunk, files: Mapping[str, bytes]) -> None:
        """A chunk is done: its files first, what is counted last, each whole or not at all."""
        for kind, data in files.items():
            if data:
                self._put(f"{chunk.number:06}.{kind}", data)
        self._put(f"{chunk.number:06}.json", _encode(chunk))

    def votes(self, number: int) -> bytes:
        """The file of this kind that a chunk left; empty if it left none."""
        file = self.folder / f"{number:06}.{VOTES}"
        return file.read_bytes() if file.exists() else b""

    def published(self) -> dict[int, Revoted]:
        """Chunks whose votes are written, by number, and what became of them."""
        files = self.folder.glob(f"[0-9]*.{PUBLISHED}")
        return {int(file.name.partition(".")[0]): _revoted.decode(file.read_bytes()) for file in files}

    def publish(self, number: int, revoted: Revoted) -> None:
        """The votes of a chunk are written."""
        self._put(f"{number:06}.{PUBLISHED}", _encode(revoted))

    def files(self, kind: str, numbers: Collection[int]) -> list[Path]:
        """Those files of this kind that these chunks left, in order."""
        named = [self.folder / f"{number:06}.{kind}" for number in sorted(numbers)]
        return [file for file in named if file.exists()]

    def remove(self) -> None:
        """All is where it is wanted."""
        shutil.rmtree(self.folder)

    def _put(self, name: str, data: bytes) -> None:
        unfinished = self.folder / f"{name}.part"
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.folder / name)


def _differences(before: Identity, now: Identity) -> list[str]:
    found: list[str] = []
    for section in dict.fromkeys((*before, *now)):
        one, other = before.get(section, {}), now.get(section, {})
        for name in dict.fromkeys((*one, *other)):
            if one.get(name) != other.get(name):
                was, is_ = one.get(name, "not there"), other.get(name, "not there")
                found.append(f"{section}, {name}: was {was}, is {is_}")
    return found
