"""A database belongs to one task: class indices in it mean the classes that it was made with."""

import json
from collections.abc import Sequence

from sqlalchemy import select

from daemon.adapters.store.bulk import upsert
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import facts
from daemon.core.errors import SetupProblem

CLASSES = "classes"


def bind(database: Database, classes: Sequence[str]) -> None:
    """Remember the task's classes at the first call; later see that they are the same, in the same order.

    Raises:
        SetupProblem: stored labels would be read as other classes.
    """
    with database.read() as connection:
        stored = connection.execute(select(facts.c.value).where(facts.c.name == CLASSES)).scalar_one_or_none()
    if stored is None:
        with database.write() as connection:
            row = {"name": CLASSES, "value": json.dumps(list(classes))}
            connection.execute(upsert(connection, facts, ["name"], []), row)
        bind(database, classes)
    elif json.loads(stored) != list(classes):
        raise SetupProblem(
            f"task.classes: this database was made for {', '.join(json.loads(stored))}, in this order, and "
            f"keeps labels as numbers; with {', '.join(classes)} they would mean something else. Put the "
            "classes back, or set database.url (or state) to a new database"
        )
