"""What each role may do, and what names, passwords and waits must be."""

import pytest

from daemon.core.account_rows import Account, AccountState, Caller, Role, Scope
from daemon.core.account_rules import (
    LONGEST_WAIT_SECONDS,
    Right,
    login_wait,
    may_answer_in,
    name_problem,
    network_of,
    password_problem,
    rights,
    scopes_of,
    tier_problem,
    tiers_open_to,
)

REVIEWING = {Right.PUBLIC, Right.KNOWN, Right.OWN, Right.ANSWER}


def _account(role: Role, *tiers: str) -> Account:
    return Account(1, "ann", role, tiers, AccountState.ACTIVE, 0)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.REVIEWER, REVIEWING),
        (Role.EXPERT, REVIEWING),
        (Role.LEAD, REVIEWING | {Right.WATCH, Right.LEAD, Right.PEOPLE}),
        (Role.ADMIN, set(Right)),
    ],
)
def test_rights_of_each_role(role: Role, expected: set[Right]) -> None:
    assert rights(Caller(_account(role), session=1)) == expected


def test_nobody_may_do_what_is_not_public() -> None:
    assert rights(None) == {Right.PUBLIC}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_never_has_more_than_its_owner(role: Role, scope: Scope) -> None:
    of_token = rights(Caller(_account(role), scopes=[scope]))
    assert of_token <= rights(Caller(_account(role), session=1))
    assert Right.OWN not in of_token
    assert {Right.PUBLIC, Right.KNOWN} <= of_token


def test_scopes_divide_what_a_token_may_do() -> None:
    admin = _account(Role.ADMIN)
    base = {Right.PUBLIC, Right.KNOWN}
    assert rights(Caller(admin, scopes=[Scope.ANSWER])) == base | {Right.ANSWER}
    assert rights(Caller(admin, scopes=[Scope.READ])) == base | {Right.WATCH, Right.PEOPLE}
    assert rights(Caller(admin, scopes=[Scope.MANAGE])) == base | {Right.LEAD, Right.PEOPLE, Right.MANAGE}
    assert scopes_of(Role.REVIEWER) == (Scope.ANSWER,)
    assert scopes_of(Role.LEAD) == (Scope.ANSWER, Scope.READ, Scope.MANAGE)


def test_what_is_the_truth_is_not_for_reviewers() -> None:
    tiers, final = ["crowd", "expert"], {"expert"}
    assert tiers_open_to(Role.REVIEWER, tiers, final) == ("crowd",)
    assert tiers_open_to(Role.EXPERT, tiers, final) == ("crowd", "expert")
    assert "truth" in tier_problem(Role.REVIEWER, ["expert"], tiers, final)
    assert "no tier 'boss'" in tier_problem(Role.ADMIN, ["boss"], tiers, final)
    assert tier_problem(Role.EXPERT, tiers, tiers, final) == ""
    assert may_answer_in(_account(Role.EXPERT, "crowd"), "crowd", final)
    assert not may_answer_in(_account(Role.EXPERT, "crowd"), "expert", final)
    assert not may_answer_in(_account(Role.REVIEWER, "expert"), "expert", final)


@pytest.mark.parametrize(
    ("password", "ok"),
    [
        ("short", False),
        ("eleven char", False),
        ("twelve chars", True),
        ("aaaaaaaaaaaaaaaa", False),
        ("ANN THE REVIEWER", False),
        ("x y z " * 43, False),
        ("密码密码字词词语句子很长", True),
    ],
)
def test_passwords(password: str, ok: bool) -> None:
    assert (password_problem(password, "Ann the reviewer") == "") is ok


@pytest.mark.parametrize(
    ("name", "ok"),
    [("Ann", True), ("Ann Müller", True), ("", False), (" ann", False), ("a\nb", False), ("a" * 81, False)],
)
def test_names(name: str, ok: bool) -> None:
    assert (name_problem(name) == "") is ok


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    assert [login_wait(failures, 5) for failures in range(9)] == [0, 0, 0, 0, 0, 1, 2, 4, 8]
    assert login_wait(10_000, 5) == LONGEST_WAIT_SECONDS == 900


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
