"""What people answered, as figures of their agreement want it, on both databases."""

from rows_for_tests import add_annotator, add_answer, add_items

from daemon.adapters.store.engine import Database
from daemon.adapters.store.given import AnswerRoom
from daemon.adapters.store.schema import answers


def test_standing_answers_of_people_come_newest_first(database: Database) -> None:
    add_items(database, ["i", "j"])
    ann, bob = add_annotator(database, "ann", "crowd"), add_annotator(database, "bob", "crowd")
    model = add_annotator(database, "gpt", "cheap", kind="llm")
    add_answer(database, "i", ann, 1)
    taken_back = add_answer(database, "j", ann, 1)
    add_answer(database, "i", model, 0)
    add_answer(database, "i", bob, 0)
    with database.write() as connection:
        connection.execute(answers.update().where(answers.c.id == taken_back).values(retracted_at=5))
    room = AnswerRoom(database)
    found = [(one.tier, one.item, one.name, one.labels) for one in room.newest_answers(10)]
    assert found == [("crowd", "i", "bob", bytes([0])), ("crowd", "i", "ann", bytes([1]))]
    assert [one.name for one in room.newest_answers(1)] == ["bob"]
