"""What the insights page reads, on both databases."""

import itertools

import numpy as np
import pytest
from rows_for_tests import add_annotator, add_answer, add_items, add_question
from sqlalchemy import insert

from daemon.adapters.store import insights
from daemon.adapters.store.codec import pack_frozen
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.insights import InsightRoom
from daemon.adapters.store.schema import labels, windows
from daemon.adapters.store.stream import StreamRoom
from daemon.core.report_rows import AuditedPair
from daemon.core.rows import FunctionSet, FunctionVersion
from daemon.core.window_rows import Frozen

PRIZE, GREETING, CAPITALS = (FunctionVersion(name, "1") for name in ("prize", "greeting", "capitals"))


@pytest.fixture
def room(database: Database) -> InsightRoom:
    return InsightRoom(database, frozenset({"expert"}))


def _votes(*said: int) -> bytes:
    return np.array(said, np.int8).tobytes()


def _register(database: Database, *functions: FunctionVersion) -> FunctionSet:
    return StreamRoom(database, {}).register_functions(functions)


def test_an_empty_database_gives_empty_samples(room: InsightRoom) -> None:
    rows = room.insight_rows()
    assert (list(rows.functions), list(rows.windows), list(rows.costs)) == ([], [], [])
    assert (len(rows.votes), len(rows.checked.truth)) == (0, 0)


def test_votes_are_those_of_the_functions_that_voted_last(
    room: InsightRoom, database: Database, clock: MovableClock
) -> None:
    before = _register(database, PRIZE)
    now = _register(database, GREETING, PRIZE)
    add_items(database, ["old"], functions=before.id, inline=_votes(1))
    clock.advance(1)
    add_items(database, ["new"], functions=now.id, inline=_votes(0, -1))
    rows = room.insight_rows()
    assert list(rows.functions) == [GREETING, PRIZE]
    assert rows.votes.tolist() == [[0, -1]]


def test_only_the_newest_items_are_counted(
    room: InsightRoom, database: Database, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _register(database, PRIZE)
    add_items(database, ["old"], functions=made.id, inline=_votes(1))
    clock.advance(1)
    add_items(database, ["new"], functions=made.id, inline=_votes(0))
    monkeypatch.setattr(insights, "VOTES", 1)
    assert room.insight_rows().votes.tolist() == [[0]]


def test_functions_are_checked_by_experts_on_random_items_alone(
    room: InsightRoom, database: Database
) -> None:
    before = _register(database, CAPITALS, PRIZE)
    now = _register(database, GREETING, PRIZE)
    ann, bob = add_annotator(database, "ann"), add_annotator(database, "bob", "crowd")
    add_items(database, ["a"], functions=before.id, inline=_votes(0, 1))
    add_items(database, ["b", "c", "d"], functions=now.id, inline=_votes(0, -1))
    add_answer(database, "a", ann, 1, purpose="gold")
    add_answer(database, "b", bob, 1, purpose="audit")
    add_answer(database, "b", ann, 0, purpose="audit")
    add_answer(database, "b", add_annotator(database, "eve"), 1, purpose="audit")
    add_answer(database, "c", ann, 1, purpose="settle")
    add_answer(database, "d", ann, 1, purpose="outgoing")
    checked = room.insight_rows().checked
    assert checked.truth.tolist() == [1, 0], "the first expert's answer counts, and only on random items"
    newest = [function.name for function in room.insight_rows().functions]
    aligned = {"greeting": [-1, 0], "prize": [1, -1], "capitals": [0, -1]}
    assert checked.votes.tolist() == [list(row) for row in zip(*(aligned[n] for n in newest), strict=True)]


def test_votes_of_sets_stand_class_by_class(database: Database) -> None:
    made = _register(database, PRIZE, GREETING)
    add_items(
        database,
        ["a"],
        functions=made.id,
        inline=_votes(1, -1, 0, -1, 0, -1),
        labels=_votes(1, 0, 0),
    )
    add_answer(database, "a", add_annotator(database, "ann"), 0b101, purpose="gold", n_facets=3)
    rows = InsightRoom(database, frozenset({"expert"}), 3).insight_rows()
    assert rows.votes.tolist() == rows.checked.votes.tolist() == [[1, -1, 0, -1, 0, -1]]
    assert rows.checked.truth.tolist() == [0b101]


def test_audits_stand_for_as_many_items_as_their_coin_says(room: InsightRoom, database: Database) -> None:
    add_items(database, ["a", "b"])
    frozen = Frozen(["a", "b"], np.array([0.9, 0.4], np.float32), np.array([[1], [0]], np.int8))
    row = {
        "state": "closed",
        "n": 2,
        "p": 0.5,
        "rest": 0.1,
        "alpha": 0.05,
        "delta": 0.1,
        "lambdas": np.array([0.8], "<f8").tobytes(),
        "start": 0,
        "tier": "expert",
        "price": 10,
        "priority": 20.0,
        "deadline": 0,
        "frozen_at": 0,
        "frozen": pack_frozen(frozen),
        "audited": np.array([0, 1], "<i4").tobytes(),
        "wrong": _votes(0, 1),
        "tau": 0.8,
        "certified": 1,
        "closed_at": 7,
    }
    with database.write() as connection:
        connection.execute(insert(windows), [row, {**row, "state": "open", "closed_at": None}])
    ann = add_annotator(database, "ann")
    for item, label, chance in (("a", 1, 0.5), ("b", 1, 0.1)):
        question = add_question(database, item, purpose="audit", window=1, chance=chance)
        add_answer(database, item, ann, label, question, purpose="audit")
    (window,) = room.insight_rows().windows
    assert (window.id, window.n, window.certified, window.tau) == (1, 2, 1, 0.8)
    assert window.weights.tolist() == pytest.approx([2.0, 10.0])
    assert window.wrong.tolist() == [False, True]
    assert sorted(window.pairs, key=lambda pair: pair.label) == [
        AuditedPair(1, 0, 1, pytest.approx(10.0)),
        AuditedPair(1, 1, 1, pytest.approx(2.0)),
    ]


def test_costs_are_of_current_labels_by_when_their_items_came(
    room: InsightRoom, database: Database, clock: MovableClock
) -> None:
    add_items(database, ["a", "b"], revision=2, state="human")
    clock.advance(3_600)
    add_items(database, ["c"], revision=1, state="certified")
    add_items(database, ["unpublished"], revision=0)
    told = {
        "labels": _votes(1),
        "probabilities": np.array([0.2, 0.8], np.float32).tobytes(),
        "status": "human",
        "at": 1,
    }
    with database.write() as connection:
        for item, revision, cost in (("a", 1, 1), ("a", 2, 50), ("b", 2, 70), ("c", 1, 9)):
            row = {"item": item, "revision": revision, "cost": cost, **told}
            connection.execute(insert(labels), row)
    costs = room.insight_rows().costs
    assert len(costs) == 20
    assert [(one.items, one.human, one.micros) for one in costs if one.items] == [(2, 2, 120), (1, 0, 9)]
    assert (costs[0].items, costs[-1].items) == (2, 1)
    assert all(one.end == two.start for one, two in itertools.pairwise(costs))
