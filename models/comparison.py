"""A candidate against the bundle that workers follow now."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.arrays import F8, I8, Mask
from models.label_model.held_out import FEWEST_JUDGED


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What speaks for the candidate.

    Attributes:
        promoted: workers are to follow it. reason: why or why not, one sentence.
        metrics: `fresh` answers, `fresh_log_loss`, `fresh_log_loss_champion`, `labels_changed` (share of all
            items that get another label).
        before: (K,) all items by the rival's label; of sets, by each class that it names.
    """

    promoted: bool
    reason: str
    metrics: Mapping[str, float]
    before: I8


def compare(ours: F8, theirs: F8, first: bool, changed: Mask, before: I8) -> Comparison:
    """Paired log-loss on answers that neither side has seen.

    Args:
        ours: (f,) the candidate's loss on each fresh audited answer, predicted without it.
        theirs: (f,) the champion's, or before the first one that of the built-in priors.
        first: there is no champion yet.
        changed: (n,) items that get another label.
        before: (K,) all items by the rival's label.
    """
    n_fresh = len(ours)
    ours_lost = float(ours.mean()) if n_fresh else float("nan")
    theirs_lost = float(theirs.mean()) if n_fresh else float("nan")
    promoted, reason = _verdict(n_fresh, ours_lost, theirs_lost, first)
    return Comparison(
        promoted,
        reason,
        {
            "fresh": float(n_fresh),
            "fresh_log_loss": ours_lost,
            "fresh_log_loss_champion": theirs_lost,
            "labels_changed": float(changed.mean()),
        },
        before,
    )


def _verdict(n_fresh: int, ours: float, theirs: float, first: bool) -> tuple[bool, str]:
    rival = "the built-in priors" if first else "the champion"
    if n_fresh < FEWEST_JUDGED:
        few = f"only {n_fresh} fresh audited answers, {FEWEST_JUDGED} are needed to compare"
        return (True, f"first bundle; {few}") if first else (False, few)
    figures = f"log-loss {ours:.3f} against {theirs:.3f} of {rival} on {n_fresh} fresh audited answers"
    return (True, f"better: {figures}") if ours < theirs else (False, f"not better: {figures}")
