"""PostgreSQL over TLS, by the address alone; passwords from files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import Authority, Issued
from database_fixtures import private_server
from sqlalchemy import make_url

from daemon.adapters.store.engine import Database
from daemon.core.errors import PartAway, SetupProblem

PASSWORD = "secret"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "authority")


@pytest.fixture(scope="module")
def secured(authority: Authority) -> Iterator[str]:
    """Address of a server that lets nobody in without TLS; its certificate is made for `localhost`."""
    with private_server(authority.issue("server", "localhost")) as server:
        yield server.url.replace("127.0.0.1", "localhost")


def address(server: str, **options: str) -> str:
    return make_url(server).update_query_dict(options).render_as_string(hide_password=False)


def encrypted(url: str) -> bool:
    """Make the tables there, and say how the connection was."""
    database = Database(url)
    try:
        database.migrate()
        with database.read() as connection:
            query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            return bool(connection.exec_driver_sql(query).scalar_one())
    finally:
        database.close()


def refused(url: str, words: str) -> None:
    database = Database(url)
    with pytest.raises(SetupProblem, match=words) as problem:
        database.migrate()
    database.close()
    assert not isinstance(problem.value, PartAway), "starting again would not help"
    assert PASSWORD not in str(problem.value)


def test_a_server_whose_authority_we_know_lets_us_in(secured: str, authority: Authority) -> None:
    assert encrypted(address(secured, sslmode="verify-full", sslrootcert=str(authority.file)))


def test_a_server_that_nobody_vouches_for_is_refused(secured: str, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    refused(
        address(secured, sslmode="verify-full", sslrootcert=str(other.file)),
        r"signed by nobody whom we trust; .*sslrootcert=",
    )


def test_a_server_of_another_name_is_refused(secured: str, authority: Authority) -> None:
    other = secured.replace("localhost", "127.0.0.1")
    wanted = address(other, sslmode="verify-full", sslrootcert=str(authority.file))
    refused(wanted, "made for another name")


def test_a_file_of_the_authority_that_is_not_there_is_named(secured: str) -> None:
    wanted = address(secured, sslmode="verify-full", sslrootcert="/no/where.pem")
    refused(wanted, r"the file of the authority is not there; .*/no/where\.pem")


def test_who_comes_without_tls_is_told_what_the_server_wants(secured: str) -> None:
    refused(address(secured, sslmode="disable"), r"with TLS only; add \?sslmode=verify-full")


@pytest.mark.postgres
def test_a_server_without_tls_is_refused_by_who_insists_on_it(postgres_server: str) -> None:
    if "tester:secret" not in postgres_server:
        pytest.skip("needs the private PostgreSQL server")
    refused(address(postgres_server, sslmode="require"), "offers no TLS, and the address insists on it")


def test_the_password_may_stand_in_a_file(
    secured: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = address(secured, sslmode="verify-full", sslrootcert=str(authority.file))
    bare = wanted.replace(f":{PASSWORD}@", "@")
    refused(bare, r"wants a password; .*PGPASSFILE")
    file = tmp_path / "pgpass"
    file.touch(0o600)
    file.write_text(f"localhost:*:*:tester:{PASSWORD}\n")
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert encrypted(bare)
    monkeypatch.delenv("PGPASSFILE")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert encrypted(bare)


def test_passwords_in_the_query_are_not_shown(secured: str) -> None:
    bare = secured.replace(f"tester:{PASSWORD}@", "")
    refused(address(bare, user="tester", password="wrong-" + PASSWORD), "refused the user name or password")
    refused(address(secured, sslmode="disable", sslpassword="my-" + PASSWORD), "with TLS only")


@pytest.fixture(scope="module")
def closed(authority: Authority) -> Iterator[str]:
    """Address of a server that wants a certificate naming the user besides a password."""
    with private_server(authority.issue("closed", "localhost"), authority.file) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        yield address(url, sslmode="verify-full", sslrootcert=str(authority.file))


def shows(server: str, issued: Issued, **options: str) -> str:
    """The address of somebody who shows this certificate."""
    return address(server, sslcert=str(issued.certificate), sslkey=str(issued.key), **options)


def test_who_shows_a_certificate_of_his_name_is_let_in(closed: str, authority: Authority) -> None:
    assert encrypted(shows(closed, authority.issue("tester")))


def test_a_key_may_have_a_passphrase(closed: str, authority: Authority, tmp_path: Path) -> None:
    locked = authority.issue("tester", passphrase="my-" + PASSWORD)
    assert encrypted(shows(closed, locked, sslpassword="my-" + PASSWORD))
    refused(
        shows(closed, locked, sslpassword="not-" + PASSWORD), r"if it has a passphrase, add &sslpassword="
    )


def test_who_shows_no_certificate_is_told_that_one_is_wanted(closed: str) -> None:
    refused(closed, r"wants a certificate of ours; add sslcert=")
    nowhere = address(closed, sslcert="/no/where.pem", sslkey="/no/where.key")
    refused(nowhere, r"wants a certificate of ours; .* files that are there")


def test_a_certificate_of_another_authority_or_person_is_refused(
    closed: str, authority: Authority, tmp_path: Path
) -> None:
    refused(shows(closed, Authority(tmp_path, "other").issue("tester")), "does not take our certificate")
    refused(shows(closed, authority.issue("somebody")), "refused the user name or password")


def test_a_key_that_cannot_be_used_is_told(closed: str, authority: Authority, tmp_path: Path) -> None:
    mine, another = authority.issue("tester"), authority.issue("somebody")
    words = "must be there, readable by this user alone, and belong to the certificate"
    refused(shows(closed, Issued(mine.certificate, tmp_path / "nowhere.key")), words)
    refused(shows(closed, Issued(mine.certificate, another.key)), words)
    mine.key.chmod(0o644)
    refused(shows(closed, mine), words)
