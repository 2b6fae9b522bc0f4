"""How far annotators agree, beyond chance or not."""

import numpy as np

from models.arrays import F8, I8
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
    per_item = counts.sum(axis=1)
    counts, per_item = counts[per_item >= 2], per_item[per_item >= 2]
    usage = counts.sum(axis=0)
    total = usage.sum()
    expected = (total**2 - (usage**2).sum()) / (total - 1) if total > 1 else 0.0
    if not expected:
        return float("nan")
    observed = ((per_item**2 - (counts**2).sum(axis=1)) / (per_item - 1)).sum()
    return float(1 - observed / expected)


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


def _counts(votes: Votes) -> F8:
    """(n, S) how often each symbol was said on each item, whoever said it."""
    if len(set(votes.n_symbols)) > 1:
        raise ValueError("agreement: annotators speak in different symbols; compare people of one task")
    size = votes.n_symbols[0] if votes.n_symbols else 1
    flat = np.bincount(votes.row * size + votes.symbol, minlength=votes.n_items * size)
    return np.asarray(flat.reshape(votes.n_items, size), np.float64)
