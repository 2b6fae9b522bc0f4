"""What is waited for, and what needs somebody to change something."""

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from daemon.adapters.store.problems import explained
from daemon.core.errors import PartAway, SetupProblem

POSTGRESQL = make_url("postgresql+psycopg://ann:secret@db/labels")


def problem_of(said: str, url: object = POSTGRESQL) -> SetupProblem:
    return explained(url, OperationalError("SELECT 1", {}, Exception(said)))


@pytest.mark.parametrize(
    "said",
    [
        "the database system is starting up",
        "the database system is not yet accepting connections",
        "sorry, too many clients already",
        "remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "connection to server failed: Connection refused",
        "connection to server failed: No route to host",
        "could not receive data from server: Connection reset by peer",
        "failed to resolve host 'db': [Errno -3] Temporary failure in name resolution",
        "SSL SYSCALL error: EOF detected",
        "terminating connection due to administrator command",
    ],
)
def test_a_server_that_is_away_is_waited_for(said: str) -> None:
    problem = problem_of(said)
    assert isinstance(problem, PartAway)
    assert said in str(problem)


@pytest.mark.parametrize(
    "said",
    [
        'password authentication failed for user "ann"',
        "connection requires a password: no password supplied",
        'no pg_hba.conf entry for host "10.0.0.1", user "ann"',
        'role "ann" does not exist',
        'database "labels" does not exist',
        "permission denied for schema public",
    ],
)
def test_a_server_that_refuses_is_not(said: str) -> None:
    problem = problem_of(said)
    assert not isinstance(problem, PartAway)
    assert "secret" not in str(problem)


def test_a_statement_that_fails_is_not() -> None:
    failed = ProgrammingError("CREATE TABLE items", {}, Exception('relation "items" already exists'))
    assert not isinstance(explained(POSTGRESQL, failed), PartAway)


def test_a_file_that_cannot_be_used_is_not_waited_for() -> None:
    assert not isinstance(problem_of("database is locked", make_url("sqlite:///labels.db")), PartAway)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("database or disk is full", make_url("sqlite:///labels.db")),
        ("disk I/O error", make_url("sqlite:///labels.db")),
        ('could not extend file "base/5/16384": No space left on device', POSTGRESQL),
    ],
)
def test_a_full_disk_is_waited_for_until_somebody_makes_room(said: str, url: object) -> None:
    problem = problem_of(said, url)
    assert isinstance(problem, PartAway)
    assert "no room to write" in str(problem)
    assert "secret" not in str(problem)
