"""`labelloop replay`: an archive or a topic labeled anew, what would change, and, if wished, published."""

import secrets
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from daemon.adapters.dask_cluster import results
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.replayed import FORMS
from daemon.adapters.store.engine import Database
from daemon.adapters.store.replaying import ReplayRoom
from daemon.core.errors import SetupProblem
from daemon.core.label_diff import Diff, Turned, compare
from daemon.core.replaying import Relabeled, StoredStretch
from daemon.core.revoting import Revoted
from daemon.core.rows import FunctionVersion
from daemon.core.wire import LogStretch
from daemon.wiring import parts
from daemon.wiring.config import Config
from daemon.wiring.replay.archives import (
    STORED_ITEMS,
    Archive,
    FileArchive,
    StoredArchive,
    TopicArchive,
    found_files,
    reachable,
    topic_now,
)
from daemon.wiring.replay.chunks import REJECTED, ROWS, TURNED, VOTES, Chunk, ChunkFolder, Identity
from daemon.wiring.replay.finishing import finish, finish_diff
from daemon.wiring.replay.labeler import Labeler, Order, Outcome, keys_of, label_piece
from daemon.wiring.replay.pieces import Piece
from daemon.wiring.replay.progress import ReplayProgress
from daemon.wiring.replay.publishing import kept, lines, publish
from labeling_functions.loading import load

Agree = Callable[[Sequence[str]], bool]
"""Tells somebody what would change, and asks whether it is to be published."""

