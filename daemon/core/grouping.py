"""Items that must not stand on both sides of a split: one hash for the stream, re-passes and training."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.core.decoding import decode_stored
from daemon.core.rows import OpenItem


def group_of(subject: str | None, text: str) -> int:
    """56-bit hash of what an item shows: its subject, or else its text whatever its case and blanks."""
    shown = subject or " ".join(text.lower().split())
    digest = hashlib.blake2b(shown.encode(errors="replace"), digest_size=7).digest()
    return int.from_bytes(digest, "big")


def groups_of_stored(items: Sequence[OpenItem]) -> NDArray[np.int64]:
    """(n,) groups of items as the database keeps them."""
    return groups_of_payloads([item.payload for item in items], [item.subject for item in items])


def groups_of_payloads(payloads: Sequence[bytes], subjects: Sequence[str | None]) -> NDArray[np.int64]:
    """(n,) groups of items by their JSON as it came."""
    shown = zip(payloads, subjects, strict=True)
    return np.array([_group_of_payload(payload, subject) for payload, subject in shown], np.int64)


def _group_of_payload(payload: bytes, subject: str | None) -> int:
    return group_of(subject, "" if subject else decode_stored(payload).plain_text)
