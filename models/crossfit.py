"""Label models fitted with and without each fold's known labels, and the choice among them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask, softmax
from models.bundle import UNTRAINED_TEMPERATURE
from models.calibration import fit_temperature
from models.evaluation import log_loss
from models.folds import FOLDS
from models.label_model.priors import Priors
from models.label_model.registry import LABEL_MODELS
from models.votes import Votes, log_scores

FEWEST_AUDITED = 10
"""Below this number of random blind answers nothing can be chosen or tempered."""

UNTRAINED_MODEL = "majority"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """One label model on n items with F folds.

    Attributes:
        name: in the registry.
        prior, tables: fitted with every known label.
        full: (n, K) its scores before temperature.
        held: (F, n, K) scores of models that knew no label of fold f, on all items.
        loss: mean log-loss on audited items, each by the model and temperature that did not know it;
            NaN when too few were audited.
    """

    name: str
    prior: F8
    tables: Mapping[str, F8]
    full: F8
    held: F8
    loss: float


def own_fold(held: F8, folds: I8) -> F8:
    """(n, K) of (F, n, K): for each item the scores that never knew its label."""
    return np.asarray(held[folds, np.arange(len(folds))])


def temperatures(scores: F8, truth: I8, folds: I8, audited: Mask) -> tuple[float, F8]:
    """The temperature by all audited items, and for each fold (F,) the one by the other folds' alone.

    Args:
        scores: (n, K) by models that did not know the item's label. truth: (n,). folds: (n,). audited: (n,).
    """
    if audited.sum() < FEWEST_AUDITED:
        return UNTRAINED_TEMPERATURE, np.full(FOLDS, UNTRAINED_TEMPERATURE)
    apart = [audited & (folds != fold) for fold in range(FOLDS)]
    each = np.array([fit_temperature(scores[mask], truth[mask]) for mask in apart])
    return fit_temperature(scores[audited], truth[audited]), each


def fit_held_out(
    name: str, votes: Votes, expert: I8, audited: Mask, folds: I8, priors: Priors, n_classes: int, seed: int
) -> Fitted:
    """Fit one label model with all known labels, and once without those of each fold.

    Raises ValueError when the model cannot hold these votes.
    """
    everything = LABEL_MODELS[name](priors, seed).fit(votes, n_classes, expert)
    (member,) = everything.members()
    prior, tables = member.prior, member.tables
    held = np.empty((FOLDS, votes.n_items, n_classes))
    for fold in range(FOLDS):
        without = np.where(folds == fold, UNKNOWN, expert)
        model = LABEL_MODELS[name](priors, seed).fit(votes, n_classes, without)
        (held_member,) = model.members()
        held[fold] = log_scores(votes, held_member.prior, held_member.tables)
    scores = own_fold(held, folds)
    loss = float("nan")
    if audited.sum() >= FEWEST_AUDITED:
        _, each = temperatures(scores, expert, folds, audited)
        tempered = softmax(each[folds[audited], None] * scores[audited])
        loss = float(log_loss(tempered, expert[audited]).mean())
    return Fitted(name, prior, tables, log_scores(votes, prior, tables), held, loss)


def choose(
    names: Sequence[str],
    votes: Votes,
    expert: I8,
    audited: Mask,
    folds: I8,
    priors: Priors,
    n_classes: int,
    seed: int,
    say: Callable[[str], None],
) -> tuple[Fitted, dict[str, float]]:
    """The label model with the lowest held-out log-loss on audited answers, and the losses of all.

    With too few audited answers it is the majority vote, whatever the names.
    """
    n_audited = int(audited.sum())
    if n_audited < FEWEST_AUDITED:
        say(f"only {n_audited} audited answers, {FEWEST_AUDITED} are needed to choose: majority vote")
        names = (UNTRAINED_MODEL,)
    fitted = []
    for name in names:
        try:
            fitted.append(fit_held_out(name, votes, expert, audited, folds, priors, n_classes, seed))
        except ValueError as error:
            say(f"{name} left out: {error}")
            continue
        say(f"{name}: log-loss {fitted[-1].loss:.3f} on {n_audited} audited answers")
    if not fitted:
        say("no label model could be fitted: majority vote")
        fitted = [fit_held_out(UNTRAINED_MODEL, votes, expert, audited, folds, priors, n_classes, seed)]
    best = min(fitted, key=lambda model: model.loss)
    return best, {model.name: model.loss for model in fitted}
