"""Passwords as argon2id hashes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from daemon.core.errors import PasswordsBusy

AT_ONCE = 2
"""Hashes at work at the same time, in one process: each takes 64 MiB."""

WAITING = 8
"""Calls at most that wait for their turn: reviewers' calls must find a thread, however many sign in."""


class Argon2:
    """`daemon.core.account_ports.Passwords` with argon2id, parameters of RFC 9106, section 4 (64 MiB)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """`hasher`: other parameters, for tests."""
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._places = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        """A salted hash that says how it was made; raises PasswordsBusy."""
        with self._turn():
            return self._hasher.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one; None is never, and takes as long. Raises PasswordsBusy."""
        try:
            with self._turn():
                of_nobody = self._of_nobody  # whoever is asked about: the first time takes as long for all
                self._hasher.verify(password_hash or of_nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    @cached_property
    def _of_nobody(self) -> str:
        """Made when first needed: most commands never are asked for a password."""
        return self._hasher.hash("nobody has this password")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise PasswordsBusy("too many people sign in at this moment; try again in a few seconds")
        try:
            with self._turns:
                yield
        finally:
            self._places.release()
