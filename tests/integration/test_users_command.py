"""`labelloop users`: accounts from the command line, and pages that are not served before there is one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from click.testing import CliRunner, Result
from database_fixtures import blank_sqlite

from daemon import cli
from daemon.adapters.passwords import Argon2
from daemon.adapters.store.engine import Database
from daemon.core.account_rows import Role
from daemon.core.account_secrets import digest
from daemon.core.errors import SetupProblem
from daemon.core.signing_in import Desk
from daemon.wiring import accounts, check_accounts
from daemon.wiring.config import load

CONFIG = """
task: {name: t, classes: [a, b]}
tiers: {crowd: {price: 0.1}, expert: {final: true}}
database: {url: 'sqlite:///users.db'}
"""
PASSWORD = "correct horse battery"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Of a configuration in the folder where the program is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelloop.yaml").write_text(CONFIG)
    made = Database(blank_sqlite(tmp_path / "users.db"))
    yield made
    made.close()


@pytest.fixture
def desk(database: Database, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Its accounts, with hashes that are quick to make, in the program's commands, too."""
    quick = Argon2(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr(accounts, "Argon2", lambda: quick)
    return accounts.desk(database)


def labelloop(*arguments: str, said: str | None = None) -> Result:
    return CliRunner().invoke(cli.main, ["-q", *arguments], input=said, env={"COLUMNS": "200"})


def _add(name: str, role: str = "admin", *more: str) -> Result:
    return labelloop("users", "add", name, "--role", role, "--password-stdin", *more, said=f"{PASSWORD}\n")


def test_an_account_with_a_password_can_sign_in(database: Database) -> None:
    """The one test with hashes that cost what they do in earnest."""
    desk = accounts.desk(database)
    done = _add("root")
    assert done.output == "root (admin in crowd, expert) may sign in at http://127.0.0.1:8400/login\n"
    account, _ = desk.sign_in("root", PASSWORD, "", "")
    assert (account.role, account.tiers) == (Role.ADMIN, ("crowd", "expert"))
    found = desk.accounts.find("root")
    assert found is not None
    assert extract_parameters(found.password_hash) == RFC_9106_LOW_MEMORY
    (line,) = [line for line in desk.accounts.log(10) if line.action == "account made"]
    assert line.actor.startswith("command line (")


def test_without_a_password_a_link_is_printed_that_makes_the_account(desk: Desk) -> None:
    done = labelloop("users", "add", "root", "--role", "admin")
    found = re.search(r"^http://127\.0\.0\.1:8400/invitation#(\S+)$", done.output, re.MULTILINE)
    assert found is not None, done.output
    assert not desk.accounts.any()
    assert desk.accounts.accept(digest(found[1]), "", "hash", "").name == "root"


def test_an_invitation_gives_role_and_tiers(desk: Desk) -> None:
    done = labelloop("users", "invite", "--role", "expert", "--tier", "crowd")
    assert done.output.startswith(
        "invitation for whoever has this link as expert in crowd; it works once, until "
    )
    (invitation,) = desk.accounts.invitations()
    assert (invitation.grant.role, invitation.grant.tiers) == (Role.EXPERT, ("crowd",))
    assert "whoever has the link" in labelloop("users", "list").output


def test_a_reviewer_gets_the_tiers_that_are_not_the_truth(desk: Desk) -> None:
    assert _add("ann", "reviewer").exit_code == 0
    found = desk.accounts.find("ann")
    assert found is not None and found.account.tiers == ("crowd",)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "ann", "--role", "reviewer", "--tier", "expert"), "--tier: answers in tier 'expert' are"),
        (("add", "ann", "--role", "expert", "--tier", "boss"), "--tier: there is no tier 'boss'"),
        (("add", "ROOT", "--role", "admin", "--password-stdin"), "somebody is called 'ROOT' already"),
        (("add", " ann", "--role", "expert"), "a name begins and ends with a visible character"),
        (("disable", "ann"), "nobody is called 'ann'"),
        (("disable", "root"), "root is the only admin"),
        (("token", "ann", "--scope", "read"), "nobody is called 'ann'"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_without_a_traceback(
    desk: Desk, arguments: tuple[str, ...], said: str
) -> None:
    _add("root")
    done = labelloop("users", *arguments, said=f"{PASSWORD}\n")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"labelloop: {said}")


