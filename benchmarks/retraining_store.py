"""A store of any number of items with votes and answers, as it looks after a stream of that length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from daemon.adapters.store import annotating
from daemon.adapters.store.bulk import bulk_insert
from daemon.adapters.store.codec import rows_of
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import answers, items, positions, vectors
from daemon.core.rows import FunctionVersion
from daemon.core.states import AnnotatorKind

FUNCTIONS = 10
CLASSES = 2
DIMENSIONS = 384
ENCODER = "all-MiniLM-L6-v2"
SPOKEN = 0.5
"""How often a function does not abstain, and how often it is then right."""
RIGHT = 0.75
AUDITED = 0.01
"""Share of the items that an expert answered at random,"""
SETTLED = 0.02
"""that three people of the crowd answered in doubt,"""
ASKED_MODEL = 0.1
"""and that a language model answered."""
PEOPLE = 40
FIRST_AUDITS = 60
"""Of the cold start, however short the stream."""
CHUNK = 16_384


def fill(url: str, begin: int, end: int, with_vectors: bool) -> None:
    """Add items number `begin` to `end` - 1 to a migrated database that this has filled up to `begin`."""
    database = Database(url)
    try:
        for first in range(begin, end, CHUNK):
            with database.write() as connection:
                _add(connection, np.arange(first, min(first + CHUNK, end)), with_vectors)
    finally:
        database.close()


def _add(connection: Connection, numbers: np.ndarray[Any, Any], with_vectors: bool) -> None:
    random, n = np.random.default_rng(int(numbers[0])), len(numbers)
    truth = random.integers(CLASSES, size=n)
    right = random.random((n, FUNCTIONS)) < RIGHT
    votes = np.where(right, truth[:, None], 1 - truth[:, None])
    votes[random.random((n, FUNCTIONS)) >= SPOKEN] = -1
    ids = [f"item-{number:08}" for number in numbers.tolist()]
    made = annotating.register_functions(
        connection, [FunctionVersion(f"f{j}", "1") for j in range(FUNCTIONS)]
    )
    posterior = np.full((n, CLASSES), 1 / CLASSES, np.float32)
    bulk_insert(
        connection,
        items,
        {
            "id": ids,
            "topic_id": ["topic"] * n,
            "partition": [0] * n,
            "offset": numbers.tolist(),
            "subject": [None] * n,
            "payload": [f'{{"id": "{id_}", "text": "a message, number {id_}"}}'.encode() for id_ in ids],
            "digest": [bytes(16)] * n,
            "arrived": (1_000 + numbers).tolist(),
            "functions": [made.id] * n,
            "inline": rows_of(votes, "i1"),
            "posterior": rows_of(posterior, "<f4"),
            "labels": rows_of(truth[:, None], "i1"),
            "score": [0.5] * n,
            "state": ["asking" if number % 10 == 0 else "certified" for number in numbers.tolist()],
            "revision": [1] * n,
            "changed": (1_000 + numbers).tolist(),
        },
    )
    if with_vectors:
        shown = random.normal(size=(n, DIMENSIONS)) + np.outer(2 * truth - 1, np.ones(DIMENSIONS)) / 10
        shown /= np.linalg.norm(shown, axis=1, keepdims=True)
        columns: dict[str, Sequence[Any]] = {
            "item": ids,
            "encoder": [ENCODER] * n,
            "vector": rows_of(shown, "<f2"),
        }
        bulk_insert(connection, vectors, columns)
    _answer(connection, numbers, ids, truth, random)
    if not numbers[0]:
        where: dict[str, Sequence[Any]] = {"topic_id": ["topic"], "partition": [0], "topic": ["items"]}
        bulk_insert(connection, positions, {**where, "next_offset": [0], "stored": [1]})


def _answer(
    connection: Connection,
    numbers: np.ndarray[Any, Any],
    ids: Sequence[str],
    truth: np.ndarray[Any, Any],
    random: np.random.Generator,
) -> None:
    person, model = AnnotatorKind.PERSON, AnnotatorKind.LLM
    crowd = [(person, f"w{number}", "", "crowd") for number in range(PEOPLE)]
    expert, llm, *people = annotating.register(
        connection, [(person, "eve", "", "expert"), (model, "cheap", "1", "cheap"), *crowd]
    )
    lot = random.random(len(ids))
    audited = np.flatnonzero((lot < AUDITED) | (numbers < FIRST_AUDITS))
    settled = np.flatnonzero((lot >= AUDITED) & (lot < AUDITED + SETTLED) & (numbers >= FIRST_AUDITS))
    read = np.flatnonzero((lot >= 1 - ASKED_MODEL) & (numbers >= FIRST_AUDITS))
    three = np.array([random.permutation(people)[:3] for _ in settled], np.int64).reshape(-1, 3)
    for rows, who, purpose, right in (
        (audited, np.full(len(audited), expert), "gold", 1.0),
        *((settled, three[:, place], "settle", 0.85) for place in range(3)),
        (read, np.full(len(read), llm), "settle", 0.8),
    ):
        said = np.where(random.random(len(rows)) < right, truth[rows], 1 - truth[rows])
        bulk_insert(
            connection,
            answers,
            {
                "item": [ids[row] for row in rows.tolist()],
                "annotator": who.tolist(),
                "purpose": [purpose] * len(rows),
                "labels": rows_of(said[:, None], "i1"),
                "at": (2_000 + numbers[rows]).tolist(),
            },
        )
