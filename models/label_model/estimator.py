"""Label models on what snorkel and crowd-kit users hold, in the manner of scikit-learn; no daemon needed.

Label matrices, -1 where a function abstains, with the few known labels at hand (-1 elsewhere):

>>> import numpy as np
>>> from models.label_model.estimator import LabelAggregator
>>> L = np.array([[0, 0, -1], [1, -1, 1], [0, 0, 1], [-1, 1, 1]])
>>> aggregator = LabelAggregator("majority").fit(L)
>>> aggregator.predict(L).tolist()
[0, 1, 0, 1]
>>> aggregator.predict_proba(L).shape
(4, 2)

Long tables with the columns task, worker and label (a DataFrame or a dict of lists), as crowd-kit takes them:

>>> table = {"task": ["a", "a", "b"], "worker": ["w1", "w2", "w1"], "label": ["no", "no", "yes"]}
>>> people = LabelAggregator("hbcc").fit(table, {"a": "no"})
>>> people.tasks(table), people.predict(table).tolist()
(['a', 'b'], ['no', 'yes'])

More of either, as it comes; what was seen is kept as counts of distinct rows:

>>> people = people.partial_fit({"task": ["c"], "worker": ["w3"], "label": ["yes"]})
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.arrays import F8, I8, UNKNOWN
from models.label_model.counts import merge, merge_rows, sample
from models.label_model.mixture import Mixture
from models.label_model.priors import Priors
from models.label_model.protocol import Member, check_gold
from models.label_model.registry import LABEL_MODELS
from models.label_model.tiers import with_tiers
from models.label_model.untested import as_untested
from models.votes import ABSTAIN, FUNCTION, Votes, family

Matrix = NDArray[np.integer[Any]]
Table = Mapping[str, Sequence[Any]]
"""Columns task, worker, label of equal length; a DataFrame serves."""


class LabelAggregator:
    """A label model by name over label matrices or long tables, not both in one aggregator.

    Attributes:
        classes: (K,) in the order of the columns of `predict_proba`; known after the first fit. For matrices
            0..K-1, for tables the sorted labels.
    """

    classes: list[Any]
    _votes: Votes | None
    _mixture: Mixture | None
    _members: tuple[Member, ...]

    def __init__(
        self,
        model: str = "pool",
        n_classes: int | None = None,
        priors: Priors | None = None,
        seed: int = 0,
    ) -> None:
        """Args:
            model: of the registry: majority, dawid_skene, hbcc, weighted_vote, snorkel, pool.
            n_classes: of label matrices; the largest vote or known label + 1 when not given.
            priors: what is believed of annotators; people belong to the tier `crowd`.
            seed: of samples and models.

        Raises ValueError for an unknown model.
        """
        if model not in LABEL_MODELS:
            raise ValueError(f"label model: there is no {model!r}; there are {', '.join(LABEL_MODELS)}")
        self._model, self._priors, self._seed = model, priors or Priors(), seed
        self._n_classes = n_classes
        self._forget()

    def fit(self, votes: Matrix | Table, y: Any = None) -> Self:
        """Learn from these votes alone.

        Args:
            votes: (n, m) class indices or -1; or a long table.
            y: known labels. Of a matrix (n,), -1 where not known; of a table task -> label.

        Raises ValueError when votes or labels do not fit.
        """
        self._forget()
        return self.partial_fit(votes, y)

    def partial_fit(self, votes: Matrix | Table, y: Any = None, classes: Sequence[Any] | None = None) -> Self:
        """Learn from these votes besides all earlier ones. The model is fitted when it is next asked.

        Args:
            votes, y: as in `fit`.
            classes: all that may ever occur; those of the first votes when not given.
        """
        if not hasattr(self, "classes"):
            self.classes = list(classes) if classes is not None else self._seen_classes(votes, y)
        seen, gold, weight = self._read(votes, y)
        self._keep(seen, gold, weight)
        self._mixture = None
        return self

    def predict_proba(self, votes: Matrix | Table) -> F8:
        """(n, K) probabilities by votes alone, tasks in the order of `tasks`.

        A worker who was never seen counts as his tier does: as those seen do on average.
        """
        mixture = self._fitted()
        if isinstance(votes, np.ndarray):
            return mixture.posterior_dense(votes, _keys(votes))
        return mixture.posterior(self._votes_of(votes)[0])

    def predict(self, votes: Matrix | Table) -> np.ndarray[Any, Any]:
        """(n,) most probable classes."""
        best = self.predict_proba(votes).argmax(axis=1)
        return np.asarray(np.asarray(self.classes)[best])

    def tasks(self, table: Table) -> list[Hashable]:
        """The tasks of a long table in the order of predictions: of first appearance."""
        return list(dict.fromkeys(table["task"]))

    def members(self) -> tuple[Member, ...]:
        """The fitted model: tables, temperatures and weights."""
        self._fitted()
        return self._members

    def _fitted(self) -> Mixture:
        if self._votes is None:
            raise ValueError("label model: fit it first")
        if self._mixture is None:
            rows, counted = sample(self._gold, self._weight, self._seed)
            taken, gold = self._votes.take(rows), self._gold[rows]
            model = LABEL_MODELS[self._model](self._priors, self._seed)
            fitted = model.fit(taken, len(self.classes), gold, counted).members()
            self._members = with_tiers(fitted, taken, counted)
            self._mixture = Mixture(self._members, self._table_of)
        return self._mixture

    def _table_of(self, member: Member, key: str) -> F8:
        for known in (key, family(key)):
            if known in member.tables:
                return np.asarray(member.tables[known])
        if key.startswith(FUNCTION):
            raise ValueError(f"label model: fit knew {len(member.tables)} columns; there is no {key}")
        return as_untested(member, key, self._priors.vote_odds(key, len(self.classes), len(self.classes)))

    def _forget(self) -> None:
        self._votes = None
        self._gold, self._weight = np.empty(0, np.int64), np.empty(0)
        self._mixture, self._members = None, ()
        if hasattr(self, "classes"):
            del self.classes

    def _keep(self, votes: Votes, gold: I8, weight: F8) -> None:
        """Join with what was seen; equal items become one that counts for all, but for those with gold."""
        if self._votes is not None:
            votes = Votes.concat_items(self._votes, votes)
            gold, weight = np.concatenate([self._gold, gold]), np.concatenate([self._weight, weight])
        marks = np.where(gold == UNKNOWN, UNKNOWN, np.arange(len(gold)))
        patterns = merge(votes, marks, weight)
        self._votes, self._gold, self._weight = patterns.votes, gold[patterns.first], patterns.weight

    def _seen_classes(self, votes: Matrix | Table, y: Any) -> list[Any]:
        if not isinstance(votes, np.ndarray):
            return sorted({*votes["label"], *(y or {}).values()})
        known = np.asarray([ABSTAIN] if y is None else y)
        largest = max(int(np.max(votes, initial=ABSTAIN)), int(known.max(initial=ABSTAIN)))
        return list(range(self._n_classes if self._n_classes is not None else max(largest + 1, 2)))

    def _read(self, votes: Matrix | Table, y: Any) -> tuple[Votes, I8, F8]:
        """Votes, known labels and what each item counts."""
        return self._of_matrix(votes, y) if isinstance(votes, np.ndarray) else self._of_table(votes, y)

    def _of_matrix(self, votes: Matrix, y: Any) -> tuple[Votes, I8, F8]:
        if votes.ndim != 2 or not np.issubdtype(votes.dtype, np.integer):
            raise ValueError(f"label matrix: {votes.dtype} of shape {votes.shape}; (n, m) integers needed")
        gold = np.full(len(votes), UNKNOWN) if y is None else np.asarray(y, np.int64)
        if gold.shape != (len(votes),):
            raise ValueError(f"y: shape {gold.shape}, expected one label for each of {len(votes)} rows")
        rows, weight = merge_rows(votes, gold, self._seed)
        taken = Votes.from_dense(votes[rows], _keys(votes), len(self.classes))
        return taken, check_gold(taken, len(self.classes), gold[rows]), weight

    def _of_table(self, table: Table, y: Mapping[Hashable, Any] | None) -> tuple[Votes, I8, F8]:
        votes, tasks = self._votes_of(table)
        known = dict(y or {})
        if unasked := [task for task in known if task not in set(tasks)]:
            raise ValueError(f"y: nobody voted on task {unasked[0]!r}")
        numbers = self._numbers()
        gold = np.array([numbers(known[task]) if task in known else UNKNOWN for task in tasks], np.int64)
        return votes, gold, np.ones(len(tasks))

    def _votes_of(self, table: Table) -> tuple[Votes, list[object]]:
        numbers = self._numbers()
        labels = [numbers(label) for label in table["label"]]
        return Votes.from_table(table["task"], table["worker"], labels, len(self.classes))

    def _numbers(self) -> Any:
        places = {label: index for index, label in enumerate(self.classes)}

        def number(label: Any) -> int:
            if label not in places:
                raise ValueError(
                    f"label {label!r} is none of the classes {self.classes}; name all in `classes`"
                )
            return places[label]

        return number


def _keys(matrix: Matrix) -> list[str]:
    return [f"{FUNCTION}:{column}" for column in range(matrix.shape[1])]
