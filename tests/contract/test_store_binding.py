"""A database keeps to the classes that it was made with."""

import pytest

from daemon.adapters.store.binding import bind
from daemon.adapters.store.engine import Database
from daemon.core.errors import SetupProblem


def test_the_same_classes_are_welcome_again(database: Database) -> None:
    bind(database, ["ham", "spam"])
    bind(database, ("ham", "spam"))


@pytest.mark.parametrize("classes", [["spam", "ham"], ["ham", "spam", "other"], ["ham"]])
def test_other_classes_or_another_order_are_refused(database: Database, classes: list[str]) -> None:
    bind(database, ["ham", "spam"])
    with pytest.raises(SetupProblem, match="was made for ham, spam"):
        bind(database, classes)
