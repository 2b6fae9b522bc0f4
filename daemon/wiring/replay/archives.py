"""What is labeled anew: files, or what a topic or the database held when the replay began."""

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from daemon.adapters.kafka.log_reader import LogReader
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.core.errors import SetupProblem
from daemon.core.replaying import StoredStretch
from daemon.core.wire import LogStretch
from daemon.wiring import endpoints
from daemon.wiring.config import Config
from daemon.wiring.item_files import CONTENT, is_csv, is_parquet, parquet_files
from daemon.wiring.replay.pieces import STORED, TOPIC, Piece, columns_of, pieces_of

STORED_ITEMS = "stored items"

About = Mapping[str, str]
"""What makes an archive the same as another one."""


@dataclass(frozen=True, slots=True)
class FileArchive:
    """Files, and folders of Parquet files, in this order."""

    files: tuple[Path, ...]

    def about(self) -> About:
        """Name, size and time of each file."""
        return {str(file): f"{file.stat().st_size} bytes, {file.stat().st_mtime_ns}" for file in self._all()}

    def weight(self) -> float:
        """Bytes."""
        return float(sum(file.stat().st_size for file in self._all()))

    def pieces(self, rows: int) -> Iterator[Piece]:
        """File by file."""
        for file in self.files:
            yield from pieces_of(file, rows)

    def _all(self) -> list[Path]:
        return [part for file in self.files for part in (parquet_files(file) if is_parquet(file) else [file])]


@dataclass(frozen=True, slots=True)
class TopicArchive:
    """Stretches of a topic's partitions."""

    stretches: tuple[LogStretch, ...]

    def about(self) -> About:
        """The topic's own id, since another may be made under its name."""
        return {one.topic: one.topic_id for one in self.stretches[:1]}

    def weight(self) -> float:
        """Offsets."""
        return float(sum(one.end - one.start for one in self.stretches))

    def pieces(self, rows: int) -> Iterator[Piece]:
        """Partition by partition."""
        for one in self.stretches:
            for start in range(one.start, one.end, rows):
                end = min(start + rows, one.end)
                yield Piece(
                    TOPIC,
                    one.topic,
                    one.topic,
                    one.partition,
                    start + 1,
                    end - start,
                    start,
                    end,
                    end - start,
                )


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """Items that the database held when the replay began."""

    stretches: tuple[StoredStretch, ...]

    def about(self) -> About:
        """How many they were, and when the last came."""
        last = self.stretches[-1].end if self.stretches else 0
        return {STORED_ITEMS: f"{self.weight():.0f}, up to {last}"}

    def weight(self) -> float:
        """Items."""
        return float(sum(one.items for one in self.stretches))

    def pieces(self, rows: int) -> Iterator[Piece]:  # noqa: ARG002 - cut when the replay began, and kept
        """Oldest first."""
        first = 1
        for one in self.stretches:
            yield Piece(STORED, "stored", "", 0, first, one.items, one.start, one.end, one.items)
            first += one.items


Archive = FileArchive | TopicArchive | StoredArchive
"""Says what must be the same for a replay to go on (`about`), what the weights of its pieces add up to
(`weight`), and cuts itself into the same pieces each time, of so many items at most (`pieces`)."""


def found_files(patterns: Sequence[str]) -> FileArchive:
    """Files and folders by name or pattern (`*`, `?`, `[...]`, `**`), those of a pattern in order.

    Raises:
        SetupProblem: there is none, one is named twice, or rows of two tables would get the same ids.
    """
    # whole paths: workers of a cluster stand in other folders
    files = [file.absolute() for pattern in patterns for file in _matching(pattern)]
    if twice := [file for file in files if files.count(file) > 1]:
        raise SetupProblem(f"replay: {twice[0]} is named twice")
    _refuse_same_ids(files)
    return FileArchive(tuple(files))


def reachable(config: Config) -> KafkaSettings:
    """The broker that is configured, or the one that `labelloop up` runs.

    Raises:
        SetupProblem: neither is known.
    """
    if config.kafka.bootstrap is not None:
        return config.kafka
    embedded = endpoints.read(config.state, endpoints.BROKER)
    if embedded is None:
        raise SetupProblem(
            "replay: --topic: no broker is known; start `labelloop up` first, or set kafka.bootstrap"
        )
    return replace(config.kafka, bootstrap=embedded, end_offsets_exact=False)


def topic_now(settings: KafkaSettings, topic: str) -> TopicArchive:
    """What the topic holds now.

    Raises:
        SetupProblem: it does not exist, or the broker does not answer.
    """
    reader = LogReader(settings)
    try:
        return TopicArchive(tuple(reader.stretches(topic)))
    finally:
        reader.close()


def _matching(pattern: str) -> list[Path]:
    if Path(pattern).exists():
        return [Path(pattern)]
    found = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 - patterns may begin anywhere
    if not found:
        raise SetupProblem(f"replay: there is no file {pattern}")
    if folders := [file for file in found if file.is_dir() and not list(file.rglob("*.parquet"))]:
        raise SetupProblem(f"replay: {folders[0]} is a folder without a Parquet file")
    return found


def _refuse_same_ids(files: Sequence[Path]) -> None:
    """Rows without an id get one of the file's name and their number."""
    named: dict[str, Path] = {}
    for file in files:
        if not (is_parquet(file) or is_csv(file)) or {"id", CONTENT} & set(columns_of(file)):
            continue
        if (other := named.setdefault(file.stem, file)) != file:
            raise SetupProblem(
                f"replay: {other} and {file} have no column id, so that their rows would get the same ids, "
                f"{file.stem}-1 and so on; rename one"
            )
