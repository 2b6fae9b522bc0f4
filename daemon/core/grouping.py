"""Items that must not stand on both sides of a split: one hash for the stream, re-passes and training."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.core.decoding import decode_stored
from daemon.core.rows import OpenItem
from labeling_functions.items import Item
from labeling_functions.pairs import not_a_pair, pair_of


def group_of(item: Item) -> int:
    """56-bit hash of what an item shows: its subject, or else its text whatever its case and blanks.

    Of a pair the prompt: what is liked in answers to one prompt must not be tested on the same prompt.
    """
    shown = item.subject or " ".join(_text(item).lower().split())
    digest = hashlib.blake2b(shown.encode(errors="replace"), digest_size=7).digest()
    return int.from_bytes(digest, "big")


def groups_of(items: Sequence[Item]) -> NDArray[np.int64]:
    """(n,) `group_of` each."""
    return np.array([group_of(item) for item in items], np.int64)


def groups_of_stored(items: Sequence[OpenItem]) -> NDArray[np.int64]:
    """(n,) groups of items as the database keeps them."""
    return groups_of_payloads([item.payload for item in items], [item.subject for item in items])


def groups_of_payloads(payloads: Sequence[bytes], subjects: Sequence[str | None]) -> NDArray[np.int64]:
    """(n,) groups of items by their JSON as it came."""
    shown = zip(payloads, subjects, strict=True)
    return np.array([_group_of_payload(payload, subject) for payload, subject in shown], np.int64)


def _group_of_payload(payload: bytes, subject: str | None) -> int:
    return group_of(Item("", {}, subject) if subject else decode_stored(payload))


def _text(item: Item) -> str:
    return item.plain_text if not_a_pair(item.fields) else pair_of(item).prompt
