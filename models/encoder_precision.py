"""In which numbers an encoder computes: the fastest that gives the same vectors, found by a measurement."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.arrays import F4

Precision = Literal["auto", "float32", "bfloat16"]
"""`auto` measures; the others are as they are called in PyTorch."""

LEAST_COSINE = 0.999
"""Vectors of one text in two precisions are interchangeable from here on."""

LEAST_GAIN = 1.1
"""Times as fast as float32 that bfloat16 must be: less may be the noise of a measurement."""

MEASURE_SECONDS = 1.0
MOST_ROUNDS = 5

SAMPLE = (
    "ok",
    "Free entry! Text WIN to 80082 now.",
    "Where is my parcel? It was due on Monday.",
    "a",
    "",
    "Die Rechnung ist falsch, bitte ändern Sie die Adresse.",
    "Je n'arrive plus à me connecter depuis la mise à jour.",
    "これは短い文です。",
    "Не могу войти в систему со вчерашнего дня.",
    "!!! ??? 12345 67.89 %% #tag @name https://example.com/a?b=c",
    "The quarterly report says that revenue grew by four percent while costs stayed where they were.",
    "I have tried to restart the router twice, changed the cable, and called the hotline, without success.",
    " ".join(["The printer on the second floor prints every page twice and then stops."] * 2),
    " ".join(["She thanked the team for a week of patient work and asked what would come next."] * 3),
)
"""Texts of many lengths and scripts, on which precisions are compared."""


@dataclass(frozen=True, slots=True)
class Measured:
    """bfloat16 beside float32. `cosine`: the least of any text. `gain`: times as fast as float32."""

    cosine: float
    gain: float

    @property
    def same(self) -> bool:
        """Whether vectors of the two are interchangeable."""
        return self.cosine >= LEAST_COSINE

    @property
    def better(self) -> bool:
        """Whether bfloat16 is the one to take."""
        return self.same and self.gain >= LEAST_GAIN

    def __str__(self) -> str:
        return f"bfloat16 is {self.gain:.1f} times as fast as float32 here, cosine {self.cosine:.5f} or more"


def measure(
    exact: Callable[[Sequence[str]], F4],
    fast: Callable[[Sequence[str]], F4],
    seconds: float = MEASURE_SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """Compare two ways of encoding on SAMPLE, in turns, by the best time of each: others may be at work too.

    Args:
        exact, fast: n texts -> (n, d) vectors of length 1.
        seconds: after which no further round begins; there are one at least and MOST_ROUNDS at most.
    """
    cosine = float((exact(SAMPLE) * fast(SAMPLE)).sum(axis=1).min())
    times: list[list[float]] = []
    began = clock()
    while len(times) < MOST_ROUNDS and (not times or clock() - began < seconds):
        times.append([_seconds(encode, clock) for encode in (exact, fast)])
    best = np.min(times, axis=0)
    return Measured(cosine, float(best[0] / max(best[1], 1e-9)))


def _seconds(encode: Callable[[Sequence[str]], F4], clock: Callable[[], float]) -> float:
    began = clock()
    encode(SAMPLE)
    return clock() - began
