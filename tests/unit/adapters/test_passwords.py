"""Hashes of passwords."""

import pytest
from argon2 import PasswordHasher, extract_parameters

from daemon.adapters.passwords import Argon2

QUICK = Argon2(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def test_a_hash_knows_its_password_and_no_other() -> None:
    made = QUICK.hash("correct horse battery")
    assert "correct" not in made
    assert made != QUICK.hash("correct horse battery")
    assert QUICK.matches(made, "correct horse battery")
    assert not QUICK.matches(made, "correct horse batteri")


@pytest.mark.parametrize("password", ["", "anything", "nobody has this password"])
def test_nobody_matches_no_password(password: str) -> None:
    assert not QUICK.matches(None, password)


def test_what_is_no_hash_matches_nothing() -> None:
    assert not QUICK.matches("plain text", "plain text")


def test_hashes_cost_what_the_standard_wants() -> None:
    found = extract_parameters(Argon2().hash("correct horse battery"))
    assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == ("ID", 65_536, 3, 4)
