"""A candidate against the bundle that workers follow now."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, Mask
from models.cost import best_label
from models.evaluation import log_loss
from models.label_model.held_out import FEWEST_JUDGED


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What speaks for the candidate.

    Attributes:
        promoted: workers are to follow it. reason: why or why not, one sentence.
        metrics: `fresh` answers, `fresh_log_loss`, `fresh_log_loss_champion`, `labels_changed` (share of all
            items that get another label).
        before: (K,) all items by the rival's label.
    """

    promoted: bool
    reason: str
    metrics: Mapping[str, float]
    before: I8


def compare(
    held: F8,
    theirs: F8,
    everything: F8,
    expert: I8,
    fresh: Mask,
    first: bool,
    cost: F8 | None = None,
) -> Comparison:
    """Paired log-loss on answers that neither side has seen.

    Args:
        held: (n, K) the candidate's predictions, each without the item's own label.
        theirs: (n, K) the champion's, or before the first one those of the built-in priors.
        everything: (n, K) the candidate's posterior by all that it knows.
        expert: (n,) known label or -1. fresh: (n,) audited, and the champion never saw the answer.
        first: there is no champion yet.
        cost: (K, K) that labels are decided by, or None for 0/1.
    """
    n_fresh = int(fresh.sum())
    ours_lost, theirs_lost = float("nan"), float("nan")
    if n_fresh:
        ours_lost = float(log_loss(held[fresh], expert[fresh]).mean())
        theirs_lost = float(log_loss(theirs[fresh], expert[fresh]).mean())
    promoted, reason = _verdict(n_fresh, ours_lost, theirs_lost, first)
    before, after = best_label(theirs, cost), best_label(everything, cost)
    return Comparison(
        promoted,
        reason,
        {
            "fresh": float(n_fresh),
            "fresh_log_loss": ours_lost,
            "fresh_log_loss_champion": theirs_lost,
            "labels_changed": float((before != after).mean()),
        },
        np.bincount(before, minlength=everything.shape[1]),
    )


def _verdict(n_fresh: int, ours: float, theirs: float, first: bool) -> tuple[bool, str]:
    rival = "the built-in priors" if first else "the champion"
    if n_fresh < FEWEST_JUDGED:
        few = f"only {n_fresh} fresh audited answers, {FEWEST_JUDGED} are needed to compare"
        return (True, f"first bundle; {few}") if first else (False, few)
    figures = f"log-loss {ours:.3f} against {theirs:.3f} of {rival} on {n_fresh} fresh audited answers"
    return (True, f"better: {figures}") if ours < theirs else (False, f"not better: {figures}")
