"""How good a reward model is on pairs that it never saw, and what it goes by."""

from collections.abc import Mapping

import numpy as np

from models.arrays import F4, F8, I8, Mask
from models.classifier import LinearHead
from models.pair_classifier import reward_weights
from models.pair_features import KINDS, kinds_of
from models.reward_model import soft_log_loss
from models.soft_preferences import PREFERS_A, TIE, soft_preferences


def reward_figures(
    head: LinearHead, differences: F4, proba: F8, soft: F8, expert: I8, judged: Mask
) -> Mapping[str, float]:
    """Figures of a head of pairs.

    Args:
        head: trained on everything.
        differences: (n, d) of a `PairEncoder`.
        proba: (n, 3) by heads that never saw the pair's prompt.
        soft: (n, 3) soft labels by all other annotators, without the pair's own known label.
        expert: (n,) people's choice or -1. judged: (n,) those whose choice judges.

    Returns:
        reward_accuracy: share of judged pairs, ties left out, where the response that people chose has the
            higher reward; NaN without any. reward_pairs: their number. reward_ties: judged ties, left out.
        reward_log_loss: mean cross-entropy of preferences with soft labels on all pairs, in nats.
        reward_spread/KIND: root mean square of what features of a kind add to a pair's reward difference,
            in log-odds.
    """
    said, chosen = soft_preferences(proba), expert[judged]
    clear = chosen != TIE
    right = (said[judged] > 0.5) == (chosen == PREFERS_A)
    found = {
        "reward_accuracy": float(right[clear].mean()) if clear.any() else float("nan"),
        "reward_pairs": float(clear.sum()),
        "reward_ties": float((~clear).sum()),
        "reward_log_loss": float(soft_log_loss(said, soft_preferences(soft)).mean()),
    }
    weights, kinds = reward_weights(head), kinds_of(differences.shape[1])
    for kind, name in enumerate(KINDS):
        added = differences[:, kinds == kind] @ weights[kinds == kind]
        found[f"reward_spread/{name}"] = float(np.sqrt((added**2).mean()))
    return found
