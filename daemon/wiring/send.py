"""`labelloop send`: items from a file or standard input to topic `items`, checked before they go."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from daemon.adapters.kafka.publisher import KafkaPublisher
from daemon.core.decoding import Arrival, Rejected, decode
from daemon.core.errors import SetupProblem
from daemon.core.wire import OutMessage, Record
from daemon.wiring import endpoints
from daemon.wiring.config import Config
from daemon.wiring.item_files import item_lines

CHUNK = 500


def main(config: Config, file: Path) -> int:
    """Send every item; number sent. They are checked in chunks: a wrong one keeps its whole chunk back.

    Args:
        file: JSON lines, CSV, Parquet or a folder of Parquet files, by its name; `-` for JSON lines from
            standard input.

    Raises:
        SetupProblem: no broker is known, the file cannot be read, or something in it is no item. Earlier
            chunks were sent.
    """
    bootstrap = config.kafka.bootstrap or endpoints.read(config.state, endpoints.BROKER)
    if bootstrap is None:
        raise SetupProblem("no broker is known: start `labelloop up` first, or set kafka.bootstrap")
    publisher = KafkaPublisher(replace(config.kafka, bootstrap=bootstrap))
    sent = 0
    try:
        topic = config.kafka.topics.items
        arrivals = _arrivals(item_lines(file), str(file), config)
        while chunk := list(islice(arrivals, CHUNK)):
            publisher.send([_message(arrival, topic, publisher) for arrival in chunk])
            sent += len(chunk)
    finally:
        publisher.close()
    return sent


def _arrivals(lines: Iterable[tuple[str, bytes]], name: str, config: Config) -> Iterator[Arrival]:
    max_bytes, kind = config.stream.max_message_bytes, config.task.kind
    for number, (place, line) in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = decode(Record(name, 0, number, None, line.strip(), 0), max_bytes, kind)
        if isinstance(found, Rejected):
            raise SetupProblem(f"{place}: {found.reason}: {found.detail}")
        yield found


def _message(arrival: Arrival, topic: str, publisher: KafkaPublisher) -> OutMessage:
    key = arrival.item.id.encode()
    return OutMessage(topic, publisher.partitions(topic, [key])[0], key, arrival.record.value or b"")
