"""Cross-validation of label models by the known labels: temperatures, weights, and twins that know less.

Every candidate is fitted with all known labels, without those of each fold, and without those of each pair
of folds. What the model without fold f says of fold f gives temperature and weight of the model that knows
all; what the model without f and g says of g gives those of the model without f. So no number in the twin
of a fold has met a known label of that fold.

A temperature holds for those who spoke of judged items; see `untested` for the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol, runtime_checkable

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask, softmax
from models.calibration import fit_temperature
from models.label_model.protocol import HeldOut, LabelModel, Member, TableModel
from models.label_model.tiers import with_tiers
from models.label_model.untested import FEWEST_JUDGED, UNTRAINED_TEMPERATURE, judged_families, with_untested
from models.votes import Votes, log_scores

LEAST_WEIGHT = 0.01
"""Members below it are dropped: a worker pays for each one on every item."""

FLOOR = 0.02
"""Share of an even guess in the likelihood that weighs members: one miss must not decide alone."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A label model that may become a member.

    Attributes:
        name: of the member.
        model: that is fitted, with different gold each time.
        share: of belief before any known label, above 0; those of a pool are normalized.
        untrained_share: the same while there are too few known labels to judge by; 0 for one that waits.
    """

    name: str
    model: TableModel
    share: float = 1.0
    untrained_share: float = 1.0


@runtime_checkable
class CrossFitting(Protocol):
    """A label model that brings its own cross-validation."""

    def fit_held_out(self, votes: Votes, n_classes: int, gold: I8, judged: Mask, folds: I8) -> HeldOut:
        """See `held_out`."""


def held_out(
    make: Callable[[], LabelModel], votes: Votes, n_classes: int, gold: I8, judged: Mask, folds: I8
) -> HeldOut:
    """Fit a label model and, for each fold, a twin that knows none of its known labels.

    Args:
        make: a new model of the registry.
        votes: on n items.
        n_classes: K.
        gold: (n,) known label or -1.
        judged: (n,) items whose known label came from a random blind draw; only these weigh and temper.
        folds: (n,) from 0; every fold up to the largest gets its twin.

    Raises ValueError when the model cannot hold these votes.
    """
    model = make()
    if isinstance(model, CrossFitting):
        return model.fit_held_out(votes, n_classes, gold, judged, folds)
    if not isinstance(model, TableModel):
        raise ValueError(f"label model: {type(model).__name__} has neither tables nor fit_held_out")
    return cross_fit([Candidate(model.name, model)], votes, n_classes, gold, judged, folds)


def cross_fit(
    candidates: Sequence[Candidate],
    votes: Votes,
    n_classes: int,
    gold: I8,
    judged: Mask,
    folds: I8,
    weight: F8 | None = None,
    twins: bool = True,
) -> HeldOut:
    """Fit candidates on everything and without folds, temper and weigh them; see `held_out`.

    Args:
        weight: (n,) how many equal items each one stands for; 1 when not given.
        twins: whether `held` is wanted; without, no pairs of folds are fitted.
    """
    n_folds = int(folds.max(initial=-1)) + 1
    judging = bool(judged.sum() >= FEWEST_JUDGED)
    if not judging:
        candidates = [candidate for candidate in candidates if candidate.untrained_share > 0]
    runs = _runs(n_folds, twins, judging)
    golds = [np.where(np.isin(folds, run), UNKNOWN, gold) for run in runs]
    picked = (gold != UNKNOWN) & ~judged
    rows = np.flatnonzero(judged)
    asked, truth, fold = votes.take(rows), gold[rows], folds[rows]
    fitted = [
        _Runs(candidate, runs, candidate.model.fit_each(votes, n_classes, golds, weight, picked), asked)
        for candidate in candidates
    ]
    held = [_joined(fitted, (f,), truth, fold) for f in range(n_folds)] if twins else []
    members = _joined(fitted, (), truth, fold)
    return HeldOut(
        members=with_tiers(members, votes, weight),
        held=tuple(with_tiers(twin, votes, weight) for twin in held),
    )


def _runs(n_folds: int, twins: bool, judging: bool) -> list[tuple[int, ...]]:
    """Folds that each fit leaves out, in rising order."""
    singles = [(f,) for f in range(n_folds)] if twins or judging else []
    pairs = list(combinations(range(n_folds), 2)) if twins and judging else []
    return [(), *singles, *pairs]


class _Runs:
    """One candidate's members by the folds that they do not know, and the votes on judged items."""

    def __init__(
        self, candidate: Candidate, runs: Sequence[tuple[int, ...]], members: Sequence[Member], asked: Votes
    ) -> None:
        self.candidate = candidate
        self.members = dict(zip(runs, members, strict=True))
        self.asked = asked

    def out_of_fold(self, left_out: tuple[int, ...], fold: I8) -> F8:
        """(g, K) scores of judged items by members that know neither their fold nor `left_out`."""
        some_member = self.members[left_out]
        scores = np.zeros((len(fold), len(some_member.prior)))
        for f in np.setdiff1d(fold, left_out).tolist():
            mine = fold == f
            member = self.members[tuple(sorted((*left_out, f)))]
            scores[mine] = log_scores(self.asked.take(mine), member.prior, member.tables)
        return scores


def _joined(fitted: Sequence[_Runs], left_out: tuple[int, ...], truth: I8, fold: I8) -> tuple[Member, ...]:
    """The members that do not know some folds, tempered and weighed by the judged items of the others."""
    others = ~np.isin(fold, left_out)
    if others.sum() < FEWEST_JUDGED:
        ready = [runs for runs in fitted if runs.candidate.untrained_share > 0]
        believed = np.log([runs.candidate.untrained_share for runs in ready])
        return _kept(ready, left_out, np.full(len(ready), UNTRAINED_TEMPERATURE), believed)
    temperatures, evidence = np.empty(len(fitted)), np.empty(len(fitted))
    for index, runs in enumerate(fitted):
        scores = runs.out_of_fold(left_out, fold)[others]
        temperatures[index] = fit_temperature(scores, truth[others])
        given = softmax(temperatures[index] * scores)[np.arange(len(scores)), truth[others]]
        floored = (1 - FLOOR) * given + FLOOR / scores.shape[1]
        evidence[index] = np.log(runs.candidate.share) + np.log(floored).sum()
    known = judged_families(fitted[0].asked.take(others))
    return tuple(with_untested(member, known) for member in _kept(fitted, left_out, temperatures, evidence))


def _kept(
    fitted: Sequence[_Runs], left_out: tuple[int, ...], temperatures: F8, evidence: F8
) -> tuple[Member, ...]:
    """Members whose weight, proportional to exp(evidence), is worth their cost."""
    weights = softmax(evidence[None])[0]
    weights = np.where(weights >= LEAST_WEIGHT, weights, 0.0)
    weights /= weights.sum()
    return tuple(
        replace(runs.members[left_out], name=runs.candidate.name, temperature=temperature, weight=weight)
        for runs, temperature, weight in zip(fitted, temperatures.tolist(), weights.tolist(), strict=True)
        if weight > 0
    )
