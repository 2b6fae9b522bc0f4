"""Labels of any number of classes on both databases: answered, audited, frozen, counted and told as sets."""

from dataclasses import replace

import numpy as np
import pytest
from decisions_for_tests import decision, silent
from rows_for_tests import add_items, add_question, all_rows
from sqlalchemy import insert
from window_harness import DOUBLE, TERMS, Coins

from daemon.adapters.store import codec, open_items
from daemon.adapters.store.asking import recheck_items
from daemon.adapters.store.call_plans import CallPlanRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.exports import ExportRoom
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.model_queue import ModelQueueRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import answers, labels
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.core.call_rows import ModelVote
from daemon.core.errors import LeaseLost
from daemon.core.report_rows import NO_CLASS, AuditedPair
from daemon.core.rows import Answer, FunctionVersion, OpenItem
from daemon.core.states import ItemState, LabelStatus
from daemon.core.window_rows import Closing, OpenWindow, WindowPlan
from labeling_functions.label_space import spread

BILLING, DELIVERY, PRAISE = 1, 2, 4
NONE = 0
F = 3
CAPS: dict[str, int | None] = {"expert": None}


def _posterior(*applies: float) -> bytes:
    """P(no), P(yes) of each class, as stored."""
    return np.array([[1 - p, p] for p in applies], "<f4").tobytes()


def _items(database: Database, ids: list[str], label: int = BILLING | PRAISE, **changes: object) -> None:
    kept = {"labels": codec.label_bytes(label, F), "posterior": _posterior(0.9, 0.2, 0.5)}
    inline = np.array([1, -1, -1, 0, 0, 1], np.int8).tobytes()
    add_items(database, ids, **{**kept, "inline": inline, **changes})


def _asked(database: Database, *ids: str, **changes: object) -> list[int]:
    _items(database, [*ids])
    return [add_question(database, id_, **changes) for id_ in ids]


def _answer(room: QuestionRoom, name: str, *said: int) -> None:
    """One person answers what they are given first, once for each of `said`."""
    person = room.enroll(name, "expert").id
    for label in said:
        (lease,) = room.lease(person, "expert", 1, 60)
        room.answer(lease.question, person, label, 1.0)


def _read(database: Database, id_: str) -> OpenItem:
    with database.write() as connection:
        (found,) = open_items.complete(connection, open_items.lock(connection, [id_]))
    return found


def _given(database: Database, id_: str) -> list[Answer]:
    return [*_read(database, id_).answers]


@pytest.fixture
def room(database: Database) -> QuestionRoom:
    return QuestionRoom(database, n_facets=F)


@pytest.mark.parametrize("said", [NONE, DELIVERY, BILLING | PRAISE])
def test_an_answer_is_a_set_and_comes_back_as_it_was(
    room: QuestionRoom, database: Database, said: int
) -> None:
    (question,) = _asked(database, "a")
    ann = room.enroll("ann", "expert").id
    first = room.answer(question, ann, said, 2.0)
    assert room.answer(question, ann, said, 2.0) == first, "repeating it changes nothing"
    with pytest.raises(LeaseLost, match="undo comes first"):
        room.answer(question, ann, said ^ DELIVERY, 2.0)
    (answer,) = _given(database, "a")
    assert (answer.label, answer.confidence, answer.by_class) == (said, None, ())
    (row,) = all_rows(database, answers)
    assert np.frombuffer(row.labels, np.int8).tolist() == [said & 1, said >> 1 & 1, said >> 2 & 1]


def test_a_set_taken_back_can_be_answered_otherwise(room: QuestionRoom, database: Database) -> None:
    (question,) = _asked(database, "a")
    ann = room.enroll("ann", "expert").id
    room.answer(question, ann, BILLING, 2.0)
    again = room.undo(ann, 60, question)
    assert again is not None and again.question == question
    assert _given(database, "a") == []
    room.answer(question, ann, NONE, 2.0)
    assert [answer.label for answer in _given(database, "a")] == [NONE]


