"""Accounts, invitations, sessions, tokens and waits, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from daemon.adapters.store.accounts import AccountRoom
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.login_tries import LoginTries
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.sessions import SessionRoom
from daemon.core.account_rows import AccountState, Actor, Caller, Grant, Role, Scope
from daemon.core.account_rules import (
    FREE_TRIES_BY_ADDRESS,
    FREE_TRIES_BY_NAME,
    IDLE_SECONDS,
    INVITATION_SECONDS,
    LONGEST_WAIT_SECONDS,
    SESSION_SECONDS,
)
from daemon.core.account_secrets import digest
from daemon.core.errors import AccountConflict, UnknownAccount

ROOT = Actor("root", "10.0.0.1")
SECRET = digest("secret")


@pytest.fixture
def people(database: Database) -> AccountRoom:
    return AccountRoom(database)


@pytest.fixture
def proofs(database: Database) -> SessionRoom:
    return SessionRoom(database)


def _grant(name: str | None, role: Role = Role.EXPERT, *tiers: str) -> Grant:
    return Grant(role, tiers or ("expert",), name)


def _add(people: AccountRoom, name: str, role: Role = Role.EXPERT) -> int:
    return people.add(_grant(name, role), "hash", ROOT).id


def test_an_account_is_found_however_it_is_capitalized(people: AccountRoom) -> None:
    assert not people.any()
    made = people.add(_grant("Ann", Role.LEAD, "crowd", "expert"), "her hash", ROOT)
    assert people.any()
    found = people.find("ANN")
    assert found is not None
    assert (found.account, found.password_hash) == (made, "her hash")
    assert (made.name, made.role, made.tiers) == ("Ann", Role.LEAD, ("crowd", "expert"))
    assert people.find("bob") is None


def test_nobody_takes_a_name_that_looks_the_same(people: AccountRoom) -> None:
    _add(people, "Ann")
    for twin in ("ann", "ＡＮＮ"):
        with pytest.raises(AccountConflict, match="called"):
            people.add(_grant(twin), "hash", ROOT)
        with pytest.raises(AccountConflict, match="called"):
            people.invite(_grant(twin), SECRET, ROOT)


def test_of_many_who_take_a_name_at_once_one_gets_it(people: AccountRoom) -> None:
    def take(number: int) -> bool:
        try:
            people.add(_grant("ann"), f"hash {number}", ROOT)
        except AccountConflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(take, range(6))) == 1
    assert len(people.all()) == 1


def test_an_invitation_makes_one_account_once(people: AccountRoom) -> None:
    invitation = people.invite(_grant(None, Role.REVIEWER, "crowd"), SECRET, ROOT)
    assert people.invitation(SECRET) == invitation
    assert people.invitations() == [invitation]
    assert people.any_invitation()
    assert people.invitation(digest("guess")) is None

    def accept(name: str) -> str | None:
        try:
            return people.accept(SECRET, name, "hash", "10.0.0.2").name
        except AccountConflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        made = [name for name in pool.map(accept, ["ann", "bob", "cy", "di"]) if name]
    assert len(made) == 1
    ((only,),) = [people.all()]
    assert (only.account.name, only.account.role, only.account.tiers) == (made[0], Role.REVIEWER, ("crowd",))
    assert people.invitations() == []
    assert people.invitation(SECRET) is None


def test_an_invitation_runs_out_and_can_be_withdrawn(people: AccountRoom, clock: MovableClock) -> None:
    people.invite(_grant(None), SECRET, ROOT)
    clock.advance(INVITATION_SECONDS)
    with pytest.raises(AccountConflict, match="run out"):
        people.accept(SECRET, "ann", "hash", "")
    other = digest("other")
    withdrawn = people.invite(_grant(None), other, ROOT)
    people.withdraw_invitation(withdrawn.id, ROOT)
    with pytest.raises(AccountConflict):
        people.accept(other, "ann", "hash", "")
    assert not people.any()
    assert not people.any_invitation()


def test_an_invitation_for_a_name_gives_that_name(people: AccountRoom) -> None:
    people.invite(_grant("Ann"), SECRET, ROOT)
    assert people.accept(SECRET, "somebody else", "hash", "").name == "Ann"


def test_answers_given_before_there_were_accounts_are_only_handed_over_by_name(
    people: AccountRoom, database: Database
) -> None:
    bob = QuestionRoom(database).enroll("Bob", "expert")
    people.invite(_grant(None), SECRET, ROOT)
    with pytest.raises(AccountConflict, match="before"):
        people.accept(SECRET, "bob", "hash", "")
    for_bob = digest("for bob")
    people.invite(_grant("Bob"), for_bob, ROOT)
    people.accept(for_bob, "", "hash", "")
    assert people.person(bob.id) == bob
    assert people.person(bob.id + 1) is None


def test_the_last_admin_stays(people: AccountRoom) -> None:
    root = _add(people, "root", Role.ADMIN)
    for step in (
        lambda: people.change(root, Role.LEAD, [], ROOT),
        lambda: people.set_state(root, AccountState.DISABLED, ROOT),
    ):
        with pytest.raises(AccountConflict, match="only admin"):
            step()
    second = _add(people, "second", Role.ADMIN)
    assert people.change(root, Role.LEAD, ["crowd"], ROOT).tiers == ("crowd",)
    with pytest.raises(AccountConflict, match="only admin"):
        people.set_state(second, AccountState.DISABLED, ROOT)
    with pytest.raises(UnknownAccount):
        people.change(second + 1, Role.LEAD, [], ROOT)


def test_two_admins_cannot_dismiss_each_other(people: AccountRoom) -> None:
    ids = [_add(people, name, Role.ADMIN) for name in ("one", "two")]

    def dismiss(account: int) -> bool:
        try:
            people.set_state(account, AccountState.DISABLED, ROOT)
        except AccountConflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(dismiss, ids)) == [False, True]


def test_a_session_lasts_while_it_is_used_and_not_for_ever(
    people: AccountRoom, proofs: SessionRoom, clock: MovableClock
) -> None:
    ann = _add(people, "ann")
    session = proofs.open(ann, SECRET, "10.0.0.2", "browser")
    caller = proofs.by_session(SECRET)
    assert caller is not None
    assert (caller.account.name, caller.session, caller.scopes) == ("ann", session, None)
    for _ in range(SESSION_SECONDS // (IDLE_SECONDS - 60) - 1):
        clock.advance(IDLE_SECONDS - 60)
        assert proofs.by_session(SECRET) is not None
    (shown,) = proofs.sessions(ann)
    assert (shown.id, shown.address, shown.agent) == (session, "10.0.0.2", "browser")
    clock.advance(IDLE_SECONDS - 60)
    clock.advance(60)
    assert proofs.by_session(SECRET) is None
    assert proofs.sessions(ann) == []


def test_an_idle_session_ends(people: AccountRoom, proofs: SessionRoom, clock: MovableClock) -> None:
    proofs.open(_add(people, "ann"), SECRET, "", "")
    clock.advance(IDLE_SECONDS)
    assert proofs.by_session(SECRET) is None
    assert proofs.by_session(digest("guess")) is None


def test_a_new_password_ends_all_other_sessions(people: AccountRoom, proofs: SessionRoom) -> None:
    ann, bob = _add(people, "ann"), _add(people, "bob")
    here = proofs.open(ann, SECRET, "", "")
    elsewhere, bobs = digest("elsewhere"), digest("bob's")
    proofs.open(ann, elsewhere, "", "")
    proofs.open(bob, bobs, "", "")
    people.set_password(ann, "new hash", ROOT, keep=here)
    found = people.find("ann")
    assert found is not None and found.password_hash == "new hash"
    assert [proofs.by_session(one) is not None for one in (SECRET, elsewhere, bobs)] == [True, False, True]


def test_a_disabled_account_lets_nobody_in(people: AccountRoom, proofs: SessionRoom) -> None:
    ann = _add(people, "ann")
    proofs.open(ann, SECRET, "", "")
    token = digest("token")
    proofs.add_token(ann, "script", [Scope.ANSWER], token, ROOT)
    people.set_state(ann, AccountState.DISABLED, ROOT)
    assert proofs.by_session(SECRET) is None
    assert proofs.by_token(token) is None
    with pytest.raises(AccountConflict, match="disabled"):
        proofs.open(ann, digest("again"), "", "")
    people.set_state(ann, AccountState.ACTIVE, ROOT)
    assert proofs.by_session(SECRET) is None
    assert proofs.by_token(token) is None
    proofs.open(ann, digest("again"), "", "")


def test_a_token_says_whose_it_is_until_it_is_revoked(
    people: AccountRoom, proofs: SessionRoom, clock: MovableClock
) -> None:
    ann, bob = _add(people, "ann"), _add(people, "bob")
    token = proofs.add_token(ann, "script", [Scope.ANSWER, Scope.READ], SECRET, ROOT)
    assert proofs.tokens(ann)[0].used is None
    clock.advance(5)
    caller = proofs.by_token(SECRET)
    assert isinstance(caller, Caller)
    assert (caller.account.id, caller.session, caller.scopes) == (ann, None, (Scope.ANSWER, Scope.READ))
    (shown,) = proofs.tokens(ann)
    assert shown.used is not None and shown.used > shown.created
    proofs.revoke_token(bob, token, ROOT)
    assert proofs.by_token(SECRET) is not None
    proofs.revoke_token(ann, token, ROOT)
    assert proofs.by_token(SECRET) is None
    assert proofs.tokens(ann) == []


def test_nobody_ends_the_session_of_another(people: AccountRoom, proofs: SessionRoom) -> None:
    ann, bob = _add(people, "ann"), _add(people, "bob")
    session = proofs.open(ann, SECRET, "", "")
    proofs.close(bob, session, ROOT)
    assert proofs.by_session(SECRET) is not None
    proofs.close(ann, session, ROOT)
    assert proofs.by_session(SECRET) is None


def test_everybody_is_listed_with_when_they_were_last_seen(
    people: AccountRoom, proofs: SessionRoom, clock: MovableClock
) -> None:
    ann = _add(people, "ann")
    _add(people, "Bob")
    proofs.open(ann, SECRET, "", "")
    proofs.add_token(ann, "script", [Scope.ANSWER], digest("token"), ROOT)
    clock.advance(3_600)
    proofs.by_token(digest("token"))
    first, second = people.all()
    assert (first.account.name, second.account.name) == ("ann", "Bob")
    assert first.seen is not None and first.seen > first.account.created + 3_000_000
    assert second.seen is None
    proofs.revoke_token(ann, proofs.tokens(ann)[0].id, Actor("ann"))
    for session in proofs.sessions(ann):
        proofs.close(ann, session.id, Actor("ann"))
    gone = people.all()[0].seen
    assert gone is not None and gone >= first.seen


def test_failures_in_a_row_wait_longer_and_longer(database: Database, clock: MovableClock) -> None:
    gate = LoginTries(database)
    for _ in range(FREE_TRIES_BY_NAME):
        assert gate.attempt("ann", "10.0.0.1") == 0
    waits = []
    for _ in range(12):
        wait = LoginTries(database).attempt("ANN", "10.0.0.2")
        waits.append(wait)
        clock.advance(wait)
        assert gate.attempt("ann", "10.0.0.3") == 0
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == LONGEST_WAIT_SECONDS
    assert gate.attempt("bob", "10.0.0.9") == 0


def test_a_right_password_forgets_failures_of_the_name(database: Database) -> None:
    gate = LoginTries(database)
    for _ in range(4 * FREE_TRIES_BY_NAME):
        assert gate.attempt("ann", "10.0.0.1") == 0
        gate.passed("ann", "10.0.0.1")


def test_one_address_cannot_try_many_names(database: Database) -> None:
    gate = LoginTries(database)
    for number in range(FREE_TRIES_BY_ADDRESS):
        assert gate.attempt(f"name {number}", f"2001:db8::{number:x}") == 0
    assert gate.attempt("another", "2001:db8::ffff") == 1
    assert gate.attempt("another", "2001:db8:1::1") == 0


def test_many_at_once_get_no_more_tries_than_one_after_the_other(database: Database) -> None:
    def attempt(number: int) -> int:
        return LoginTries(database).attempt("ann", f"10.0.0.{number}")

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(attempt, range(16)))
    assert waits.count(0) == FREE_TRIES_BY_NAME


def test_changes_are_written_down_with_who_did_them(people: AccountRoom, proofs: SessionRoom) -> None:
    root = _add(people, "root", Role.ADMIN)
    ann = _add(people, "ann")
    people.change(ann, Role.LEAD, ["crowd"], Actor("root", "10.0.0.7"))
    people.change(ann, Role.LEAD, ["crowd"], ROOT)
    people.set_password(root, "new", ROOT)
    proofs.open(ann, SECRET, "10.0.0.8", "")
    lines = people.log(10)
    assert [(line.actor, line.action, line.subject) for line in lines] == [
        ("ann", "signed in", "ann"),
        ("root", "password changed", "root"),
        ("root", "rights changed", "ann"),
        ("root", "account made", "ann"),
        ("root", "account made", "root"),
    ]
    assert (lines[2].detail, lines[2].address) == ("expert in expert -> lead in crowd", "10.0.0.7")
    assert people.log(1) == lines[:1]
