"""One piece of an archive, labeled: the function that every process runs, here or on a cluster."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.adapters.kafka.log_reader import LogReader
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.replayed import FORMS
from daemon.adapters.store.engine import Database
from daemon.adapters.store.replaying import ReplayRoom
from daemon.core.errors import SetupProblem
from daemon.core.evidence import function_key
from daemon.core.replaying import Relabeled, Relabeler, StoredStretch
from daemon.core.rows import FunctionVersion
from daemon.core.wire import Record
from daemon.wiring import parts
from daemon.wiring.config import Config
from daemon.wiring.encoding import load_encoding
from daemon.wiring.replay.pieces import STORED, TOPIC, Piece, read_piece
from labeling_functions.applier import Applier
from labeling_functions.function import Function
from labeling_functions.loading import load
from models.bundles import read_bundle


@dataclass(frozen=True, slots=True)
class Order:
    """All that a process is told; it goes to other machines, which have the same files at the same places.

    Attributes:
        name: no other order has it.
        bundle: its bytes.
        functions: annotator keys that the functions must have.
        kafka: where a topic is read.
        form: ending of the file that rows are written to; None for no rows.
    """

    name: str
    config: Config
    bundle: bytes
    functions: tuple[str, ...]
    kafka: KafkaSettings
    form: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """A record that is no item: where it stands, one word for counting, and what helps a person."""

    place: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A piece, labeled. `number` of the piece; `rows`: the file with its items, empty without a form."""

    number: int
    piece: Piece
    rows: bytes
    found: Relabeled
    problems: Sequence[Problem]


class Labeler:
    """Labels pieces of one order. Any thread may call it, one is served at a time."""

    def __init__(self, order: Order) -> None:
        """Loads functions and, where the bundle has a classifier for it, the encoder.

        Raises:
            SetupProblem, LoadError, EncoderUnavailable: they are not here, or functions are others.
        """
        config = order.config
        functions = load(config.functions.modules, config.folder)
        keys = keys_of(functions)
        if others := sorted(set(keys) ^ set(order.functions)):
            raise SetupProblem(
                f"replay: this process has other labeling functions than the one that began ({others[0]}); "
                "give it the same files, and start it anew"
            )
        bundle = read_bundle(order.bundle)
        encoding = load_encoding(config) if bundle.has_classifier else None
        self._order = order
        self._space = config.task.space
        self._relabeler = Relabeler(
            applier=Applier(functions, config.task.space, config.stream.function_seconds),
            keys=keys,
            encoder=None if encoding is None else encoding.encoder,
            policy=parts.policy(config),
            bundle=bundle,
            max_bytes=config.stream.max_message_bytes,
        )
        self._log: LogReader | None = None
        self._database: Database | None = None
        self._lock = threading.Lock()

    def label(self, number: int, piece: Piece) -> Outcome:
        """Read a piece and label it. Raises SetupProblem if it cannot be read."""
        with self._lock:
            found = self._relabeler.relabel(self._read(piece))
        form = self._order.form
        rows = b"" if form is None else FORMS[form].chunk(found, self._space)
        problems = [Problem(piece.place(one.record), one.reason, one.detail) for one in found.rejected]
        return Outcome(number, piece, rows, found.without_rows(), problems)

    def _read(self, piece: Piece) -> list[Record]:
        if piece.kind == STORED:
            return self._stored(piece)
        if piece.kind != TOPIC:
            return read_piece(piece)
        if self._log is None:
            self._log = LogReader(self._order.kafka)
        return self._log.read(piece.path, piece.partition, piece.start, piece.end)

    def _stored(self, piece: Piece) -> list[Record]:
        if self._database is None:
            self._database = parts.look_into(self._order.config)
        if self._database is None:
            raise SetupProblem("replay: --stored: this process finds no database at the configured place")
        payloads = ReplayRoom(self._database).payloads(StoredStretch(piece.start, piece.end, piece.rows))
        return [
            Record(piece.source, 0, number, None, payload, 0)
            for number, payload in enumerate(payloads, start=piece.first)
        ]

    def close(self) -> None:
        """Disconnect from the broker and the database."""
        if self._log is not None:
            self._log.close()
        if self._database is not None:
            self._database.close()


def keys_of(functions: Sequence[Function]) -> tuple[str, ...]:
    """Annotator keys of functions, in their order."""
    return tuple(function_key(FunctionVersion(one.name, one.version)) for one in functions)


_last: list[tuple[str, Labeler]] = []
_loading = threading.Lock()


def label_piece(order: Order, number: int, piece: Piece) -> Outcome:
    """`Labeler.label` for processes that are given one piece after the other; the last labeler is kept."""
    with _loading:
        if not _last or _last[0][0] != order.name:
            for _, before in _last:
                before.close()
            _last[:] = [(order.name, Labeler(order))]
        labeler = _last[0][1]
    return labeler.label(number, piece)