def test_a_model_is_as_sure_of_a_set_as_of_its_least_certain_class(database: Database) -> None:
    room = ModelQueueRoom(database, F)
    _items(database, ["a", "b"])
    model = room.enroll("small/plain", "1", "llm").id
    sure, silent_one = (add_question(database, id_, "llm") for id_ in ("a", "b"))
    for question in (sure, silent_one):
        room.lease(model, "llm", 1, 60)
        said = (0.9, 0.3, 0.8) if question == sure else None
        room.answer(question, model, ModelVote(BILLING | PRAISE, said))
    (answer,), (other,) = _given(database, "a"), _given(database, "b")
    assert answer.label == other.label == BILLING | PRAISE
    assert answer.by_class == pytest.approx((0.9, 0.3, 0.8))
    assert answer.confidence == pytest.approx(0.7), "that delivery does not apply is the least certain"
    assert (other.by_class, other.confidence) == ((), None)


def test_learners_read_answers_as_sets(room: QuestionRoom, database: Database) -> None:
    _asked(database, "a", "b", purpose="gold", chance=0.5)
    _answer(room, "ann", BILLING | DELIVERY, NONE)
    rows = LearningRoom(database).training_rows(9)
    said = {rows.ids[place]: (answer.label, answer.chance) for place, answer in rows.answers}
    assert said == {"a": (BILLING | DELIVERY, 0.5), "b": (NONE, 0.5)}
    known = CallPlanRoom(database, frozenset({"expert"})).answered(9)
    assert [label for _, label in known] == [NONE, BILLING | DELIVERY]


class _House:
    """Windows over four items whose frozen sets are given."""

    def __init__(self, database: Database, room: QuestionRoom) -> None:
        self.database, self.people, self.coins = database, room, Coins()
        self.room = WindowRoom(database, CAPS, self.coins)
        duty = StreamRoom(database, CAPS).take_duty("windows", "me", 1e6)
        assert duty is not None
        self.duty = duty

    def freeze(self, sets: dict[str, int], *picks: int, terms: WindowPlan = TERMS) -> int:
        for id_, label in sets.items():
            _items(self.database, [id_], label, state="ready", ready_since=1_000, score=0.9)
        self.coins.picks = picks
        window = self.room.freeze(self.duty, 99, lambda frozen: terms, silent)
        assert window is not None
        return window

    def audits(self, window: int) -> list[int] | None:
        """What the judge is told of the audits; None while the window waits for them."""
        seen: list[OpenWindow] = []
        self.room.close(self.duty, window, seen.append, silent)
        return seen[0].audits.tolist() if seen else None

    def close(self, window: int, *picks: int) -> bool:
        """Release every label as it was frozen; the coins pick these for the ledger."""
        self.coins.picks = picks
        return self.room.close(self.duty, window, _release, silent)


def _release(window: OpenWindow) -> Closing:
    n = len(window.items)
    made = replace(
        decision(n, ItemState.CERTIFIED, window=window.id, status=LabelStatus.CERTIFIED),
        posterior=np.array([item.posterior for item in window.items]),
        labels=window.labels,
        scores=window.scores,
        classifier=None,
    )
    tests = np.array([n, n])
    return Closing(tests, tests, 0.55, made, np.zeros(n, np.bool_), silent)


SETS = {"a": BILLING, "b": BILLING | DELIVERY, "c": NONE, "d": PRAISE}


@pytest.fixture
def house(database: Database, room: QuestionRoom) -> _House:
    return _House(database, room)


def test_an_audit_finds_the_whole_set(house: _House) -> None:
    window = house.freeze(SETS, 1, 2)
    assert house.audits(window) is None
    _answer(house.people, "ann", BILLING, NONE)
    assert house.audits(window) == [BILLING, NONE]


def test_experts_agree_only_on_the_same_set(house: _House) -> None:
    window = house.freeze(SETS, 0, 1, terms=DOUBLE)
    _answer(house.people, "ann", BILLING, BILLING | DELIVERY)
    _answer(house.people, "eve", BILLING, BILLING)
    assert house.audits(window) is None, "a third expert is asked about the second item"
    _answer(house.people, "ben", BILLING | DELIVERY)
    assert house.audits(window) == [BILLING, BILLING | DELIVERY]


