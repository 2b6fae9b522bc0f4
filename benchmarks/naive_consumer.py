"""What a team writes in an afternoon: a Kafka consumer that calls snorkel for each batch.

    python -m benchmarks.naive_consumer BOOTSTRAP COUNT

Reads topic `items` from its beginning, labels with `PandasLFApplier` and `LabelModel`, publishes to topic
`naive-labels` and commits. Nothing is stored, nobody is asked, nothing is certified. Prints items per second
without the start and the first fit.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import pandas as pd
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from snorkel.labeling import LabelingFunction, PandasLFApplier
from snorkel.labeling.model import LabelModel

from benchmarks.end_to_end_world import CLASSES, PARTITIONS, TOPICS
from benchmarks.labeling_functions import PATTERNS

LABELS = "naive-labels"
BATCH = 500
FIRST = 2_000
"""Items that the label model is fitted on."""


def main() -> None:
    """Label so many items and print how fast that was."""
    bootstrap, count = sys.argv[1], int(sys.argv[2])
    consumer = KafkaConsumer(
        TOPICS["items"],
        bootstrap_servers=bootstrap,
        group_id="naive",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=BATCH,
    )
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({LABELS: {"num_partitions": PARTITIONS, "configs": {}}}, wait_for_metadata=True)
    admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    applier = PandasLFApplier([LabelingFunction(f"f{j}", _body(p, j % 2)) for j, p in enumerate(PATTERNS)])
    model = LabelModel(cardinality=len(CLASSES), verbose=False)
    first: list[dict[str, Any]] = []
    while len(first) < FIRST:
        first.extend(_read(consumer))
    model.fit(applier.apply(pd.DataFrame(first), progress_bar=False), seed=1)
    done, began = 0, time.perf_counter()
    while done < count:
        items = _read(consumer)
        if not items:
            continue
        found = model.predict_proba(applier.apply(pd.DataFrame(items), progress_bar=False))
        for item, row in zip(items, found, strict=True):
            label = {"item": item["id"], "label": CLASSES[row.argmax()], "probabilities": row.tolist()}
            producer.send(LABELS, json.dumps(label).encode(), key=item["id"].encode())
        producer.flush()
        consumer.commit()
        done += len(items)
    print(f"{done / (time.perf_counter() - began):.0f}")


def _read(consumer: Any) -> list[dict[str, Any]]:
    polled = consumer.poll(timeout_ms=500)
    return [json.loads(message.value) for messages in polled.values() for message in messages]


def _body(pattern: str, label: int) -> Callable[[Any], int]:
    search = re.compile(pattern).search
    return lambda x: label if search(x.text) else -1


if __name__ == "__main__":
    main()
