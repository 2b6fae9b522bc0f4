"""What is known of items before anybody is asked about them: one way for the stream and for replays."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from daemon.core.evidence import Evidence, of_arrivals
from daemon.core.grouping import groups_of
from daemon.core.rows import F4, I1
from labeling_functions.items import Item
from models.bundles import AnyBundle


class Encoder(Protocol):
    """Items to vectors (n, d)."""

    @property
    def name(self) -> str:
        """As bundles and stored vectors name it."""

    def encode(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """(n, d) float32 rows whose distances mean something."""


def vectors_of(
    items: Sequence[Item], encoder: Encoder | None, spared: NDArray[np.bool_] | None = None
) -> F4 | None:
    """(n, d) vectors, rounded as they are stored: a re-pass sees the same. None without an encoder.

    `spared` (n,) items are not encoded: their rows are NaN.
    """
    if encoder is None:
        return None
    if spared is None or not spared.any():
        return _as_stored(encoder.encode(items))
    wanted = np.flatnonzero(~spared)
    encoded = encoder.encode([items[row] for row in wanted.tolist()])
    vectors = np.full((len(items), encoded.shape[1]), np.nan, np.float32)
    vectors[wanted] = _as_stored(encoded)
    return vectors


def _as_stored(vectors: F4) -> F4:
    return vectors.astype(np.float16).astype(np.float32)


def evidence_on(
    items: Sequence[Item],
    inline: I1,
    keys: Sequence[str],
    vectors: F4 | None,
    encoder: Encoder | None,
    bundle: AnyBundle,
    n_tiers: int,
) -> Evidence:
    """Evidence on items by functions and classifier alone.

    Args:
        inline: (n, m * F) functions' votes, those of one function side by side. keys: of m functions.
        vectors: (n, d) by `encoder`, rows of NaN for items without one; left out where the bundle's
            classifier reads those of another encoder.
        bundle: to decide with. n_tiers: of the policy's ladder.
    """
    usable = vectors if encoder is not None and bundle.encoder == encoder.name else None
    # they choose the classifier's head, and are a hash of each text
    groups = np.zeros(len(items), np.int64) if usable is None else groups_of(items)
    return of_arrivals(inline, keys, usable, groups, bundle, n_tiers)
