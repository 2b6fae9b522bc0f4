"""Says in plain words why a database cannot be used."""

from collections.abc import Sequence

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from daemon.core.addresses import without_passwords
from daemon.core.errors import PartAway, SetupProblem

_TLS = "?sslmode=verify-full&sslrootcert=/path/ca.pem"
_OURS = "sslcert=/path/me.pem&sslkey=/path/me.key"
_NOT_TAKEN = (
    "the server does not take our certificate (sslcert); it must be signed by the authority that the server "
    "knows (its ssl_ca_file), and be of today"
)

_REFUSED = (
    (
        "password authentication failed",
        "the server refused the user name or password; correct them in the address",
    ),
    (
        "no password supplied",
        "the server wants a password; write postgresql://user:${{DB_PASSWORD}}@host/name and set the "
        "variable DB_PASSWORD, or let PGPASSFILE name a password file",
    ),
    ("no encryption", f"the server lets this user in with TLS only; add {_TLS} to the address"),
    ("no pg_hba.conf entry", "the server does not let this user in from here; allow it in pg_hba.conf"),
    (
        "certificate verify failed",
        f"the server's certificate is signed by nobody whom we trust; name the authority that did: {_TLS}",
    ),
    (
        "does not match host name",
        "the server's certificate was made for another name; reach it by that one, or have this one put into "
        "its certificate",
    ),
    ("root certificate file", f"the file of the authority is not there; name it by its full path: {_TLS}"),
    ("does not support ssl", "the server offers no TLS, and the address insists on it (sslmode)"),
    ("certificate file", "our certificate (sslcert) cannot be used; is it PEM, and readable?"),
    (
        "private key file",
        "the key of our certificate (sslkey) cannot be used; it must be there, readable by this user alone, "
        "and belong to the certificate; if it has a passphrase, add &sslpassword=${{NAME}}",
    ),
    (
        "valid client certificate",
        f"the server wants a certificate of ours; add {_OURS} to the address, files that are there",
    ),
    ("alert unknown ca", _NOT_TAKEN),
    ("alert certificate", _NOT_TAKEN),
    ("invalid sslmode", f"sslmode is not one that PostgreSQL knows; write {_TLS}"),
    ("permission denied", "this user may not do what is needed; make them the owner of the database"),
    ('role "', "the server does not know this user; create it, or correct the address"),
    ('database "', "the server has no such database; make it with: createdb {database}"),
)
"""What a PostgreSQL server that is there says again and again."""
_AWAY = (
    (
        "idle-in-transaction",
        "this process stood still in a transaction, and the server ended it to give its locks back; start "
        "it again, and see what held it up (a paused machine, memory that swaps)",
    ),
    (
        "terminating connection",
        "the server ended the connection; it is being stopped, or somebody told it to",
    ),
    (
        "closed the connection",
        "the server ended the connection without a word; see whether it runs, and its log",
    ),
    ("starting up", "the server is starting; try again in a moment"),
    ("too many clients", "the server takes no more connections; raise its max_connections"),
    ("connection refused", "no PostgreSQL server listens there; start it, or correct host and port"),
    ("timeout", "no PostgreSQL server answers there; correct host and port, or see to the network"),
    ("timed out", "the server was not heard of any more; see to the network between here and there"),
    ("resolve", "there is no host of this name; correct the address"),
    ("name or service not known", "there is no host of this name; correct the address"),
)
"""What may pass by itself, as anything else that goes wrong with a connection."""
_SQLITE = (
    ("not a database", "this file is something else; name another file, or move it away"),
    ("unable to open", "the file cannot be opened; its folder must exist and be writable"),
    ("readonly", "the file cannot be written; see to its permissions"),
    ("locked", "another program keeps the file locked; stop it"),
)
_FULL = ("disk is full", "disk i/o error", "no space left", "quota exceeded", "file too large")
"""SQLite calls a file that may not grow any more, by a quota or a limit, an I/O error."""

_READ_ONLY = ("read-only transaction", "during recovery", "readonly database")
"""A PostgreSQL server that became a standby, or was set so; a file of SQLite's that lost its rights."""


def is_full(error: Exception) -> bool:
    """Whether the database found no room for what was written."""
    return _says(error, _FULL)


def full(url: URL, error: Exception) -> PartAway:
    """The same for a person. Nothing of the transaction was kept."""
    what = "there is no room to write; free some on its disk, or raise the quota, and start again"
    return _unwritten(url, error, what)


def is_read_only(error: Exception) -> bool:
    """Whether the database takes no writes, though it answers."""
    return _says(error, _READ_ONLY)


def read_only(url: URL, error: Exception) -> PartAway:
    """The same for a person. Nothing of the transaction was kept."""
    return _unwritten(
        url,
        error,
        "nothing can be written there now; lead the address to the server that takes writes (this one may be "
        "a standby, or set to read only), or see to the file's rights",
    )


def _says(error: Exception, signs: Sequence[str]) -> bool:
    said = str(getattr(error, "orig", error)).lower()
    return any(sign in said for sign in signs)


def _unwritten(url: URL, error: Exception, what: str) -> PartAway:
    said = " ".join(str(getattr(error, "orig", error)).split())
    return PartAway(f"database.url {shown(url)}: {what} ({said})")


def explained(url: URL, error: DBAPIError) -> SetupProblem:
    """One or two lines for a person: which address, what is wrong, what to do, and the driver's own words.

    A PartAway where waiting may help.
    """
    if is_full(error):
        return full(url, error)
    said = " ".join(str(error.orig).split())
    is_sqlite = url.get_backend_name() == "sqlite"
    lowered = said.lower()
    hints = _SQLITE if is_sqlite else (*_REFUSED, *_AWAY)
    hint = next((hint for sign, hint in hints if sign in lowered), "the database cannot be opened")
    refused = any(sign in lowered for sign, _ in _REFUSED)
    about_connection = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
    kind = PartAway if about_connection and not refused and not is_sqlite else SetupProblem
    return kind(f"database.url {shown(url)}: {hint.format(database=url.database)} ({said})")


def shown(url: URL) -> str:
    """An address without the passwords in it, and without the driver."""
    named = url.set(drivername=url.get_backend_name())
    return without_passwords(named.render_as_string(hide_password=True))
