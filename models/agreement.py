"""How far annotators agree, beyond chance or not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.arrays import F8, I8
from models.bootstrap import DRAWS, LEVEL, drawn_groups
from models.evaluation import confusion_matrix
from models.votes import Votes


def percent_agreement(votes: Votes) -> float:
    """Share of agreeing pairs among all pairs of votes on the same item; NaN without any pair.

    All annotators must speak in the same symbols (people of one task).
    """
    counts = _counts(votes)
    per_item = counts.sum(axis=1)
    pairs = (per_item * (per_item - 1)).sum()
    return float((counts * (counts - 1)).sum() / pairs) if pairs else float("nan")


def krippendorff_alpha(votes: Votes) -> float:
    """Krippendorff's alpha for nominal labels: 1 is full agreement, 0 what chance gives; gaps are allowed.

    1 - observed / expected disagreement, by coincidences: each pair of votes on an item counts
    1 / (its votes - 1). NaN when no item has two votes or only one label was ever used.

    K. Krippendorff: Computing Krippendorff's alpha-reliability. 2011.
    """
    counts = _counts(votes)
    shared = counts[counts.sum(axis=1) >= 2]
    return float(_alphas(shared, np.ones((1, len(shared))))[0])


def cohen_kappa(one: I8, other: I8) -> float:
    """Cohen's kappa of two annotators' labels (n,) of the same items: 1 is full agreement, 0 what chance
    gives. NaN without items, or where both used but one and the same label.

    J. Cohen: A coefficient of agreement for nominal scales. 1960.
    """
    used, coded = np.unique(np.concatenate([one, other]), return_inverse=True)
    if len(used) < 2:
        return float("nan")
    first, second = np.split(coded, 2)
    joint = confusion_matrix(first, second, len(used))
    observed = np.trace(joint) / len(first)
    expected = float(joint.sum(axis=0) @ joint.sum(axis=1)) / len(first) ** 2
    return float((observed - expected) / (1 - expected))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far annotators of one task agree; NaN where that says nothing.

    Attributes:
        items: with two votes or more. votes: on these.
        percent: share of agreeing pairs. fleiss: kappa. alpha: Krippendorff's.
        low, high: 95 % interval of alpha, over items drawn anew.
    """

    items: int
    votes: int
    percent: float
    fleiss: float
    alpha: float
    low: float
    high: float


def agreement(counts: NDArray[Any], draws: int = DRAWS) -> Agreement:
    """All figures from `counts` (n, K): how often each label was said on each item, whoever said it.

    The interval is that of the bootstrap over items (not over votes, as votes on one item depend on each
    other), with `draws` draws; it is NaN where more than one draw in twenty has no alpha.
    """
    shared = np.asarray(counts, np.float64)
    shared = shared[shared.sum(axis=1) >= 2]
    low, high = _alpha_interval(shared, draws)
    per_item = shared.sum(axis=1)
    pairs = (per_item * (per_item - 1)).sum()
    return Agreement(
        items=len(shared),
        votes=int(per_item.sum()),
        percent=float((shared * (shared - 1)).sum() / pairs) if pairs else float("nan"),
        fleiss=fleiss_kappa(shared),
        alpha=float(_alphas(shared, np.ones((1, len(shared))))[0]),
        low=low,
        high=high,
    )


def fleiss_kappa(counts: NDArray[Any]) -> float:
    """Fleiss' kappa of `counts` (n, K), items with fewer than two votes left out: 1 is full agreement, 0 what
    chance gives. NaN without such items, or where only one label was ever used.

    Items may have different numbers of votes: each item's share of agreeing pairs counts alike.

    J. L. Fleiss: Measuring nominal scale agreement among many raters. 1971.
    """
    shared = np.asarray(counts, np.float64)
    shared = shared[shared.sum(axis=1) >= 2]
    usage = shared.sum(axis=0)
    if np.count_nonzero(usage) < 2:
        return float("nan")
    per_item = shared.sum(axis=1)
    observed = ((shared * (shared - 1)).sum(axis=1) / (per_item * (per_item - 1))).mean()
    expected = ((usage / usage.sum()) ** 2).sum()
    return float((observed - expected) / (1 - expected))


def _alphas(shared: F8, weights: NDArray[Any]) -> F8:
    """(draws,) Krippendorff's alpha when items (n, K), of two votes or more, count `weights` (draws, n)."""
    per_item = shared.sum(axis=1)
    differing = (per_item**2 - (shared**2).sum(axis=1)) / (per_item - 1)
    usage = weights @ shared
    total = usage.sum(axis=1)
    expected = (total**2 - (usage**2).sum(axis=1)) / np.maximum(total - 1, 1)
    some = expected > 0
    alphas = np.full(len(weights), np.nan)
    alphas[some] = 1 - (weights @ differing)[some] / expected[some]
    return alphas


def _alpha_interval(shared: F8, draws: int) -> tuple[float, float]:
    if len(shared) < 2:
        return float("nan"), float("nan")
    alphas = _alphas(shared, drawn_groups(np.arange(len(shared)), draws).astype(np.float64))
    there = alphas[~np.isnan(alphas)]
    if len(there) < 0.95 * draws:
        return float("nan"), float("nan")
    low, high = np.quantile(there, LEVEL)
    return float(low), float(high)


def _counts(votes: Votes) -> F8:
    """(n, S) how often each symbol was said on each item, whoever said it."""
    if len(set(votes.n_symbols)) > 1:
        raise ValueError("agreement: annotators speak in different symbols; compare people of one task")
    size = votes.n_symbols[0] if votes.n_symbols else 1
    flat = np.bincount(votes.row * size + votes.symbol, minlength=votes.n_items * size)
    return np.asarray(flat.reshape(votes.n_items, size), np.float64)
