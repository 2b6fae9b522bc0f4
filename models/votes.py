"""Votes of all annotators on a set of items: one sparse entry a vote."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import F8, I8

ABSTAIN = -1
"""A function's vote in a dense matrix when it has nothing to say (snorkel's convention)."""

UNSAID = -1
"""The symbol of an annotator that was not asked about an item: no vote, not even that it abstains."""

FUNCTION = "function"
CLASSIFIER = "classifier"
TIER = "tier"
LLM = "llm"

BINNED = frozenset({CLASSIFIER, LLM})
"""Kinds of annotators that say how sure they are: their symbols are label * bins + confidence bin."""

TOGETHER = 0.2
"""Correlation of the errors that people of one tier make on one item: what is hard for one is hard for the
next. In five recorded crowds (rte, sp_amt, bluebird, temp, cf_amt) it was .11 to .35, .21 on average."""


def effective_votes(n: NDArray[Any]) -> F8:
    """(...) what n votes of one annotator on one item count together (design effect: L. Kish, 1965)."""
    return np.asarray(n / (1 + (n - 1) * TOGETHER), np.float64)


def kind(key: str) -> str:
    """What sort of annotator a key names: what stands before the colon (`function`, `tier`, ...)."""
    return key.partition(":")[0]


def tier_of(key: str) -> str:
    """Name of the tier of people, or of a way of asking a language model (`llm:TIER/NAME@version`)."""
    return family(key).partition(":")[2].partition("/")[0]


def family(key: str) -> str:
    """A key without its version or person: `tier:crowd@w3` belongs to `tier:crowd`."""
    return key.partition("@")[0]


def person_key(tier: str, person: object) -> str:
    """Key of one person of a tier, apart from the others; the tier itself speaks for all that are not."""
    return f"{TIER}:{tier}@{person}"


def is_person(key: str) -> bool:
    """Whether a key names one person, and not a tier as a whole."""
    return kind(key) == TIER and "@" in key


def _asked(key: str) -> str | None:
    """The tier of language models of a way of asking; None of everybody else."""
    return f"{LLM}:{tier_of(key)}" if kind(key) == LLM else None


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """What annotators said. One entry a vote; several votes of one annotator on one item are allowed.

    An annotator speaks in symbols. Functions: 0..K-1 is a class, K says that it abstained (an explicit
    entry; no entry means that it was never asked). Classifier and language models: label * bins + confidence
    bin. People: a class.

    Attributes:
        n_items: number of items n.
        annotators: distinct keys, such as `function:spam_words@3f2a`, `classifier`, `tier:crowd@17` (one
            person), `tier:crowd` (people of the tier who are not told apart), `llm:cheap/examples@9c1d`.
        n_symbols: of each annotator.
        row, annotator, symbol: (v,) indices of each vote.

    Raises:
        ValueError: arrays of different length, an index out of range, or a key that occurs twice.
    """

    n_items: int
    annotators: tuple[str, ...]
    n_symbols: tuple[int, ...]
    row: I8
    annotator: I8
    symbol: I8

    def __post_init__(self) -> None:
        for name in ("row", "annotator", "symbol"):
            object.__setattr__(self, name, _indices(getattr(self, name), name))
        if len({len(self.row), len(self.annotator), len(self.symbol)}) != 1:
            raise ValueError(
                f"votes: {len(self.row)} rows, {len(self.annotator)} annotators, {len(self.symbol)} symbols; "
                "a vote needs one of each"
            )
        if len(self.annotators) != len(self.n_symbols):
            raise ValueError(f"votes: {len(self.annotators)} keys but {len(self.n_symbols)} symbol counts")
        if len(set(self.annotators)) != len(self.annotators):
            twice = sorted({key for key in self.annotators if self.annotators.count(key) > 1})
            raise ValueError(f"votes: annotator {', '.join(twice)} occurs twice")
        self._check_ranges()

    def _check_ranges(self) -> None:
        if not len(self.row):
            return
        _within(self.row, self.n_items, "row", "items")
        _within(self.annotator, len(self.annotators), "annotator", "annotators")
        limits = np.array(self.n_symbols, np.int64)[self.annotator]
        outside = np.flatnonzero((self.symbol < 0) | (self.symbol >= limits))
        if len(outside):
            vote = int(outside[0])
            raise ValueError(
                f"votes: symbol {self.symbol[vote]} of {self.annotators[self.annotator[vote]]} on row "
                f"{self.row[vote]} is outside 0..{limits[vote] - 1}"
            )

    def __len__(self) -> int:
        return len(self.row)

    @property
    def offsets(self) -> I8:
        """(m + 1,) where each annotator's symbols begin when all are laid side by side."""
        return np.concatenate([[0], np.cumsum(self.n_symbols, dtype=np.int64)]).astype(np.int64)

    @property
    def spans(self) -> list[slice]:
        """Each annotator's columns among all symbols laid side by side."""
        ends = self.offsets.tolist()
        return [slice(start, end) for start, end in pairwise(ends)]

    def split(self, stacked: F8) -> dict[str, F8]:
        """Annotator key -> its rows (S, ...) of numbers that stand for all C symbols side by side."""
        return {key: stacked[span] for key, span in zip(self.annotators, self.spans, strict=True)}

    @property
    def columns(self) -> I8:
        """(v,) each vote's place among all annotators' symbols laid side by side."""
        return np.asarray(self.offsets[:-1][self.annotator] + self.symbol)

    @property
    def weights(self) -> F8:
        """(v,) what each vote adds to a posterior: 1, but less where several people of one tier, or several
        ways of asking one tier of language models, vote on an item.
        """
        return self._shared([family(key) if kind(key) == TIER else _asked(key) for key in self.annotators])

    @property
    def fitting_weights(self) -> F8:
        """(v,) what each vote counts while tables are learned: as `weights`, but people who are told apart
        count in full.

        Damped, a crowd that agrees well is held to be worse than it is, and without known labels a fit can
        settle on its errors; each person's own table must come from what they really agree on.
        """
        return self._shared([key if kind(key) == TIER else _asked(key) for key in self.annotators])

    def _shared(self, names: Sequence[str | None]) -> F8:
        """(v,) weights when annotators of one name (m,) err together; None for one that errs alone."""
        weights = np.ones(len(self.row))
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        group = np.array([-1 if name is None else numbers[name] for name in names], np.int64)
        mine = np.flatnonzero(group[self.annotator] >= 0) if (group >= 0).any() else np.empty(0, np.int64)
        pairs = self.row[mine] * len(self.annotators) + group[self.annotator[mine]]
        _, place, number = np.unique(pairs, return_inverse=True, return_counts=True)
        weights[mine] = (effective_votes(number) / number)[place.ravel()]
        return weights

    def take(self, rows: Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]) -> "Votes":
        """The votes on chosen items, in the order chosen; items may be repeated."""
        picked = np.asarray(rows)
        picked = np.flatnonzero(picked) if picked.dtype == np.bool_ else picked.astype(np.int64)
        if len(picked):
            _within(picked, self.n_items, "row", "items")
        order = np.argsort(self.row, kind="stable")
        counts = np.bincount(self.row, minlength=self.n_items)
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        lengths = counts[picked] if len(picked) else np.empty(0, np.int64)
        new_row = np.repeat(np.arange(len(picked)), lengths)
        within = np.arange(len(new_row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        chosen = order[np.repeat(starts[picked], lengths) + within] if len(new_row) else new_row
        return Votes(
            n_items=len(picked),
            annotators=self.annotators,
            n_symbols=self.n_symbols,
            row=new_row,
            annotator=self.annotator[chosen],
            symbol=self.symbol[chosen],
        )

    @classmethod
    def from_dense(cls, matrix: NDArray[np.integer], keys: Sequence[str], n_classes: int) -> "Votes":
        """Votes of functions.

        Args:
            matrix: (n, m) class indices or ABSTAIN.
            keys: m annotator keys.
            n_classes: K; an abstention becomes symbol K.
        """
        dense = np.asarray(matrix, np.int64)
        if dense.ndim != 2 or dense.shape[1] != len(keys):
            raise ValueError(f"label matrix: shape {dense.shape} does not fit {len(keys)} annotators")
        if dense.size and not ABSTAIN <= dense.min() <= dense.max() < n_classes:
            raise ValueError(
                f"label matrix: votes run from {dense.min()} to {dense.max()}; "
                f"{n_classes} classes allow {ABSTAIN} (abstain) to {n_classes - 1}"
            )
        n, m = dense.shape
        return cls(
            n_items=n,
            annotators=tuple(keys),
            n_symbols=(n_classes + 1,) * m,
            row=np.repeat(np.arange(n), m),
            annotator=np.tile(np.arange(m), n),
            symbol=np.where(dense == ABSTAIN, n_classes, dense).ravel(),
        )

    @classmethod
    def from_table(
        cls,
        task: Iterable[object],
        worker: Iterable[object],
        label: Sequence[int] | I8,
        n_classes: int | None = None,
        tier: str = "crowd",
    ) -> "tuple[Votes, list[object]]":
        """Votes of people from a long table (crowd-kit's three columns), each worker an annotator.

        Args:
            task, worker, label: one entry a vote; tasks and workers of any hashable type.
            n_classes: K; the largest label + 1 when not given.
            tier: keys are `tier:TIER@WORKER`.

        Returns:
            The votes, and the tasks in the order of their rows (of first appearance).
        """
        tasks, rows = _numbered(task)
        workers, annotators = _numbered(worker)
        symbols = np.asarray(label, np.int64)
        classes = n_classes if n_classes is not None else int(symbols.max(initial=1)) + 1
        votes = cls(
            n_items=len(tasks),
            annotators=tuple(person_key(tier, name) for name in workers),
            n_symbols=(classes,) * len(workers),
            row=rows,
            annotator=annotators,
            symbol=symbols,
        )
        return votes, tasks

    @classmethod
    def concat_annotators(cls, first: "Votes", second: "Votes") -> "Votes":
        """Votes of both sets of annotators on the same items; no annotator may stand in both."""
        if first.n_items != second.n_items:
            raise ValueError(f"votes: {first.n_items} and {second.n_items} items cannot be joined")
        return cls(
            n_items=first.n_items,
            annotators=first.annotators + second.annotators,
            n_symbols=first.n_symbols + second.n_symbols,
            row=np.concatenate([first.row, second.row]),
            annotator=np.concatenate([first.annotator, second.annotator + len(first.annotators)]),
            symbol=np.concatenate([first.symbol, second.symbol]),
        )

    @classmethod
    def concat_items(cls, first: "Votes", second: "Votes") -> "Votes":
        """The items of both sets, one after the other. An annotator of both speaks in the same symbols."""
        sizes = dict(zip(first.annotators, first.n_symbols, strict=True))
        for key, size in zip(second.annotators, second.n_symbols, strict=True):
            if sizes.setdefault(key, size) != size:
                raise ValueError(f"votes: {key} has {sizes[key]} symbols in one set, {size} in the other")
        numbers = {key: index for index, key in enumerate(sizes)}
        place = np.array([numbers[key] for key in second.annotators], np.int64)
        return cls(
            n_items=first.n_items + second.n_items,
            annotators=tuple(sizes),
            n_symbols=tuple(sizes.values()),
            row=np.concatenate([first.row, second.row + first.n_items]),
            annotator=np.concatenate([first.annotator, place[second.annotator]]),
            symbol=np.concatenate([first.symbol, second.symbol]),
        )

    @classmethod
    def of_one(cls, key: str, symbols: I8, n_symbols: int) -> "Votes":
        """One annotator's vote on each of n items: symbols (n,), UNSAID where there is none."""
        said = np.flatnonzero(symbols != UNSAID)
        return cls(len(symbols), (key,), (n_symbols,), said, np.zeros(len(said), np.int64), symbols[said])


def log_scores(votes: Votes, prior: F8, tables: Mapping[str, F8]) -> F8:
    """Prior plus the table rows of an item's votes, added up: unnormalized log posterior.

    Args:
        votes: on n items.
        prior: (K,) log-probabilities of the classes.
        tables: annotator key -> (S, K) log-likelihoods of its symbols, up to a constant a row.

    Returns:
        (n, K).
    """
    scores = np.tile(np.asarray(prior, np.float64), (votes.n_items, 1))
    if not len(votes):
        return scores
    for key, size in zip(votes.annotators, votes.n_symbols, strict=True):
        if tables[key].shape != (size, len(prior)):
            raise ValueError(f"table of {key}: shape {tables[key].shape}, votes need {(size, len(prior))}")
    stacked = np.concatenate([tables[key] for key in votes.annotators])
    columns, weights = votes.columns, votes.weights
    for index in range(len(prior)):
        scores[:, index] += np.bincount(votes.row, weights * stacked[columns, index], votes.n_items)
    return scores


def _indices(values: object, name: str) -> I8:
    array = np.asarray(values)
    if array.ndim != 1 or not (np.issubdtype(array.dtype, np.integer) or not array.size):
        raise ValueError(f"votes: {name} must be a list of whole numbers, not {array.dtype} of {array.shape}")
    return array.astype(np.int64, copy=False)


def _within(values: I8, limit: int, name: str, what: str) -> None:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= limit:
        raise ValueError(f"votes: {name} {low if low < 0 else high} is outside the {limit} {what}")


def _numbered(values: Iterable[object]) -> tuple[list[object], I8]:
    numbers: dict[object, int] = {}
    return_order = np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)
    return list(numbers), return_order
