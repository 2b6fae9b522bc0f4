"""What the learner reads, keeps and promotes."""

from dataclasses import replace

import numpy as np
import pytest
from decisions_for_tests import arrivals, decision, silent, span, start
from rows_for_tests import add_annotator, add_answer, add_items, all_rows

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.schema import recheck
from daemon.adapters.store.stories import story
from daemon.adapters.store.stream import StreamRoom
from daemon.core.errors import DutyLost
from daemon.core.rows import Duty, FunctionVersion
from daemon.core.states import AnnotatorKind


@pytest.fixture
def room(database: Database) -> LearningRoom:
    return LearningRoom(database)


@pytest.fixture
def stream(database: Database) -> StreamRoom:
    return StreamRoom(database, {})


@pytest.fixture
def duty(stream: StreamRoom) -> Duty:
    taken = stream.take_duty("learning", "me", 60)
    assert taken is not None
    return taken


def _retract(database: Database, item: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE answers SET retracted_at = 1 WHERE item = '{item}'")


def test_nothing_is_new_in_an_empty_store(room: LearningRoom) -> None:
    news = room.news()
    assert (news.answers, news.gold, news.items, news.age) == (0, 0, 0, 0.0)
    rows = room.training_rows(10)
    assert (list(rows.ids), rows.vectors.shape, rows.encoder, list(rows.answers)) == ([], (0, 0), None, [])


def test_news_counts_from_the_rows_that_were_read_for_training(
    database: Database, room: LearningRoom, stream: StreamRoom, clock: MovableClock
) -> None:
    stream.locate([start()])
    stream.save_batch([span(0, 3)], arrivals(["a", "b", "c"]), decision(3), silent, {})
    person = add_annotator(database, "ann")
    add_answer(database, "a", person, 1, purpose="gold")
    clock.advance(50)
    news = room.news()
    assert (news.answers, news.gold, news.items) == (1, 1, 3)
    assert 50 <= news.age < 80

    room.training_rows(10)
    add_answer(database, "b", person, 0)
    room.save_bundle("digest", b"data", None, None)
    add_answer(database, "c", person, 0)
    clock.advance(7)
    news = room.news()
    assert (news.answers, news.gold) == (2, 1), "answers that came while it trained are news"
    assert 7 <= news.age < 40
    _retract(database, "c")
    assert room.news().answers == 1


def test_training_rows_are_the_answered_and_the_newest(
    database: Database, room: LearningRoom, clock: MovableClock
) -> None:
    person = add_annotator(database, "ann")
    for id_ in ("old", "older", "new", "newest"):
        add_items(database, [id_])
        clock.advance(10)
    add_answer(database, "old", person, 1)
    add_answer(database, "older", person, 1)
    _retract(database, "older")
    assert list(room.training_rows(2).ids) == ["newest", "old"]
    assert list(room.training_rows(1).ids) == ["old"]
    assert list(room.training_rows(9).ids) == ["newest", "new", "older", "old"]


def test_training_rows_keep_what_a_final_tier_answered_and_the_newest_of_the_rest(
    database: Database, room: LearningRoom, clock: MovableClock
) -> None:
    eve, ann = add_annotator(database, "eve", tier="expert"), add_annotator(database, "ann", tier="crowd")
    for number in range(9):
        add_items(database, [f"item-{number}"])
        clock.advance(10)
    for number in (0, 1, 5):
        add_answer(database, f"item-{number}", eve, 1)
    for number in (1, 2, 3, 4):
        add_answer(database, f"item-{number}", ann, 1)
    rows = room.training_rows(4, {"expert"})
    always, doubtful, untouched = ["item-5", "item-1", "item-0"], ["item-4", "item-3"], ["item-8", "item-7"]
    assert list(rows.ids) == [*untouched, "item-5", *doubtful, "item-1", "item-0"]
    assert sorted(rows.ids[row] for row, _ in rows.answers) == sorted([*always, *doubtful, "item-1"])
    assert len(room.training_rows(100, {"expert"}).ids) == 9


def test_what_a_model_said_of_items_that_are_left_out_is_not_read(
    database: Database, room: LearningRoom, clock: MovableClock
) -> None:
    model = add_annotator(database, "cheap", kind="llm")
    for id_ in ("old", "new"):
        add_items(database, [id_])
        add_answer(database, id_, model, 1)
        clock.advance(10)
    rows = room.training_rows(1)
    assert list(rows.ids) == ["new"]
    assert [row for row, _ in rows.answers] == [0]


def test_vectors_are_those_of_the_newest_item_s_encoder(
    database: Database, room: LearningRoom, stream: StreamRoom, clock: MovableClock
) -> None:
    stream.locate([start()])
    stream.save_batch([span(0, 2)], arrivals(["a", "b"], vectors=True), decision(2), silent, {})
    clock.advance(10)
    later = replace(arrivals(["c"], vectors=True), encoder="other")
    stream.save_batch([span(2, 3)], later, decision(1), silent, {})
    rows = room.training_rows(10)
    assert rows.encoder == "other"
    assert next(zip(rows.ids, rows.has_vector.tolist(), strict=True)) == ("c", True)
    assert rows.has_vector.sum() == 1
    assert not rows.vectors[~rows.has_vector].any()


def test_training_rows_carry_votes_vectors_and_answers(
    database: Database, room: LearningRoom, stream: StreamRoom
) -> None:
    functions = stream.register_functions([FunctionVersion("links", "v1"), FunctionVersion("caps", "v2")])
    stream.locate([start(0), start(1)])
    stream.save_batch(
        [span(0, 2)], arrivals(["a", "b"], vectors=True, functions=functions.id), decision(2), silent, {}
    )
    stream.save_batch(
        [span(0, 1, 1)], arrivals(["c"], partition=1, functions=functions.id), decision(1), silent, {}
    )
    ann = add_annotator(database, "ann")
    add_answer(database, "b", ann, 0, purpose="audit")
    add_answer(database, "not here yet", ann, 0)

    rows = room.training_rows(10)

    place = {id_: row for row, id_ in enumerate(rows.ids)}
    assert set(place) == {"a", "b", "c"}
    assert rows.payloads[place["a"]] == b'{"id": "a", "text": "hello"}'
    assert [rows.inline[place[id_]].tolist() for id_ in "abc"] == [[1, -1]] * 3
    assert rows.functions.tolist() == [functions.id] * 3
    assert dict(rows.sets) == {functions.id: functions.annotators}
    assert rows.names[functions.annotators[1]] == ("caps", "v2")
    assert rows.names[ann] == ("ann", "")
    assert rows.encoder == "small"
    assert rows.vectors.dtype == np.float16
    assert [rows.vectors[place[id_]].tolist() for id_ in "abc"] == [[0, 1, 2], [3, 4, 5], [0, 0, 0]]
    assert [bool(rows.has_vector[place[id_]]) for id_ in "abc"] == [True, True, False]
    ((row, answer),) = rows.answers
    assert (row, answer.label, answer.annotator, answer.kind) == (place["b"], 0, ann, AnnotatorKind.PERSON)


def test_items_that_went_without_a_vector_are_stored_without_one(
    database: Database, room: LearningRoom, stream: StreamRoom
) -> None:
    functions = stream.register_functions([FunctionVersion("links", "v1"), FunctionVersion("caps", "v2")])
    stream.locate([start(0)])
    given = arrivals(["a", "b", "c"], vectors=True, functions=functions.id)
    assert given.vectors is not None
    given.vectors[1] = np.nan
    said = np.array([[0.5, 0.5], [np.nan, np.nan], [0.5, 0.5]], np.float32)
    stream.save_batch([span(0, 3)], given, replace(decision(3), classifier=said), silent, {})

    rows = room.training_rows(10)

    found = {id_: bool(has) for id_, has in zip(rows.ids, rows.has_vector, strict=True)}
    assert found == {"a": True, "b": False, "c": True}
    assert np.isfinite(rows.vectors).all()
    with database.read() as connection:
        told = [story(connection, id_) for id_ in "ab"]
    assert [None if one is None else one.classifier for one in told] == [(0.5, 0.5), None]


def test_a_bundle_is_followed_once_it_is_promoted(
    room: LearningRoom, duty: Duty, clock: MovableClock
) -> None:
    assert room.rejected() == 0
    first = room.save_bundle("one", b"1", "run-1", "1")
    assert room.current_bundle(None) is None
    assert room.rejected() == 1
    room.promote(duty, first)
    stored = room.current_bundle(None)
    assert stored is not None
    assert (stored.id, stored.digest, stored.data, stored.run_id, stored.mlflow_version) == (
        first,
        "one",
        b"1",
        "run-1",
        "1",
    )
    assert room.current_bundle(first) is None
    second = room.save_bundle("two", b"2", None, None)
    assert room.current_bundle(first) is None
    assert room.rejected() == 0
    room.promote(duty, second)
    followed = room.current_bundle(first)
    assert followed is not None
    assert followed.id == second
    room.promote(duty, first)
    back = room.current_bundle(second)
    assert back is not None
    assert back.id == first


def test_only_the_holder_of_the_duty_promotes(
    room: LearningRoom, stream: StreamRoom, duty: Duty, clock: MovableClock
) -> None:
    bundle = room.save_bundle("one", b"1", None, None)
    clock.advance(61)
    assert stream.take_duty("learning", "you", 60) is not None
    with pytest.raises(DutyLost):
        room.promote(duty, bundle)
    assert room.current_bundle(None) is None


def test_a_bundle_that_is_not_kept_cannot_be_promoted(room: LearningRoom, duty: Duty) -> None:
    kept = room.save_bundle("one", b"1", None, None)
    room.promote(duty, kept)
    with pytest.raises(KeyError):
        room.promote(duty, 999)
    assert room.current_bundle(None) is not None


def test_open_items_are_looked_at_again(database: Database, room: LearningRoom) -> None:
    for state in ("asking", "ready", "frozen", "certified", "human"):
        add_items(database, [state], state=state)
    assert room.look_again("new bundle") == 2
    assert [(row.item, row.reason) for row in all_rows(database, recheck)] == [
        ("asking", "new bundle"),
        ("ready", "new bundle"),
    ]


def test_the_newest_released_labels_are_looked_at_again(
    database: Database, room: LearningRoom, clock: MovableClock
) -> None:
    for id_ in ("old", "newer", "newest"):
        add_items(database, [id_], state="certified")
        clock.advance(1)
    assert room.look_again("new bundle", released=2) == 2
    assert {row.item for row in all_rows(database, recheck)} == {"newer", "newest"}


def test_answers_come_before_another_pass(database: Database, room: LearningRoom) -> None:
    add_items(database, ["seen again"], state="ready")
    room.look_again("new bundle")
    (row,) = all_rows(database, recheck)
    assert row.due > 0, "answers are due since ever"
