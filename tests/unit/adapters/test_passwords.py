"""Hashes of passwords."""

import threading
import time

import pytest
from argon2 import PasswordHasher, extract_parameters

from daemon.adapters.passwords import AT_ONCE, WAITING, Argon2
from daemon.core.errors import PasswordsBusy

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


class SlowHasher(PasswordHasher):
    """Takes until it is told to end."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go, self.begun = threading.Event(), threading.Semaphore(0)
        self.at_work, self.most, self.lock = 0, 0, threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:
        with self.lock:
            self.at_work += 1
            self.most = max(self.most, self.at_work)
        self.begun.release()
        assert self.go.wait(30)
        with self.lock:
            self.at_work -= 1
        return super().verify(hash, password)  # type: ignore[return-value]


def test_few_hashes_are_made_at_once_and_few_wait() -> None:
    hasher = SlowHasher()
    passwords = Argon2(hasher)
    answers: list[bool | str] = []

    def look() -> None:
        try:
            answers.append(passwords.matches(None, "anything"))
        except PasswordsBusy:
            answers.append("busy")

    threads = [threading.Thread(target=look) for _ in range(AT_ONCE + WAITING + 5)]
    for thread in threads:
        thread.start()
    for _ in range(AT_ONCE):
        assert hasher.begun.acquire(timeout=30)
    deadline = time.monotonic() + 30
    while len(answers) < 5:  # all others have a place by now, or will have one
        assert time.monotonic() < deadline
        threads[0].join(0.01)
    hasher.go.set()
    for thread in threads:
        thread.join(30)
    assert answers.count("busy") == 5
    assert answers.count(False) == AT_ONCE + WAITING
    assert hasher.most == AT_ONCE