def test_a_short_password_is_refused_and_not_repeated(desk: Desk) -> None:
    done = labelloop("users", "add", "ann", "--role", "expert", "--password-stdin", said="short1\n")
    assert done.exit_code == 2
    assert "at least 12 characters; this one has 6" in done.stderr
    assert "short1" not in done.output


def test_locking_out_a_new_password_and_letting_in_again(desk: Desk) -> None:
    _add("root")
    _add("ann", "expert")
    _, secret = desk.sign_in("ann", PASSWORD, "", "")
    assert labelloop("users", "disable", "Ann").output.startswith("ann is disabled")
    assert desk.sessions.by_session(digest(secret)) is None
    assert "disabled" in labelloop("users", "list").output
    assert labelloop("users", "enable", "ann").output == "ann is enabled\n"
    done = labelloop("users", "password", "ann", "--password-stdin", said="another password\n")
    assert done.output == "the password of ann is changed; their sessions have ended\n"
    assert desk.sign_in("ann", "another password", "", "")[0].name == "ann"


def test_a_token_is_printed_once_and_counts(desk: Desk) -> None:
    _add("ann", "expert")
    token = labelloop("users", "token", "ann", "--scope", "answer", "--for", "script").output.strip()
    caller = desk.sessions.by_token(digest(token))
    assert caller is not None and caller.account.name == "ann"
    refused = labelloop("users", "token", "ann", "--scope", "manage")
    assert refused.stderr == ("labelloop: --scope manage: not for role expert; ann can have: answer\n")


@pytest.mark.parametrize("command", ["review", "up"])
@pytest.mark.parametrize(
    ("reach", "said"),
    [
        (
            "host: 0.0.0.0",
            "review.host: 0.0.0.0 can be reached from other machines, and there is no account yet",
        ),
        ("proxies: [10.0.0.5]", "review.proxies: others come in by a proxy, and there is no account yet"),
    ],
)
def test_pages_that_others_reach_are_not_served_before_there_is_an_account(
    desk: Desk, tmp_path: Path, command: str, reach: str, said: str
) -> None:
    (tmp_path / "labelloop.yaml").write_text(CONFIG + f"review: {{{reach}}}\n")
    done = labelloop(command)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert "labelloop users add" in done.stderr


def test_an_account_or_an_invitation_is_enough_to_serve_them(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "labelloop.yaml").write_text(CONFIG + "review: {host: 0.0.0.0, names: [labels.example]}\n")
    told = labelloop("users", "add", "root", "--role", "admin").output
    assert "https://labels.example/invitation#" in told
    accounts.check_reachable(desk.accounts, load(tmp_path / "labelloop.yaml").review)


def _found(folder: Path, review: str) -> tuple[str, str]:
    (folder / "labelloop.yaml").write_text(f"{CONFIG}review: {{{review}}}\n")
    finding = check_accounts.accounts(load(folder / "labelloop.yaml"))
    return finding.state.value, finding.text


def test_check_says_who_may_come_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _found(tmp_path, "port: 8400")[0] == "ok"
    assert _found(tmp_path, "host: 0.0.0.0")[0] == "problem"
    assert not (tmp_path / "users.db").exists()
    Database("sqlite:///users.db").migrate()
    assert _found(tmp_path, "host: 0.0.0.0")[0] == "problem"
    labelloop("users", "invite", "--role", "admin")
    assert _found(tmp_path, "host: 0.0.0.0") == ("note", "nobody yet; there are invitations")
    _add("root")
    assert _found(tmp_path, "host: 0.0.0.0") == ("ok", "1 may sign in")


def test_who_answers_without_an_account_is_told_that_there_are_accounts(desk: Desk, tmp_path: Path) -> None:
    config = load(tmp_path / "labelloop.yaml")
    accounts.check_open(config, "simulated reviewers")
    _add("root")
    with pytest.raises(SetupProblem, match="has accounts, and simulated reviewers have none"):
        accounts.check_open(config, "simulated reviewers")
