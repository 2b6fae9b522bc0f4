"""A database keeps to the classes that it was made with."""

import pytest
from sqlalchemy import delete

from daemon.adapters.store.binding import KIND, bind, origin
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import facts
from daemon.core.errors import SetupProblem


def test_an_origin_stays_and_is_drawn_anew_for_a_database_without(database: Database) -> None:
    first = origin(database)
    assert origin(database) == first
    with database.write() as connection:
        connection.execute(delete(facts))
    assert origin(database) != first


def test_the_same_classes_are_welcome_again(database: Database) -> None:
    bind(database, ["ham", "spam"])
    bind(database, ("ham", "spam"))


@pytest.mark.parametrize("classes", [["spam", "ham"], ["ham", "spam", "other"], ["ham"]])
def test_other_classes_or_another_order_are_refused(database: Database, classes: list[str]) -> None:
    bind(database, ["ham", "spam"])
    with pytest.raises(SetupProblem, match="was made for ham, spam"):
        bind(database, classes)


def test_items_of_one_kind_are_not_taken_for_those_of_another(database: Database) -> None:
    bind(database, ["A", "B", "tie"], "preference")
    bind(database, ["A", "B", "tie"], "preference")
    with pytest.raises(SetupProblem, match=r"task\.kind: this database was made for preference"):
        bind(database, ["A", "B", "tie"])


def test_a_database_from_before_there_were_kinds_is_one_of_classification(database: Database) -> None:
    bind(database, ["A", "B", "tie"])
    with database.write() as connection:
        connection.execute(delete(facts).where(facts.c.name == KIND))
    bind(database, ["A", "B", "tie"])
    with pytest.raises(SetupProblem, match="made for classification"):
        bind(database, ["A", "B", "tie"], "preference")
