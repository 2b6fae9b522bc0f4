"""What the stream looked like when the models learned from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.arrays import F4, F8, I8

SYMBOLS = "symbols:"
"""Prefix of the names under which symbol counts are stored."""

SAMPLE = 2_000
"""Distances that are kept: a rank is exact to 1/2,000, and they fit in 8 kB."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Means, distances and counts to compare a stream with.

    Attributes:
        mean: (d,) mean embedding; d = 0 without an encoder.
        distances: rising, the Euclidean distances of at most SAMPLE items to it; empty without an encoder.
        symbols: annotator key -> (S,) how many items it gave each symbol; the last is its abstention.
    """

    mean: F4
    distances: F4
    symbols: Mapping[str, I8]

    def __post_init__(self) -> None:
        if (
            self.mean.ndim != 1
            or self.distances.ndim != 1
            or bool(len(self.mean)) != bool(len(self.distances))
        ):
            raise ValueError(
                f"drift reference: mean {self.mean.shape} and distances {self.distances.shape} do not fit"
            )

    @classmethod
    def of(
        cls,
        vectors: F4 | None,
        matrix: NDArray[np.integer[Any]],
        keys: Sequence[str],
        n_classes: int,
        seed: int = 0,
    ) -> Self:
        """The reference that n items give.

        Args:
            vectors: (n, d), or None without an encoder.
            matrix: (n, m) votes, -1 for abstentions.
            keys: m annotator keys.
            n_classes: K; the symbols of every annotator are the classes and abstention.
            seed: of the sample of distances.
        """
        symbols = {
            key: counts_of(matrix[:, column], n_classes + 1) for column, key in enumerate(keys) if len(matrix)
        }
        if vectors is None or not len(vectors):
            return cls(np.empty(0, np.float32), np.empty(0, np.float32), symbols)
        mean = np.asarray(vectors, np.float32).mean(axis=0)
        random = np.random.Generator(np.random.PCG64(seed))
        sample = random.permutation(len(vectors))[:SAMPLE]
        return cls(mean, np.sort(distances_to(mean, vectors[sample])), symbols)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Read what `arrays` gave; an empty mapping is a reference that nothing can be compared with."""
        nothing = np.empty(0, np.float32)
        return cls(
            np.asarray(arrays.get("mean", nothing), np.float32),
            np.asarray(arrays.get("distances", nothing), np.float32),
            {
                name.removeprefix(SYMBOLS): np.asarray(counts, np.int64)
                for name, counts in arrays.items()
                if name.startswith(SYMBOLS)
            },
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """`mean`, `distances` and a `symbols:<annotator key>` for each annotator; for storing."""
        arrays: dict[str, NDArray[Any]] = {
            SYMBOLS + key: np.asarray(counts, np.int64) for key, counts in self.symbols.items()
        }
        return arrays | {"mean": self.mean, "distances": self.distances}

    def ranks(self, vectors: F4) -> F8:
        """(n,) share of the reference's distances below that of each vector; uniform without drift.

        Raises ValueError for vectors of another length.
        """
        if vectors.shape[1:] != self.mean.shape:
            raise ValueError(
                f"drift reference: vectors {vectors.shape}, mean {self.mean.shape}: two encoders?"
            )
        distances = distances_to(self.mean, vectors)
        below = np.searchsorted(self.distances, distances, side="left")
        upto = np.searchsorted(self.distances, distances, side="right")
        return np.asarray((below + upto) / (2 * len(self.distances)), np.float64)


def distances_to(mean: F4, vectors: NDArray[np.floating[Any]]) -> F4:
    """(n,) Euclidean distances of (n, d) vectors."""
    return np.asarray(np.linalg.norm(np.asarray(vectors, np.float32) - mean, axis=1), np.float32)


def counts_of(votes: NDArray[np.integer[Any]], n_symbols: int) -> I8:
    """(S,) how often each symbol occurs in (n,) votes; -1 is counted as the last symbol."""
    return np.bincount(np.where(votes < 0, n_symbols - 1, votes), minlength=n_symbols)
