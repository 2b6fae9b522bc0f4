"""The posterior of a mixture of label models in one pass: the members' tables stand side by side.

With M members and K classes each symbol has one row of M * K numbers, temperatures included, so that one
gather a vote serves all members. That is all a worker does an item, and must cost microseconds.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import F8
from models.label_model.counts import count_matrix
from models.label_model.protocol import Member
from models.votes import ABSTAIN, FUNCTION, Votes, kind

TableOf = Callable[[Member, str], F8]
"""(S, K) table of an annotator in a member; where the member has none, the one to fall back on."""

CHUNK = 16_384
"""Items at once: the scores of a chunk stay in the processor's cache."""


def own_table(member: Member, key: str) -> F8:
    """The member's own table. Raises ValueError for an annotator that it does not know."""
    if key not in member.tables:
        raise ValueError(f"label model: {member.name} has no table of {key!r}; fit knew no votes of it")
    return member.tables[key]


class Mixture:
    """Members compiled for prediction. A key's tables are looked up once, when it is first met.

    Attributes:
        n_classes: K.
    """

    def __init__(self, members: Sequence[Member], table_of: TableOf = own_table) -> None:
        """Raises ValueError when there is no member, their classes differ or weights do not sum to 1."""
        if len({len(member.prior) for member in members}) != 1:
            raise ValueError("mixture: it needs members, all with the same classes")
        self._weights = np.array([member.weight for member in members], np.float64)
        if abs(self._weights.sum() - 1) > 1e-6:
            raise ValueError(f"mixture: the members' weights sum to {self._weights.sum():.6f}, not to 1")
        self.n_classes = len(members[0].prior)
        self._members, self._table_of = tuple(members), table_of
        self._prior = np.concatenate([member.temperature * member.prior for member in members])
        self._rows: dict[str, F8] = {}
        self._stacks: dict[tuple[str, ...], F8] = {}

    def posterior(self, votes: Votes) -> F8:
        """(n, K) probabilities; rows sum to 1.

        Raises ValueError when a table does not fit an annotator's symbols, and what `table_of` raises.
        """
        return self._mixed(self._sparse_scores(votes))

    def posterior_dense(
        self, matrix: NDArray[np.integer[Any]], keys: Sequence[str], extra: Votes | None = None
    ) -> F8:
        """As `posterior`, for functions' votes as they come, and `extra` votes on the same items.

        Args:
            matrix: (n, m) class indices or ABSTAIN.
            keys: of m functions.
            extra: on n items.
        """
        self._check_dense(matrix, keys, extra)
        rows = [self._rows_of(key) for key in keys]
        added = None if extra is None else self._sparse_scores(extra)
        posterior = np.empty((len(matrix), self.n_classes))
        for begin in range(0, len(matrix), CHUNK):
            part = np.ascontiguousarray(matrix[begin : begin + CHUNK].T)
            scores = (
                np.tile(self._prior, (part.shape[1], 1)) if added is None else added[begin : begin + CHUNK]
            )
            for column, table in zip(part, rows, strict=True):
                scores += table.take(column, axis=0, mode="wrap")  # abstention, -1, wraps to the last row
            posterior[begin : begin + CHUNK] = self._mixed(scores)
        return posterior

    def log_scores(self, votes: Votes) -> F8:
        """(n, M, K) temperature * (prior + table rows of the votes), of every member."""
        return self._sparse_scores(votes).reshape(votes.n_items, len(self._members), self.n_classes)

    def _sparse_scores(self, votes: Votes) -> F8:
        """(n, M * K)."""
        stacked = self._stacked(votes)
        scores: F8 = np.asarray(count_matrix(votes, votes.weights) @ stacked) + self._prior
        return scores

    def _mixed(self, scores: F8) -> F8:
        """(n, K) weighted mean of the members' softmax; uses up the scores (n, M * K)."""
        members = scores.reshape(len(scores), len(self._members), self.n_classes)
        members -= members.max(axis=2, keepdims=True)
        np.exp(members, out=members)
        share = self._weights / members.sum(axis=2)
        return np.asarray(np.einsum("nm,nmk->nk", share, members))

    def _stacked(self, votes: Votes) -> F8:
        """(C, M * K) all symbols of these annotators, kept for the next batch."""
        stacked = self._stacks.get(votes.annotators)
        if stacked is None:  # two threads may both get here; each keeps what it made
            rows = [self._rows_of(key) for key in votes.annotators]
            for key, size, table in zip(votes.annotators, votes.n_symbols, rows, strict=True):
                if len(table) != size:
                    raise ValueError(f"table of {key}: {len(table)} symbols, the votes have {size}")
            stacked = np.concatenate([np.empty((0, len(self._prior))), *rows])
            self._stacks = {votes.annotators: stacked}
        return stacked

    def _rows_of(self, key: str) -> F8:
        """(S, M * K) one annotator's tables, side by side."""
        if key not in self._rows:
            tables = [member.temperature * self._table_of(member, key) for member in self._members]
            if len({table.shape for table in tables}) != 1 or tables[0].shape[1] != self.n_classes:
                shapes = ", ".join(str(table.shape) for table in tables)
                raise ValueError(f"table of {key}: shapes {shapes} for {self.n_classes} classes")
            self._rows[key] = np.ascontiguousarray(np.concatenate(tables, axis=1))
        return self._rows[key]

    def _check_dense(
        self, matrix: NDArray[np.integer[Any]], keys: Sequence[str], extra: Votes | None
    ) -> None:
        if matrix.ndim != 2 or matrix.shape[1] != len(keys):
            raise ValueError(f"label matrix: shape {matrix.shape} does not fit {len(keys)} annotators")
        if matrix.size and not ABSTAIN <= matrix.min() <= matrix.max() < self.n_classes:
            raise ValueError(f"label matrix: a vote outside {ABSTAIN}..{self.n_classes - 1}")
        if others := [key for key in keys if kind(key) != FUNCTION]:
            raise ValueError(f"label matrix: {', '.join(others)} cannot abstain; give their votes apart")
        if extra is not None and extra.n_items != len(matrix):
            raise ValueError(
                f"label matrix: {len(matrix)} rows, the other votes are on {extra.n_items} items"
            )


def mixture_posterior(members: Sequence[Member], votes: Votes, table_of: TableOf = own_table) -> F8:
    """(n, K) weighted mean of the members' posteriors; keep a `Mixture` to do it for many batches."""
    return Mixture(members, table_of).posterior(votes)
