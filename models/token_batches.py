"""Which texts are computed together: those of like length, up to a budget of tokens."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from models.arrays import F4, I8

GROWTH = 1.03
"""By which a budget grows that gave too many batches."""


def token_batches(lengths: I8, most_tokens: int) -> list[I8]:
    """Rows of texts that go through the model together, the longest texts first.

    A batch is padded to its longest text, and the padding is computed too: counted with it, a batch holds
    `most_tokens` tokens at most, or one text that is longer by itself.

    Args:
        lengths: (n,) tokens of each text, 1 or more. most_tokens: 1 or more.

    Returns:
        Arrays of rows; each of the n rows stands in exactly one of them.
    """
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        fit = max(1, most_tokens // int(lengths[order[start]]))
        batches.append(order[start : start + fit])
        start += fit
    return batches


def even_batches(lengths: I8, most_tokens: int, computers: int) -> list[I8]:
    """As `token_batches`, by a smaller budget where that gives each of the computers as many batches.

    Of five full batches two computers would take one three, the other two.

    Args:
        lengths: (n,) tokens of each text, 1 or more. most_tokens, computers: 1 or more.
    """
    batches = token_batches(lengths, most_tokens)
    wanted = -(-len(batches) // computers) * computers
    tokens = int(lengths.sum()) / max(wanted, 1)
    while (budget := int(np.ceil(tokens))) < most_tokens:
        smaller = token_batches(lengths, max(budget, 1))
        if len(smaller) <= wanted:
            return smaller
        tokens *= GROWTH
    return batches


def in_order(n: int, dimension: int, parts: Iterable[tuple[I8, F4]]) -> F4:
    """(n, dimension) vectors out of batches: rows, and their vectors. Each row must be in one of them."""
    whole = np.empty((n, dimension), np.float32)
    for rows, vectors in parts:
        whole[rows] = vectors
    return whole


def computed_in_batches(
    texts: Sequence[str], batches: Sequence[I8], dimension: int, compute: Callable[[list[str]], F4]
) -> F4:
    """(n, dimension) vectors of n texts, in their order; `compute` gives those of one batch."""
    parts = ((rows, compute([texts[row] for row in rows])) for rows in batches)
    return in_order(len(texts), dimension, parts)
