"""A database belongs to one task: class indices in it mean the classes that it was made with.

Its origin tells it from every other one.
"""

import json
import secrets
from collections.abc import Sequence

from sqlalchemy import select

from daemon.adapters.store.bulk import upsert
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import facts
from daemon.core.errors import SetupProblem
from labeling_functions.task import CLASSIFICATION

CLASSES, KIND, ORIGIN = "classes", "kind", "origin"


def bind(database: Database, classes: Sequence[str], kind: str = CLASSIFICATION) -> None:
    """Remember the task's classes and kind at the first call; later see that they are the same.

    Raises:
        SetupProblem: stored labels would be read as other classes, or stored items as of another kind.
    """
    if not refuse_other(database, classes, kind):
        with database.write() as connection:
            made = {CLASSES: list(classes), KIND: kind}
            rows = [{"name": name, "value": json.dumps(value)} for name, value in made.items()]
            connection.execute(upsert(connection, facts, ["name"], []), rows)
        refuse_other(database, classes, kind)


def refuse_other(database: Database, classes: Sequence[str], kind: str) -> bool:
    """See that the database was made for these classes and this kind; False if it was for none yet.

    Raises:
        SetupProblem: as `bind` does.
    """
    with database.read() as connection:
        query = select(facts.c.name, facts.c.value).where(facts.c.name.in_((CLASSES, KIND)))
        stored = {name: json.loads(value) for name, value in connection.execute(query)}
    if CLASSES not in stored:
        return False
    if stored[CLASSES] != list(classes):
        raise SetupProblem(
            f"task.classes: this database was made for {', '.join(stored[CLASSES])}, in this order, and "
            f"keeps labels as numbers; with {', '.join(classes)} they would mean something else. Put the "
            "classes back, or set database.url (or state) to a new database"
        )
    before = stored.get(KIND, CLASSIFICATION)  # databases from before there were kinds have no such fact
    if before != kind:
        raise SetupProblem(
            f"task.kind: this database was made for {before}, and holds its items, not those of {kind}. "
            "Put the kind back, or set database.url (or state) to a new database"
        )
    return True


def origin(database: Database) -> str:
    """A name that no other database has, drawn at the first call.

    Numbers of questions begin anew in each, and programs outside may remember those of another.
    """
    with database.write() as connection:
        drawn = {"name": ORIGIN, "value": secrets.token_hex(4)}
        connection.execute(upsert(connection, facts, ["name"], []), [drawn])
        return str(connection.execute(select(facts.c.value).where(facts.c.name == ORIGIN)).scalar_one())
