"""Signing in: what is looked at, in which order, and that unknown names are treated like known ones."""

from dataclasses import dataclass, field

import pytest

from daemon.core.account_rows import Account, AccountState, Actor, Credentials, Role
from daemon.core.errors import LoginRefused, LoginWait
from daemon.core.signing_in import Desk


@dataclass
class Book:
    """Accounts, sessions, gate and passwords at once; passwords are their own hashes."""

    state: AccountState = AccountState.ACTIVE
    wait: int = 0
    done: list[str] = field(default_factory=list)

    def attempt(self, name: str, address: str) -> int:
        self.done.append("gate")
        return self.wait

    def passed(self, name: str, address: str) -> None:
        self.done.append("passed")

    def find(self, name: str) -> Credentials | None:
        self.done.append("look")
        account = Account(1, "ann", Role.EXPERT, (), self.state, 0)
        return Credentials(account, "right") if name == "ann" else None

    def matches(self, password_hash: str | None, password: str) -> bool:
        self.done.append("hash")
        return password_hash == password

    def note(self, by: Actor, action: str, subject: str) -> None:
        self.done.append("note")

    def open(self, account: int, digest: bytes, address: str, agent: str) -> int:
        self.done.append("open")
        return 1


def _desk(book: Book) -> Desk:
    return Desk(book, book, book, book)  # type: ignore[arg-type]


def test_the_right_password_opens_a_session() -> None:
    book = Book()
    account, secret = _desk(book).sign_in("ann", "right", "", "")
    assert account.name == "ann" and len(secret) > 40
    assert book.done == ["gate", "look", "hash", "passed", "open"]


def test_unknown_names_and_wrong_passwords_take_the_same_steps() -> None:
    done = []
    for name in ("ann", "bob"):
        book = Book()
        with pytest.raises(LoginRefused, match="name or password is wrong"):
            _desk(book).sign_in(name, "wrong", "", "")
        done.append(book.done)
    assert done[0] == done[1] == ["gate", "look", "hash", "note"]


def test_while_somebody_waits_nothing_is_looked_at() -> None:
    book = Book(wait=130)
    with pytest.raises(LoginWait, match="try again in 3 minutes") as caught:
        _desk(book).sign_in("ann", "right", "", "")
    assert caught.value.seconds == 130
    assert book.done == ["gate"]


def test_a_disabled_account_opens_no_session_with_the_right_password() -> None:
    book = Book(state=AccountState.DISABLED)
    with pytest.raises(LoginRefused, match="disabled"):
        _desk(book).sign_in("ann", "right", "", "")
    assert "open" not in book.done and "passed" not in book.done
