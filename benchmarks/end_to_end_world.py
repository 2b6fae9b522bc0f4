"""A stream of short texts on Kafka, functions in both forms, and what is read of a run."""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from kafka import KafkaProducer

from benchmarks.labeling_functions import PATTERNS, WORDS

CLASSES = ("ham", "spam")
TOPICS = {"items": "items", "labels": "labels", "questions": "questions", "dead_letters": "dead-letters"}
PARTITIONS = 4
GOLD = 300
"""Answers that the models are trained on: few enough to be given by hand, and enough for two trainings to ask
about the same few items."""

FUNCTIONS = "from labeling_functions import matches\n\n" + "\n".join(
    f"f{j} = matches('f{j}', {pattern!r}, {j % 2})" for j, pattern in enumerate(PATTERNS)
)
"""The ten of `benchmarks.labeling_functions`, as a user of ours writes them."""

SPAM_SHARE = 0.3
SPAM_WORDS = "free prize winner call now txt WIN to 80086 £1000 08712345678 www.example.com t&c URGENT claim"
HAM_WORDS = "ok lol see you im late lunch home tomorrow the a and your love going have been think about where"
STRAY = 0.05
"""Share of a text's words that come from the other kind."""

_SPAM = re.compile(r"(?i)free|prize|winner|£|www\.")


class Text(NamedTuple):
    """A short message, and what an expert says of it."""

    text: str
    truth: str


def clear_texts(count: int, seed: int) -> Iterator[Text]:
    """Messages of 4 to 24 words that mostly show what they are, as those of a stream that functions were
    written for.
    """
    chance, words_of = random.Random(seed), (HAM_WORDS.split(), SPAM_WORDS.split())
    for _ in range(count):
        spam = chance.random() < SPAM_SHARE
        words = [
            chance.choice(words_of[spam != (chance.random() < STRAY)]) for _ in range(chance.randint(4, 24))
        ]
        yield Text(" ".join(words), CLASSES[spam])


def mixed_texts(count: int, seed: int) -> Iterator[Text]:
    """Messages of 4 to 24 words drawn from one pot: functions contradict each other on most of them."""
    chance, words = random.Random(seed), WORDS.split()
    for _ in range(count):
        text = " ".join(chance.choices(words, k=chance.randint(4, 24)))
        yield Text(text, CLASSES[len(_SPAM.findall(text)) > 1])


TEXTS: Mapping[str, Callable[[int, int], Iterator[Text]]] = {"clear": clear_texts, "mixed": mixed_texts}


def produce(bootstrap: str, count: int, seed: int, kind: str = "clear", partitions: int = PARTITIONS) -> None:
    """Write so many items of one kind of `TEXTS`, spread over all partitions, and see them acknowledged."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=50, batch_size=262_144)
    try:
        for number, one in enumerate(TEXTS[kind](count, seed)):
            told = {"id": f"{seed}-{number}", "text": one.text, "metadata": {"truth": one.truth}}
            value = json.dumps(told).encode()
            producer.send(TOPICS["items"], value, partition=number % partitions)
        producer.flush()
    finally:
        producer.close()


def configuration(
    bootstrap: str, url: str, batch_items: int, encoder: str | None = None, processes: int = 1
) -> dict[str, Any]:
    """Heuristics, and an encoder if one is named."""
    return {
        "task": {"name": "throughput", "classes": list(CLASSES)},
        "functions": {"modules": ["my_functions.py"]},
        "encoder": encoder,
        "encoding": {"processes": processes},
        "tiers": {"crowd": {"price": 0.05}, "expert": {"price": 0.6, "final": True, "budget_per_day": 500}},
        "guarantee": {"cold_start_gold": GOLD},
        "kafka": {"bootstrap": bootstrap, "topics": TOPICS, "partitions": PARTITIONS, "create_topics": True},
        "stream": {"batch_items": batch_items},
        "mlflow": {"uri": "http://127.0.0.1:1"},
        "database": {"url": url},
        "state": "state",
    }
