"""Arrivals and decisions of two classes, as the pure core would hand them to the store."""

from collections.abc import Sequence

import numpy as np

from daemon.core.rows import Arrivals, Ask, Asked, Compose, Decision, OpenItem
from daemon.core.states import ItemState, LabelStatus, Purpose
from daemon.core.wire import LogStart, OutMessage, Span

TOPIC = "topic-id"


def start(partition: int = 0, beginning: int = 0) -> LogStart:
    """Where a partition of `items` begins."""
    return LogStart(TOPIC, "items", partition, beginning)


def span(first: int, next_: int, partition: int = 0) -> Span:
    """A stretch of `items`."""
    return Span(TOPIC, "items", partition, first, next_)


def arrivals(ids: Sequence[str], partition: int = 0, vectors: bool = False, functions: int = 1) -> Arrivals:
    """Items with two votes each."""
    n = len(ids)
    return Arrivals(
        ids=ids,
        payloads=[f'{{"id": "{id_}", "text": "hello"}}'.encode() for id_ in ids],
        digests=[id_.encode().ljust(16, b"\0")[:16] for id_ in ids],
        subjects=[None] * n,
        topic_ids=[TOPIC] * n,
        partitions=[partition] * n,
        offsets=list(range(n)),
        functions=functions,
        inline=np.tile(np.array([1, -1], np.int8), (n, 1)),
        vectors=np.arange(n * 3, dtype=np.float16).reshape(n, 3) if vectors else None,
        encoder="small" if vectors else None,
    )


def decision(
    n: int,
    state: ItemState = ItemState.ASKING,
    label: int = 1,
    status: LabelStatus = LabelStatus.PROVISIONAL,
    publish: bool = True,
    withdraw: bool = False,
    asks: Sequence[Ask] = (),
    scores: Sequence[float] | None = None,
    bundle: int | None = None,
    window: int | None = None,
) -> Decision:
    """The same for each of n items."""
    posterior = np.full((n, 2), 0.2, np.float32)
    posterior[:, label] = 0.8
    return Decision(
        posterior=posterior,
        labels=np.full((n, 1), label, np.int8),
        scores=np.array(scores if scores is not None else [0.8] * n, np.float32),
        classifier=posterior,
        bundle=bundle,
        states=[state] * n,
        publish=np.full(n, publish),
        status=[status] * n,
        withdraw=np.full(n, withdraw),
        asks=asks,
        window=window,
    )


def ask(row: int, tier: str = "expert", price: int = 10, priority: float = 1.0) -> Ask:
    """A wanted vote."""
    return Ask(row, tier, Purpose.SETTLE, priority, price)


def draw(row: int, priority: float = 1.0) -> Ask:
    """A wanted random blind answer, whose money must be there."""
    return Ask(row, "expert", Purpose.GOLD, priority, 10)


def message(value: str, partition: int = 0, topic: str = "labels") -> OutMessage:
    """A message to be published."""
    return OutMessage(topic, partition, b"key", value.encode(), (("reason", b"test"),))


def silent(asked: Sequence[Asked]) -> Sequence[OutMessage]:
    """Publishes nothing."""
    return ()


def always(made: Decision, compose: Compose = silent) -> "Always":
    """Decides whatever it is given in one way, and remembers what it was given."""
    return Always(made, compose)


class Always:
    """Called by the store with locked items."""

    def __init__(self, made: Decision, compose: Compose) -> None:
        self.made = made
        self.compose = compose
        self.seen: list[OpenItem] = []

    def __call__(self, items: Sequence[OpenItem]) -> tuple[Decision, Compose]:
        self.seen.extend(items)
        return self.made, self.compose
