"""In which order people see the responses of a pair."""

import hashlib


def is_turned(question: int) -> bool:
    """Whether a pair is shown with B first: a coin that falls the same way whenever the question is shown."""
    return hashlib.blake2b(b"order %d" % question).digest()[0] % 2 == 1
