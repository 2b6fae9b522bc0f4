"""Label models and score curves fitted with and without each fold's known labels, and the choice of model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, Mask, softmax
from models.calibration import Calibration, fit_calibration
from models.evaluation import log_loss
from models.folds import FOLDS
from models.label_model.held_out import held_out
from models.label_model.mixture import Mixture
from models.label_model.priors import Priors
from models.label_model.protocol import HeldOut, Member
from models.label_model.registry import LABEL_MODELS
from models.label_model.untested import FEWEST_JUDGED
from models.votes import Votes, log_scores

UNTRAINED_MODEL = "pool"
"""It knows what to do without gold."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What is known of n items, and how they are split.

    Attributes:
        n_classes: K. priors: of annotators. seed: of models.
        expert: (n,) known label or -1.
        audited: (n,) those that came from random blind draws; only these judge.
        folds: (n,) from 0.
    """

    n_classes: int
    priors: Priors
    seed: int
    expert: I8
    audited: Mask
    folds: I8

    def fit(self, name: str, votes: Votes) -> HeldOut:
        """Fit a model of the registry. Raises ValueError when it cannot hold these votes."""
        make = LABEL_MODELS[name]
        return held_out(
            lambda: make(self.priors, self.seed),
            votes,
            self.n_classes,
            self.expert,
            self.audited,
            self.folds,
        )

    def loss(self, posterior: F8) -> float:
        """Mean log-loss of (n, K) predictions on audited items; NaN when too few were audited."""
        if self.audited.sum() < FEWEST_JUDGED:
            return float("nan")
        return float(log_loss(posterior[self.audited], self.expert[self.audited]).mean())


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A label model by its name in the registry, fitted."""

    name: str
    fitted: HeldOut


def choose(
    names: Sequence[str], votes: Votes, judged: Judged, say: Callable[[str], None]
) -> tuple[Chosen, dict[str, float]]:
    """The label model with the lowest held-out log-loss on audited answers, and the losses of all.

    With too few audited answers to compare it is the pool, whatever the names.
    """
    n_audited = int(judged.audited.sum())
    if n_audited < FEWEST_JUDGED:
        say(f"only {n_audited} audited answers, {FEWEST_JUDGED} are needed to judge: {UNTRAINED_MODEL}")
        names = (UNTRAINED_MODEL,)
    found: list[Chosen] = []
    losses: dict[str, float] = {}
    for name in names:
        try:
            found.append(Chosen(name, judged.fit(name, votes)))
        except ValueError as error:
            say(f"{name} left out: {error}")
            continue
        losses[name] = judged.loss(held_posterior(found[-1].fitted, votes, judged.folds))
        say(f"{name}: log-loss {losses[name]:.3f} on {n_audited} audited answers")
    if not found:
        say(f"none of these label models could be fitted: {UNTRAINED_MODEL}")
        return Chosen(UNTRAINED_MODEL, judged.fit(UNTRAINED_MODEL, votes)), {}
    return min(found, key=lambda model: losses[model.name]), losses


def without(fitted: HeldOut, fold: int) -> tuple[Member, ...]:
    """Members that know no label of a fold: there is no twin of folds beyond the last one with a label."""
    return fitted.held[fold] if fold < len(fitted.held) else fitted.members


def held_posterior(fitted: HeldOut, votes: Votes, folds: I8) -> F8:
    """(n, K) each item by the members that know no label of its fold."""
    posterior = np.empty((votes.n_items, len(fitted.members[0].prior)))
    for fold in np.unique(folds).tolist():
        own = folds == fold
        posterior[own] = Mixture(without(fitted, fold)).posterior(votes.take(own))
    return posterior


def member_losses(fitted: HeldOut, votes: Votes, judged: Judged) -> Mapping[str, float]:
    """Mean log-loss of each member by its name, on audited items of the folds where it is in the mixture."""
    losses: dict[str, list[float]] = {}
    for fold in np.unique(judged.folds[judged.audited]).tolist():
        own = judged.audited & (judged.folds == fold)
        asked, truth = votes.take(own), judged.expert[own]
        for member in without(fitted, fold):
            losses.setdefault(member.name, []).extend(log_loss(_alone(member, asked), truth).tolist())
    return {name: float(np.mean(each)) for name, each in losses.items()}


def calibrated(sure: F8, right: Mask, judged: Mask) -> Calibration:
    """From raw to honest scores by the judged items; with too few of them scores stay as they are.

    Args:
        sure: (n,) raw scores. right: (n,) whether the label is right, where `judged` (n,).
    """
    if judged.sum() < FEWEST_JUDGED:
        return Calibration.identity()
    return fit_calibration(sure[judged], right[judged])


def held_scores(sure: F8, right: Mask, judged: Mask, folds: I8) -> F8:
    """(n,) scores of each fold's items by a curve that is `calibrated` on the other folds' judged ones."""
    scores = np.empty(len(sure))
    for fold in range(FOLDS):
        own = folds == fold
        scores[own] = calibrated(sure, right, judged & ~own).apply(sure[own])
    return scores


def _alone(member: Member, votes: Votes) -> F8:
    """(n, K) by one member."""
    return softmax(member.temperature * log_scores(votes, member.prior, member.tables))
