"""Where Kafka's own clients put a key: murmur2, of all keys of a batch at once.

A key alone takes Python longer than everything else about its message.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEED, MULTIPLIER = np.uint32(0x9747B28C), np.uint32(0x5BD1E995)
"""Of murmur2, as Kafka's Java client uses it."""
WORD_BYTES = 4

U4 = NDArray[np.uint32]


def partitions_of(keys: Sequence[bytes], partitions: int) -> list[int]:
    """Where the Java client puts each key: murmur2, sign bit off, modulo. Keys are best of like length."""
    places: list[int] = ((_murmur2(keys) & np.uint32(0x7FFFFFFF)) % np.uint32(partitions)).tolist()
    return places


def _murmur2(keys: Sequence[bytes]) -> U4:
    """(n,) hashes."""
    sizes = np.array([len(key) for key in keys], np.uint32)
    words = _words(keys, int(sizes.max(initial=0)))
    whole, rest = np.divmod(sizes, np.uint32(WORD_BYTES))
    mixed = SEED ^ sizes
    for place, word in enumerate(words.T):
        once = word * MULTIPLIER
        taken = (mixed * MULTIPLIER) ^ ((once ^ (once >> np.uint32(24))) * MULTIPLIER)
        ended = np.where((whole == place) & (rest > 0), (mixed ^ word) * MULTIPLIER, mixed)
        mixed = np.where(whole > place, taken, ended)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * MULTIPLIER
    return np.asarray(mixed ^ (mixed >> np.uint32(15)))


def _words(keys: Sequence[bytes], longest: int) -> U4:
    """(n, w) the keys as little-endian words, filled up with zeros to the same length."""
    width = -(-longest // WORD_BYTES)
    filled = b"".join([key.ljust(width * WORD_BYTES, b"\0") for key in keys])
    return np.frombuffer(filled, "<u4").astype(np.uint32, copy=False).reshape(len(keys), width)
