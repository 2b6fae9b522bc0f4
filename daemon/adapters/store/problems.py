"""Says in plain words why a database cannot be opened."""

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from daemon.core.errors import PartAway, SetupProblem

_POSTGRESQL = (
    (
        "password authentication failed",
        "the server refused the user name or password; correct them in the address",
    ),
    ("no password supplied", "the server wants a password; write it as postgresql://user:password@host/name"),
    ("no pg_hba.conf entry", "the server does not let this user in from here; allow it in pg_hba.conf"),
    ("permission denied", "this user may not do what is needed; make them the owner of the database"),
    ("starting up", "the server is starting; try again in a moment"),
    ("too many clients", "the server takes no more connections; raise its max_connections"),
    ('role "', "the server does not know this user; create it, or correct the address"),
    ('database "', "the server has no such database; make it with: createdb {database}"),
    ("connection refused", "no PostgreSQL server listens there; start it, or correct host and port"),
    ("timeout", "no PostgreSQL server answers there; correct host and port, or see to the network"),
    ("resolve", "there is no host of this name; correct the address"),
    ("name or service not known", "there is no host of this name; correct the address"),
)
_REFUSED = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "permission denied",
    'role "',
    'database "',
)
"""Signs of a PostgreSQL server that is there and will say the same again; all else may pass by itself."""
_SQLITE = (
    ("not a database", "this file is something else; name another file, or move it away"),
    ("unable to open", "the file cannot be opened; its folder must exist and be writable"),
    ("readonly", "the file cannot be written; see to its permissions"),
    ("locked", "another program keeps the file locked; stop it"),
)


def explained(url: URL, error: DBAPIError) -> SetupProblem:
    """One or two lines for a person: which address, what is wrong, what to do, and the driver's own words.

    A PartAway where waiting may help.
    """
    said = " ".join(str(error.orig).split())
    hints = _SQLITE if url.get_backend_name() == "sqlite" else _POSTGRESQL
    lowered = said.lower()
    hint = next((hint for sign, hint in hints if sign in lowered), "the database cannot be opened")
    shown = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
    passes = hints is _POSTGRESQL and not any(sign in lowered for sign in _REFUSED)
    kind = PartAway if passes else SetupProblem
    return kind(f"database.url {shown}: {hint.format(database=url.database)} ({said})")
