"""A stream of short texts on Kafka, functions in both forms, and what is read of a run."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any

from kafka import KafkaProducer

from benchmarks.labeling_functions import PATTERNS, WORDS

CLASSES = ("ham", "spam")
TOPICS = {"items": "items", "labels": "labels", "questions": "questions", "dead_letters": "dead-letters"}
PARTITIONS = 4

FUNCTIONS = "from labeling_functions import matches\n\n" + "\n".join(
    f"f{j} = matches('f{j}', {pattern!r}, {j % 2})" for j, pattern in enumerate(PATTERNS)
)
"""The ten of `benchmarks.labeling_functions`, as a user of ours writes them."""

_SPAM = re.compile(r"(?i)free|prize|winner|£|www\.")


def truth(text: str) -> str:
    """What an expert says."""
    return CLASSES[len(_SPAM.findall(text)) > 1]


def texts(count: int, seed: int) -> Iterator[str]:
    """Short messages, of 4 to 24 words."""
    chance, words = random.Random(seed), WORDS.split()
    for _ in range(count):
        yield " ".join(chance.choices(words, k=chance.randint(4, 24)))


def produce(bootstrap: str, count: int, seed: int, partitions: int = PARTITIONS) -> None:
    """Write so many items, spread over all partitions; acknowledged when this returns."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=50, batch_size=262_144)
    try:
        for number, text in enumerate(texts(count, seed)):
            value = json.dumps({"id": f"{seed}-{number}", "text": text}).encode()
            producer.send(TOPICS["items"], value, partition=number % partitions)
        producer.flush()
    finally:
        producer.close()


def configuration(bootstrap: str, url: str, batch_items: int) -> dict[str, Any]:
    """Heuristics only."""
    return {
        "task": {"name": "throughput", "classes": list(CLASSES)},
        "functions": {"modules": ["my_functions.py"]},
        "encoder": None,
        "tiers": {"crowd": {"price": 0.05}, "expert": {"price": 0.6, "final": True, "budget_per_day": 100}},
        "guarantee": {"cold_start_gold": 60},
        "kafka": {"bootstrap": bootstrap, "topics": TOPICS, "partitions": PARTITIONS, "create_topics": True},
        "stream": {"batch_items": batch_items},
        "mlflow": {"uri": "http://127.0.0.1:1"},
        "database": {"url": url},
        "state": "state",
    }
