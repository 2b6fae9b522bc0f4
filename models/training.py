"""From collected votes and answers to a candidate bundle with its evaluation; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from models import crossfit
from models.arrays import F4, F8, I8, UNKNOWN, Mask, clamped, softmax
from models.bundle import Bundle, fallback_tables
from models.calibration import Calibration, fit_calibration
from models.classifier import (
    EDGES,
    LinearHead,
    choose_strength,
    classify_by_fold,
    fit_classifier,
    fit_fold_heads,
    symbols,
)
from models.crossfit import FEWEST_AUDITED, Fitted, own_fold, temperatures
from models.drift.reference import Reference
from models.evaluation import Evaluation, judge, log_loss
from models.folds import FOLDS, fold_of
from models.gold import Gold
from models.label_model.counts import expected_tables
from models.label_model.priors import Priors
from models.label_model.protocol import Member
from models.label_model.registry import LABEL_MODELS
from models.votes import CLASSIFIER, FUNCTION, Votes, kind

HEAD_ITEMS = 8_000
"""Items that the head learns from at most: all answered ones, the rest drawn at random."""

TABLE_WEIGHT = 0.02
"""What an unanswered item counts in the classifier's table: the soft labels are the head's own teachers."""

GOLD_WEIGHT = 10.0
"""What an answered item counts for in the head beside a certain soft label."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Everything known of n items.

    Attributes:
        classes: K names in order.
        votes: of functions and of tiers that are not final, without a classifier.
        expert: (n,) label by a final tier, or -1.
        audited: (n,) the expert answer came from a random blind draw; only these judge models.
        fresh: (n,) audited, and the champion never saw the answer.
        vectors: (n, d) embeddings, or None. encoder: name of the encoder that made them.
        groups: (n,) equal for items that must not stand on both sides of a split; an item's fold follows
            from it, so that it must be the same number wherever the item is served.
        tier_accuracy: tier name -> how often it is expected to be right.
    """

    classes: tuple[str, ...]
    votes: Votes
    expert: I8
    audited: Mask
    fresh: Mask
    vectors: F4 | None
    groups: I8
    tier_accuracy: Mapping[str, float]
    encoder: str | None = None

    def __post_init__(self) -> None:
        n = self.votes.n_items
        for name in ("expert", "audited", "fresh", "groups", "vectors"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise ValueError(f"training data: {name} has {len(column)} rows, the votes {n} items")
        if not n:
            raise ValueError("training data: there are no items")
        if (self.audited & (self.expert == UNKNOWN)).any():
            raise ValueError("training data: an audited item has no expert label")
        if (self.fresh & ~self.audited).any():
            raise ValueError("training data: a fresh item is not audited")
        if self.vectors is not None and self.encoder is None:
            raise ValueError("training data: vectors without the name of their encoder")


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How to train.

    Attributes:
        label_models: registry names that compete.
        seed: of folds, samples and models.
        trained_at: written to the bundle, ISO 8601.
    """

    label_models: tuple[str, ...] = tuple(LABEL_MODELS)
    seed: int = 0
    trained_at: str = ""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.label_models) - set(LABEL_MODELS)):
            raise ValueError(
                f"label models: {', '.join(unknown)} unknown; there are {', '.join(LABEL_MODELS)}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A trained bundle, how good it is, and whether workers are to follow it."""

    bundle: Bundle
    evaluation: Evaluation
    promoted: bool
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """A classifier with its vote table, and what it adds to scores when its items were held out."""

    head: LinearHead
    heads: tuple[LinearHead, ...]
    table: F8
    full: F8
    """(n, K) what out-of-fold votes add by the final table."""
    held: F8
    """(n, K) the same by a table that never knew the item's label."""


def train(data: TrainingData, options: TrainingOptions, champion: Bundle | None, say: Say) -> Candidate:
    """Fit label models, choose one, train the classifier, calibrate, evaluate, compare with the champion.

    Every figure and the acceptance score rest on predictions for audited items by models that did not
    know the item's own answer (five folds by group).
    """
    priors = Priors(data.tier_accuracy)
    folds = fold_of(data.groups)
    chosen, losses = crossfit.choose(
        options.label_models,
        data.votes,
        data.expert,
        data.audited,
        folds,
        priors,
        len(data.classes),
        options.seed,
        say,
    )
    head = None
    if data.vectors is not None:
        head = _train_head(data, data.vectors, chosen, folds, priors, options.seed)
        say(f"classifier trained on {data.votes.n_items} items")
    full, held = chosen.full, own_fold(chosen.held, folds)
    if head is not None:
        full, held = full + head.full, held + head.held
    temperature, each = temperatures(held, data.expert, folds, data.audited)
    posterior = softmax(each[folds, None] * held)
    bundle = _bundle(data, options, chosen, head, temperature, _calibration(data, posterior, data.audited))
    evaluation = _evaluate(data, posterior, folds, softmax(temperature * full), losses)
    return _compare(data, bundle, evaluation, posterior, champion)


def _train_head(
    data: TrainingData, vectors: F4, chosen: Fitted, folds: I8, priors: Priors, seed: int
) -> _Head:
    """Cross-fit the head on soft labels that are made without its own votes."""
    temperature, each = temperatures(own_fold(chosen.held, folds), data.expert, folds, data.audited)
    targets = clamped(softmax(temperature * chosen.full), data.expert)
    # a fold's own labels may stand here: its items teach neither its head nor its table
    held_targets = [clamped(softmax(each[f] * chosen.held[f]), data.expert) for f in range(FOLDS)]
    sample = _sample(data.expert, seed)
    weights = _informative(targets, data.expert) * sample
    strength = choose_strength(vectors, targets, weights, data.groups)
    held_weights = [_informative(target, data.expert) * sample for target in held_targets]
    heads = fit_fold_heads(vectors, held_targets, held_weights, folds, strength)
    head = fit_classifier(vectors, targets, weights, strength=strength)
    said = symbols(classify_by_fold(heads, vectors, folds))
    table = _classifier_table(said, targets, data.expert, priors)
    held = np.empty_like(targets)
    for fold in range(FOLDS):
        other = folds != fold
        held_table = _classifier_table(said[other], held_targets[fold][other], data.expert[other], priors)
        held[~other] = held_table[said[~other]]
    return _Head(head, heads, table, table[said], held)


def _classifier_table(said: I8, targets: F8, expert: I8, priors: Priors) -> F8:
    """(S, K) log-likelihoods of out-of-fold votes under soft labels made without them."""
    n_symbols = targets.shape[1] * (len(EDGES) + 1)
    votes = Votes.of_one(CLASSIFIER, said, n_symbols)
    weight = np.where(expert == UNKNOWN, TABLE_WEIGHT, 1.0)
    return expected_tables(votes, targets, priors, weight)[CLASSIFIER]


def _informative(targets: F8, expert: I8) -> F8:
    """(n,) 1 - entropy / log K: 1 for a certain label, 0 for an empty one; answered items count for more."""
    entropy = -(targets * np.log(np.maximum(targets, 1e-12))).sum(axis=1)
    certainty = np.clip(1 - entropy / np.log(targets.shape[1]), 1e-3, 1.0)
    return np.where(expert == UNKNOWN, certainty, GOLD_WEIGHT)


def _sample(expert: I8, seed: int) -> F8:
    """(n,) 1 for items that the head may learn from, 0 for the rest."""
    known = expert != UNKNOWN
    others = np.flatnonzero(~known)
    room = max(HEAD_ITEMS - int(known.sum()), 0)
    if len(others) <= room:
        return np.ones(len(expert))
    sample = np.where(known, 1.0, 0.0)
    sample[np.random.Generator(np.random.PCG64(seed)).choice(others, room, replace=False)] = 1.0
    return sample


def _calibration(data: TrainingData, posterior: F8, judged: Mask) -> Calibration:
    if judged.sum() < FEWEST_AUDITED:
        return Calibration.identity()
    right = posterior[judged].argmax(axis=1) == data.expert[judged]
    return fit_calibration(posterior[judged].max(axis=1), right)


def _bundle(
    data: TrainingData,
    options: TrainingOptions,
    chosen: Fitted,
    head: _Head | None,
    temperature: float,
    calibration: Calibration,
) -> Bundle:
    tables = chosen.tables if head is None else {**chosen.tables, CLASSIFIER: head.table}
    judged = data.audited
    return Bundle(
        classes=data.classes,
        members=(Member(chosen.name, chosen.prior, tables, temperature),),
        fallbacks=fallback_tables(len(data.classes), data.tier_accuracy),
        heads=() if head is None else head.heads,
        head=None if head is None else head.head,
        encoder=None if head is None else data.encoder,
        edges=EDGES,
        calibration=calibration,
        reference=_reference(data, options.seed),
        gold=Gold.of(data.expert[judged], data.groups[judged], np.ones(int(judged.sum())), len(data.classes)),
        label_model=chosen.name,
        trained_at=options.trained_at,
    )


def _reference(data: TrainingData, seed: int) -> Reference:
    """What the items look like; functions that an item was never shown to are not counted as silent on it."""
    nobody = np.empty((data.votes.n_items, 0), np.int64)
    seen = Reference.of(data.vectors, nobody, (), len(data.classes), seed)
    offsets = data.votes.offsets
    totals = np.bincount(data.votes.columns, minlength=int(offsets[-1]))
    symbols_of = {
        key: totals[offsets[place] : offsets[place + 1]]
        for place, key in enumerate(data.votes.annotators)
        if kind(key) == FUNCTION
    }
    return replace(seen, symbols=symbols_of)


def _evaluate(
    data: TrainingData, posterior: F8, folds: I8, everything: F8, losses: Mapping[str, float]
) -> Evaluation:
    """Scores of each fold's audited items go by a curve fitted on the other folds'."""
    scores = np.empty(len(posterior))
    for fold in range(FOLDS):
        curve = _calibration(data, posterior, data.audited & (folds != fold))
        scores[folds == fold] = curve.apply(posterior[folds == fold].max(axis=1))
    extra = {f"log_loss_{name}": loss for name, loss in losses.items()}
    extra["experts"] = float((data.expert != UNKNOWN).sum())
    extra["items"] = float(len(posterior))
    known = data.audited
    return judge(posterior[known], scores[known], data.expert[known], everything, extra)


def _compare(
    data: TrainingData, bundle: Bundle, evaluation: Evaluation, posterior: F8, champion: Bundle | None
) -> Candidate:
    """Paired log-loss on answers that neither side has seen."""
    fresh = data.fresh
    rows = np.flatnonzero(fresh)
    rival = champion or Bundle.from_priors(data.classes, data.tier_accuracy)
    truth = data.expert[fresh]
    theirs, ours = float("nan"), float("nan")
    if len(rows):
        theirs = float(log_loss(predict(rival, data, rows), truth).mean())
        ours = float(log_loss(posterior[fresh], truth).mean())
    promoted, reason = _verdict(len(rows), ours, theirs, champion is None)
    metrics = {
        **evaluation.metrics,
        "fresh": float(len(rows)),
        "fresh_log_loss": ours,
        "fresh_log_loss_champion": theirs,
    }
    return Candidate(bundle, replace(evaluation, metrics=metrics), promoted, reason)


def _verdict(n_fresh: int, ours: float, theirs: float, first: bool) -> tuple[bool, str]:
    rival = "the built-in priors" if first else "the champion"
    if n_fresh < FEWEST_AUDITED:
        few = f"only {n_fresh} fresh audited answers, {FEWEST_AUDITED} are needed to compare"
        return (True, f"first bundle; {few}") if first else (False, few)
    figures = f"log-loss {ours:.3f} against {theirs:.3f} of {rival} on {n_fresh} fresh audited answers"
    return (True, f"better: {figures}") if ours < theirs else (False, f"not better: {figures}")


def predict(bundle: Bundle, data: TrainingData, rows: I8) -> F8:
    """(r, K) posterior of a bundle on some items, as a worker would have it before any expert spoke."""
    votes = data.votes.take(rows)
    if bundle.head is not None and data.vectors is not None and bundle.encoder == data.encoder:
        proba = bundle.classify(data.vectors[rows], data.groups[rows])
        votes = Votes.concat_annotators(votes, bundle.classifier_votes(proba))
    return bundle.posterior(votes)
