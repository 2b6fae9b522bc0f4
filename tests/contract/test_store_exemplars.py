"""What people answered, as prompts may show it."""

import numpy as np
from rows_for_tests import add_annotator, add_answer, add_items
from sqlalchemy import insert

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.exemplars import ExemplarRoom
from daemon.adapters.store.schema import answers, vectors


def item(database: Database, id_: str, vector: tuple[float, ...] | None = None, encoder: str = "new") -> None:
    add_items(database, [id_], payload=f'{{"id": "{id_}", "text": "text of {id_}"}}'.encode())
    if vector is not None:
        row = {"item": id_, "encoder": encoder, "vector": np.array(vector, "<f2").tobytes()}
        with database.write() as connection:
            connection.execute(insert(vectors).values(row))


def test_the_first_answer_of_an_expert_on_each_item_oldest_first(database: Database) -> None:
    ann, bob = add_annotator(database, "ann"), add_annotator(database, "bob")
    crowd, model = add_annotator(database, "eve", "crowd"), add_annotator(database, "m", "expert", "llm")
    for id_ in "abcde":
        item(database, id_)
    add_answer(database, "b", ann, 1)
    add_answer(database, "a", bob, 0)
    add_answer(database, "b", bob, 0)
    add_answer(database, "c", crowd, 1)
    add_answer(database, "d", model, 1)
    gone = add_answer(database, "e", ann, 1)
    with database.write() as connection:
        connection.execute(answers.update().where(answers.c.id == gone).values(retracted_at=1))
    found = ExemplarRoom(database, {"expert"}).answered(with_vectors=False)
    assert [(one.item.id, one.item.plain_text, one.label) for one in found.exemplars] == [
        ("b", "text of b", 1),
        ("a", "text of a", 0),
    ]
    assert len(found.vectors) == 2


def test_vectors_are_of_one_encoder_and_of_length_1(database: Database, clock: MovableClock) -> None:
    ann = add_annotator(database, "ann")
    item(database, "old", (1.0, 0.0), "old")
    clock.advance(60)
    item(database, "bare")
    clock.advance(60)
    item(database, "a", (3.0, 4.0))
    for id_ in ("old", "bare", "a"):
        add_answer(database, id_, ann, 1)
    room = ExemplarRoom(database, {"expert"})
    found = room.answered(with_vectors=True)
    assert [one.item.id for one in found.exemplars] == ["a"]
    np.testing.assert_allclose(found.vectors, [[0.6, 0.8]], atol=1e-3)
    assert set(room.vectors(["a", "old", "bare", "none"])) == {"a"}


def test_nothing_answered_is_nothing_to_show(database: Database) -> None:
    for with_vectors in (False, True):
        assert ExemplarRoom(database, {"expert"}).answered(with_vectors).exemplars == ()
