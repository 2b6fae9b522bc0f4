"""Items that need no vector: what functions say of them would have been released by the last window.

The choice goes by functions' votes alone, before anybody is asked and before the item's window draws its
coins, so that what a window claims does not depend on it: the item's score is the one of the votes that it
has. A sample of all items, drawn by their ids, gets vectors in any case: whether the stream looks as it did
when the models learned can be told from these alone.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.core.decide import label_scores
from daemon.core.evidence import Evidence
from daemon.core.policy import Policy

SAMPLE = 0.1
"""Share of all items that is encoded whatever functions say."""


def sampled(ids: Sequence[str]) -> NDArray[np.bool_]:
    """(n,) whether each item is of the sample; the same for an id whenever it is asked for."""
    digests = [hashlib.blake2b(id_.encode(), digest_size=8, person=b"encode").digest() for id_ in ids]
    numbers = np.frombuffer(b"".join(digests), "<u8").astype(np.float64)
    return np.asarray(numbers < SAMPLE * 2.0**64)


@dataclass(frozen=True, slots=True)
class Sparing:
    """Which items go without a vector.

    Attributes:
        released_from: the least score that the last window released; infinity while nothing may be released.
    """

    policy: Policy
    released_from: Callable[[], float]

    def spared(self, ids: Sequence[str], cheap: Callable[[], Evidence]) -> NDArray[np.bool_]:
        """(n,) items that are not to be encoded; `cheap` is what functions alone say of them."""
        least = self.released_from()
        if np.isinf(least):
            return np.zeros(len(ids), np.bool_)
        evidence = cheap()
        _, scores = label_scores(
            evidence.posterior, evidence.scores, self.policy.cost, self.policy.space.n_facets
        )
        return np.asarray((scores >= least) & ~sampled(ids))
