"""A candidate against the bundle that workers follow now."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.arrays import F8, I8, Mask
from models.label_model.untested import FEWEST_JUDGED


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What speaks for the candidate.

    Attributes:
        promoted: workers are to follow it. reason: why or why not, one sentence.
        metrics: `fresh` and `compared` answers; on those compared, `compared_log_loss` and
            `compared_log_loss_champion`; `labels_changed` (share of all items that get another label).
        before: (K,) all items by the rival's label; of sets, by each class that it names.
    """

    promoted: bool
    reason: str
    metrics: Mapping[str, float]
    before: I8


def telling(fresh: Mask, timely: Mask) -> Mask:
    """(n,) the answers that decide: fresh ones, or where too few are, all of the stream as it is now.

    A champion knows what is not fresh, and a candidate is judged without it: on all answers it is harder for
    the candidate, never easier.
    """
    return fresh if fresh.sum() >= FEWEST_JUDGED else timely


def compare(ours: F8, theirs: F8, n_fresh: int, first: bool, changed: Mask, before: I8) -> Comparison:
    """Paired log-loss on the answers that decide, see `telling`.

    Args:
        ours: (f,) the candidate's loss on each of them, predicted without it.
        theirs: (f,) the champion's, or before the first one that of the built-in priors.
        n_fresh: how many answers neither side has seen; where they are enough they are those compared.
        first: there is no champion yet.
        changed: (n,) items that get another label.
        before: (K,) all items by the rival's label.
    """
    n_compared = len(ours)
    ours_lost = float(ours.mean()) if n_compared else float("nan")
    theirs_lost = float(theirs.mean()) if n_compared else float("nan")
    promoted, reason = _verdict(n_compared, n_fresh, ours_lost, theirs_lost, first)
    return Comparison(
        promoted,
        reason,
        {
            "fresh": float(n_fresh),
            "compared": float(n_compared),
            "compared_log_loss": ours_lost,
            "compared_log_loss_champion": theirs_lost,
            "labels_changed": float(changed.mean()),
        },
        before,
    )


def _verdict(n_compared: int, n_fresh: int, ours: float, theirs: float, first: bool) -> tuple[bool, str]:
    rival = "the built-in priors" if first else "the champion"
    if n_compared < FEWEST_JUDGED:
        few = f"only {n_compared} audited answers, {FEWEST_JUDGED} are needed to compare"
        return (True, f"first bundle; {few}") if first else (False, few)
    which = (
        f"{n_fresh} fresh audited answers"
        if n_fresh >= FEWEST_JUDGED
        else f"all {n_compared} audited answers, {n_fresh} of them fresh"
    )
    figures = f"log-loss {ours:.3f} against {theirs:.3f} of {rival} on {which}"
    return (True, f"better: {figures}") if ours < theirs else (False, f"not better: {figures}")