def test_a_window_closes_over_sets_and_one_wrong_class_is_an_error(house: _House, database: Database) -> None:
    window = house.freeze(SETS, 1, 2)
    _answer(house.people, "ann", BILLING, NONE)
    assert house.close(window, 3)
    report = ReportRoom(database, CAPS, frozenset({"expert"}))
    overview = report.overview()
    assert overview.windows[0].wrong.tolist() == [True, False]
    assert sorted(overview.audited, key=lambda pair: pair.truth) == [
        AuditedPair(NONE, NONE, 1, 2.0),
        AuditedPair(BILLING, BILLING | DELIVERY, 1, 2.0),
    ]
    assert overview.classes == {0: 2, 1: 1, 2: 1, NO_CLASS: 1}
    assert (overview.gold, overview.gold_classes) == (2, {0: 1, NO_CLASS: 1})
    stored = {row.item: codec.label_of(row.labels) for row in all_rows(database, labels)}
    assert stored == SETS
    _answer(house.people, "eve", PRAISE | BILLING)
    house.room.settle_ledger(house.duty, silent)
    ledger = house.room.ledger()
    assert (ledger.audited, ledger.found) == (1, 1), "one class too many is an error of what was released"


def test_the_story_tells_sets_and_what_functions_said_of_each_class(
    room: QuestionRoom, database: Database
) -> None:
    functions = StreamRoom(database, CAPS).register_functions(
        [FunctionVersion("words", "1"), FunctionVersion("only", "1")]
    )
    _items(database, ["a"], functions=functions.id)
    add_question(database, "a")
    _answer(room, "ann", DELIVERY)
    _publish(database, "a", BILLING | PRAISE)
    story = ReportRoom(database, CAPS).item("a")
    assert story is not None
    assert story.label == BILLING | PRAISE
    assert [(vote.name, vote.options) for vote in story.votes] == [
        ("words", (1, -1, -1)),
        ("only", (0, 0, 1)),
    ]
    assert [answer.label for answer in story.answers] == [DELIVERY]
    assert [revision.label for revision in story.revisions] == [BILLING | PRAISE]
    assert story.posterior == pytest.approx((0.1, 0.9, 0.8, 0.2, 0.5, 0.5))


def test_the_latest_labels_are_sets(database: Database) -> None:
    _items(database, ["a"])
    _publish(database, "a", BILLING | PRAISE)
    (recent,) = ReportRoom(database, CAPS).recent_labels(5)
    assert recent.label == BILLING | PRAISE
    assert recent.probabilities == pytest.approx((0.1, 0.9, 0.8, 0.2, 0.5, 0.5))


def test_sets_are_exported(database: Database) -> None:
    _items(database, ["a", "b"])
    _publish(database, "a", BILLING | PRAISE)
    _publish(database, "b", NONE)
    found = list(ExportRoom(database).labeled([LabelStatus.PROVISIONAL]))
    assert [(item.id, item.label) for item in found] == [("a", BILLING | PRAISE), ("b", NONE)]
    assert found[0].probabilities == pytest.approx((0.1, 0.9, 0.8, 0.2, 0.5, 0.5))


def test_an_item_decided_again_keeps_its_set(database: Database) -> None:
    _items(database, ["a"])
    with database.write() as connection:
        recheck_items(connection, ["a"], "answer")
    made = replace(
        decision(1),
        posterior=np.frombuffer(_posterior(0.1, 0.9, 0.9), "<f4")[None],
        labels=spread(np.array([DELIVERY | PRAISE]), F),
        classifier=None,
    )
    StreamRoom(database, CAPS).work_rechecks(1, lambda found: (made, silent))
    read = _read(database, "a")
    assert codec.label_of(read.labels.tobytes()) == DELIVERY | PRAISE
    assert read.inline.tolist() == [1, -1, -1, 0, 0, 1]


def _publish(database: Database, item: str, label: int) -> None:
    row = {
        "item": item,
        "revision": 1,
        "labels": codec.label_bytes(label, F),
        "probabilities": _posterior(0.9, 0.2, 0.5),
        "status": "provisional",
        "cost": 0,
        "at": 1,
    }
    with database.write() as connection:
        connection.execute(insert(labels).values(**row))