BELIEVED_AT_FIRST = "what is believed before anything is learned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for.

    Attributes:
        files: names and patterns. topic: read instead of files. stored: what the database holds instead.
        rows: file for the items, .jsonl or .parquet. diff: file for the report; one of the two at least.
        chunk: items labeled at once.
        bundle: id of the bundle to label with; None for the current one.
        dask: address of a scheduler; None to work in this process.
        publish: let the votes take the place of stored ones, once somebody has seen the report and agrees.
    """

    files: tuple[str, ...] = ()
    topic: str | None = None
    stored: bool = False
    rows: Path | None = None
    diff: Path | None = None
    chunk: int = 5_000
    bundle: int | None = None
    dask: str | None = None
    publish: bool = False

    @property
    def out(self) -> Path:
        """The file that others beside it are named by. Raises SetupProblem if none is wanted."""
        out = self.rows or self.diff
        if out is None:
            raise SetupProblem(
                "replay: name a file for the items (--rows), for what would change (--diff), or both"
            )
        return out


@dataclass(frozen=True, slots=True)
class _Replay:
    """A replay that may begin or go on."""

    config: Config
    wish: Wish
    folder: ChunkFolder
    archive: Archive
    order: Order
    bundle: int | None
    room: ReplayRoom | None

    def identity(self) -> Identity:
        """What must be the same to go on, in words."""
        config, wish = self.config, self.wish
        return {
            "archive": self.archive.about(),
            "task": {"classes": ", ".join(config.task.classes), "kind": config.task.kind},
            "functions": {name: version for name, _, version in map(_parted, self.order.functions)},
            "models": {
                "bundle (--bundle)": "built-in priors" if self.bundle is None else str(self.bundle),
                "content of the bundle": sha256(self.order.bundle).hexdigest()[:16],
                "encoder": str(config.encoder),
            },
            "configuration": {
                "routing.costs": msgspec.json.encode(config.routing.costs, order="deterministic").decode(),
                "routing.ask_below": str(config.routing.ask_below),
                "stream.max_message_bytes": str(config.stream.max_message_bytes),
            },
            "options": {
                "--rows": "no" if wish.rows is None else wish.rows.suffix,
                "--diff": "no" if wish.diff is None else "yes",
                "--chunk": str(wish.chunk),
                "--publish": "yes" if wish.publish else "no",
            },
        }

    def run(self, agree: Agree) -> list[str]:
        """Label what is not done yet, put the outcome where it is wanted, publish; what came of it."""
        with self.folder.held():
            stretches = () if isinstance(self.archive, FileArchive) else self.archive.stretches
            self.folder.begin(self.identity(), {"stretches": [asdict(one) for one in stretches]})
            done = self.folder.done()
            before = sum(chunk.items for chunk in done.values())
            progress = ReplayProgress(self.archive.weight(), sum(chunk.weight for chunk in done.values()))
            todo = self._todo(frozenset(done))
            with progress, closing(self._outcomes(todo)) as outcomes:
                for outcome in outcomes:
                    chunk = self._keep(outcome)
                    done[chunk.number] = chunk
                    progress.advance(chunk.weight, chunk.items)
            told = [self._pace(done, before, progress.pace), *self._finish(done)]
            if self.wish.publish:
                if not agree(told):
                    return ["nothing is published; the same command asks again, without labeling anew"]
                told = lines(self._publish(done))
            self.folder.remove()
        return told

    def _pace(self, done: dict[int, Chunk], before: int, pace: float) -> str:
        resumed = f", {before:,} of them earlier" if before else ""
        total = sum(chunk.items for chunk in done.values())
        models = f"bundle {self.bundle}" if self.bundle is not None else BELIEVED_AT_FIRST
        return f"labeled {total:,} items by {models}{resumed}: {pace:,.0f} a second"

    def _publish(self, done: dict[int, Chunk]) -> Revoted:
        assert self.room is not None
        functions = [
            FunctionVersion(name, version) for name, _, version in map(_parted, self.order.functions)
        ]
        return publish(self.folder, done, self.room, functions)

    def _todo(self, done: frozenset[int]) -> Iterator[tuple[int, Piece]]:
        pieces = enumerate(self.archive.pieces(self.wish.chunk))
        return ((number, piece) for number, piece in pieces if number not in done)

    def _outcomes(self, todo: Iterable[tuple[int, Piece]]) -> Generator[Outcome, None, None]:
        if self.wish.dask is not None:
            yield from results(self.wish.dask, label_piece, self.order, todo)
            return
        with closing(Labeler(self.order)) as labeler:
            for number, piece in todo:
                yield labeler.label(number, piece)

    def _keep(self, outcome: Outcome) -> Chunk:
        diff, turned = self._compared(outcome.found)
        problems = outcome.problems
        chunk = Chunk(
            number=outcome.number,
            items=len(outcome.found),
            weight=outcome.piece.weight,
            rejected=dict(Counter(one.reason for one in problems)),
            first=f"{problems[0].place}: {problems[0].reason}: {problems[0].detail}" if problems else "",
            failures=dict(outcome.found.failures),
            messages=dict(outcome.found.messages),
            diff=diff,
        )
        files = {ROWS: outcome.rows, REJECTED: _json_lines(problems), TURNED: _json_lines(turned)}
        if self.wish.publish:
            files[VOTES] = kept(outcome.found)
        self.folder.keep(chunk, files)
        return chunk

    def _compared(self, found: Relabeled) -> tuple[Diff | None, list[Turned]]:
        if self.room is None or self.wish.diff is None:
            return None, []
        space, ask_below = self.config.task.space, self.config.routing.ask_below
        return compare(found, self.room.stored(found.ids), space, ask_below)

    def _finish(self, done: dict[int, Chunk]) -> list[str]:
        wish, config = self.wish, self.config
        told = finish(self.folder, done, config.task.space, wish.rows, wish.out)
        if wish.diff is not None:
            told += finish_diff(self.folder, done, wish.diff, self.bundle, config.routing.ask_below)
        return told


def main(config: Config, wish: Wish, agree: Agree) -> list[str]:
    """Label the archive anew, or go on where an earlier replay ended; lines that say what came of it.

    Reads the database, and the topic if one is named; writes only the files that the wish names, the ones
    beside them (`.rejected.jsonl`, `.turned.jsonl`) and, until it is done, the folder `.replay`. Where the
    wish is to publish, `agree` is told what would change, and then votes are written to the database.

    Raises:
        SetupProblem: something cannot be read or written, or what is there was begun with something else.
    """
    _check(wish)
    out = wish.out
    folder = ChunkFolder(out.with_name(f"{out.name}.replay"))
    for file in (wish.rows, wish.diff):
        if file is not None and file.exists() and folder.begun() is None:
            raise SetupProblem(f"replay: {file} is there already; remove it, or name another file")
    database = parts.look_into(config)
    try:
        return _prepared(config, wish, folder, database).run(agree)
    except OSError as error:
        raise SetupProblem(f"replay: {error.filename or out}: {error.strerror or error}") from None
    finally:
        if database is not None:
            database.close()


def _check(wish: Wish) -> None:
    if sum((bool(wish.files), wish.topic is not None, wish.stored)) != 1:
        raise SetupProblem("replay: name either files, or --topic, or --stored")
    if wish.rows is not None and wish.rows.suffix not in FORMS:
        raise SetupProblem(f"replay: --rows: {wish.rows} ends with neither of {', '.join(FORMS)}")
    if wish.publish and wish.diff is None:
        raise SetupProblem("replay: --publish wants --diff too: a report of what would change comes first")


def _prepared(config: Config, wish: Wish, folder: ChunkFolder, database: Database | None) -> _Replay:
    room = None if database is None else ReplayRoom(database)
    bundle, data = _bundle(config, wish, room)
    kafka, archive = _archive(config, wish, folder, room)
    order = Order(
        name=secrets.token_hex(8),
        config=config,
        bundle=data,
        functions=keys_of(load(config.functions.modules, config.folder)),
        kafka=kafka,
        form=None if wish.rows is None else wish.rows.suffix,
    )
    return _Replay(config, wish, folder, archive, order, bundle, room)


def _bundle(config: Config, wish: Wish, room: ReplayRoom | None) -> tuple[int | None, bytes]:
    """Id and bytes of the bundle to label with; what is believed at first, where none was promoted yet."""
    if room is None and (wish.diff is not None or wish.bundle is not None):
        raise SetupProblem("replay: there is no database yet to compare with or to take a bundle from")
    stored = None if room is None else room.bundle(wish.bundle)
    if stored is not None:
        return stored.id, stored.data
    if wish.bundle is not None:
        raise SetupProblem(f"replay: --bundle: the database has no bundle {wish.bundle}")
    return None, parts.prior_bundle(parts.policy(config)).to_bytes()


def _archive(
    config: Config, wish: Wish, folder: ChunkFolder, room: ReplayRoom | None
) -> tuple[KafkaSettings, Archive]:
    begun = folder.begun()
    if wish.stored:
        return config.kafka, _stored(wish, begun, room)
    if wish.topic is None:
        return config.kafka, found_files(wish.files)
    settings = reachable(config)
    now = topic_now(settings, wish.topic)
    pinned = TopicArchive(tuple(LogStretch(**one) for one in begun["stretches"])) if begun else now
    return settings, pinned if pinned.about() == now.about() else now


def _stored(wish: Wish, begun: Mapping[str, Any] | None, room: ReplayRoom | None) -> StoredArchive:
    """What was stored when the replay began: more has come since, and perhaps some was removed."""
    if room is None:
        raise SetupProblem("replay: --stored: there is no database yet")
    if begun is not None and STORED_ITEMS in begun["identity"]["archive"]:
        return StoredArchive(tuple(StoredStretch(**one) for one in begun["stretches"]))
    return StoredArchive(tuple(room.stretches(wish.chunk)))


def _parted(key: str) -> tuple[str, str, str]:
    """Name and version of a function, by its annotator key, with what stands between them."""
    return key.removeprefix("function:").rpartition("@")


def _json_lines(records: Iterable[Any]) -> bytes:
    return b"".join(msgspec.json.encode(one) + b"\n" for one in records)
