"""From collected votes and answers to a candidate bundle with its evaluation; pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from models.arrays import F4, F8, I8, UNKNOWN, Mask, present
from models.bundle import Bundle, fallback_tables
from models.calibration import Calibration
from models.classifier import EDGES
from models.comparison import Comparison, compare, telling
from models.cost import best_label
from models.cross_classifier import CrossClassifier, train_classifier
from models.crossfit import (
    Chosen,
    Judged,
    calibrated,
    choose,
    held_posterior,
    held_scores,
    member_losses,
    without,
)
from models.drift.reference import Reference
from models.evaluation import Evaluation, judge, log_loss
from models.folds import FOLDS, fold_of
from models.gold import Gold, stream_weights
from models.heads import HEADS
from models.label_model.mixture import Mixture
from models.label_model.priors import Priors
from models.label_model.protocol import HeldOut
from models.label_model.registry import LABEL_MODELS
from models.people import confusions
from models.votes import FUNCTION, Votes, kind

FEWEST_TYPICAL = 50
"""The mean of fewer vectors lies too close to these for distances of others to be compared with theirs."""

Say = Callable[[str], None]

Trained_co = TypeVar("Trained_co", covariant=True)
"""A kind of bundle."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """Everything known of n items.

    Attributes:
        classes: K names in order.
        votes: of functions and of tiers that are not final, without a classifier.
        expert: (n,) label by a final tier, or -1.
        audited: (n,) the expert answer came from a random blind draw; only these judge models.
        fresh: (n,) audited, and the champion never saw the answer.
        vectors: (n, d) embeddings, rows of NaN for items without one, or None. encoder: name of the encoder
            that made them.
        groups: (n,) equal for items that must not stand on both sides of a split; an item's fold follows
            from it, so that it must be the same number wherever the item is served.
        tier_accuracy: tier name -> how often it is expected to be right.
        recent: (n,) came since the stream last changed: what the next items are compared with; None for all.
        timely: (n,) audited, and the item came since the stream last changed; None for all that are audited.
        typical: (n,) has its vector whatever was said of it: where votes decide which items get one, only
            these show what the stream's vectors are like; None for all.
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
    recent: Mask | None = None
    timely: Mask | None = None
    typical: Mask | None = None

    def __post_init__(self) -> None:
        self._check_lengths()
        self._check_answers()
        self._check_vectors()

    def _check_lengths(self) -> None:
        n = self.votes.n_items
        for name in ("expert", "audited", "fresh", "groups", "vectors", "recent", "timely", "typical"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise ValueError(f"training data: {name} has {len(column)} rows, the votes {n} items")
        if not n:
            raise ValueError("training data: there are no items")

    def _check_answers(self) -> None:
        if (self.audited & (self.expert == UNKNOWN)).any():
            raise ValueError("training data: an audited item has no expert label")
        if (self.fresh & ~self.audited).any():
            raise ValueError("training data: a fresh item is not audited")
        if self.timely is not None and (self.timely & ~self.audited).any():
            raise ValueError("training data: a timely item is not audited")

    def _check_vectors(self) -> None:
        if self.vectors is not None and self.encoder is None:
            raise ValueError("training data: vectors without the name of their encoder")
        if self.vectors is not None and not self.encoded.any():
            raise ValueError("training data: no item has a vector; vectors must be None then")
        if self.typical is not None and (self.typical & ~self.encoded).any():
            raise ValueError("training data: a typical item has no vector")

    @property
    def facets(self) -> "tuple[TrainingData, ...]":
        """What is told apart by itself: with one class an item the data are their own only facet."""
        return (self,)

    @property
    def n_items(self) -> int:
        """How many items there are, n."""
        return self.votes.n_items

    @property
    def encoded(self) -> Mask:
        """(n,) whether each item has a vector."""
        return np.zeros(self.n_items, np.bool_) if self.vectors is None else present(self.vectors)

    @property
    def telling(self) -> Mask:
        """(n,) audited items on which a candidate is compared with the champion."""
        return telling(self.fresh, self.audited if self.timely is None else self.timely)


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How to train.

    Attributes:
        label_models: registry names that compete.
        seed: of folds, samples and models.
        trained_at: written to the bundle, ISO 8601.
        cost: (K, K) of errors, or None for 0/1: labels are counted as they will be decided.
        head: name in `heads.HEADS`: what the classifier is.
    """

    label_models: tuple[str, ...] = ("pool",)
    seed: int = 0
    trained_at: str = ""
    cost: F8 | None = None
    head: str = "softmax"

    def __post_init__(self) -> None:
        if self.head not in HEADS:
            raise ValueError(f"head: {self.head} unknown; there are {', '.join(HEADS)}")
        if unknown := sorted(set(self.label_models) - set(LABEL_MODELS)):
            raise ValueError(
                f"label models: {', '.join(unknown)} unknown; there are {', '.join(LABEL_MODELS)}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Candidate(Generic[Trained_co]):
    """A trained bundle, how good it is, and whether workers are to follow it.

    Attributes:
        member_losses: for each part of the bundle, name of a member -> its own mean log-loss on audited items
            that it did not know.
    """

    bundle: Trained_co
    evaluation: Evaluation
    comparison: Comparison
    member_losses: tuple[Mapping[str, float], ...]

    @property
    def promoted(self) -> bool:
        """Workers are to follow it."""
        return self.comparison.promoted

    @property
    def reason(self) -> str:
        """Why it is promoted or not, one sentence."""
        return self.comparison.reason


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What came of learning to tell K options apart on n items.

    Attributes:
        chosen: the label model, fitted with the classifier's votes. classifier: None without vectors.
        held: (n, K) each item by models that know no answer of its fold.
        everything: (n, K) by models that know all.
        losses: registry name of a label model -> its log-loss on audited answers.
        member_losses: the same for each member of the chosen one.
        figures: what the classifier's head has to say of itself.
        people: annotator key -> (K, K) how often each person is expected to have said what of which class.
    """

    chosen: Chosen
    classifier: CrossClassifier | None
    held: F8
    everything: F8
    losses: Mapping[str, float]
    member_losses: Mapping[str, float]
    figures: Mapping[str, float]
    people: Mapping[str, F8]


def train(
    data: TrainingData, options: TrainingOptions, champion: Bundle | None, say: Say
) -> Candidate[Bundle]:
    """Choose a label model, train the classifier, fit the model again with its votes, calibrate, compare.

    Temperatures, weights, the acceptance score and every figure rest on predictions for audited items by
    models that did not know the item's own answer, with every annotator in.
    """
    learned = learn(data, options, say)
    sure, right = learned.held.max(axis=1), learned.held.argmax(axis=1) == data.expert
    comparison = _against(champion, data, learned, options.cost)
    extra = {
        "experts": float((data.expert != UNKNOWN).sum()),
        "items": float(data.n_items),
        **{f"log_loss_{name}": loss for name, loss in learned.losses.items()},
        **comparison.metrics,
        **learned.figures,
    }
    known = data.audited
    scores = held_scores(sure, right, known, fold_of(data.groups))[known]
    return Candidate(
        bundle=bundle_of(
            data,
            options,
            learned,
            calibrated(sure, right, known),
            reference_of(data, symbol_counts(data), options.seed),
        ),
        evaluation=judge(
            learned.held[known], scores, data.expert[known], learned.everything, extra, options.cost
        ),
        comparison=comparison,
        member_losses=(learned.member_losses,),
    )


def learn(data: TrainingData, options: TrainingOptions, say: Say) -> Learned:
    """Choose a label model, train the classifier, fit the model again with its votes."""
    judged = Judged(
        n_classes=len(data.classes),
        priors=Priors(data.tier_accuracy),
        seed=options.seed,
        expert=data.expert,
        audited=data.audited,
        folds=fold_of(data.groups),
    )
    first, losses = choose(options.label_models, data.votes, judged, say)
    classifier, votes, fitted = None, data.votes, first.fitted
    if data.vectors is not None:
        classifier = _classifier(data, data.vectors, fitted, judged, options.head)
        votes = Votes.concat_annotators(votes, classifier.votes)
        fitted = judged.fit(first.name, votes)
        say(f"classifier trained on {votes.n_items} items")
    return Learned(
        chosen=Chosen(first.name, fitted),
        classifier=classifier,
        held=held_posterior(fitted, votes, judged.folds),
        everything=Mixture(fitted.members).posterior(votes),
        losses=losses,
        member_losses=member_losses(fitted, votes, judged),
        figures=_head_figures(
            data, options.head, classifier, held_posterior(first.fitted, data.votes, judged.folds)
        ),
        people=confusions(fitted.members, votes, data.expert),
    )


def _classifier(
    data: TrainingData, vectors: F4, fitted: HeldOut, judged: Judged, head: str
) -> CrossClassifier:
    """Learned from what all other annotators say together."""
    soft = Mixture(fitted.members).posterior(data.votes)
    held_soft = [Mixture(without(fitted, fold)).posterior(data.votes) for fold in range(FOLDS)]
    return train_classifier(
        vectors, soft, held_soft, data.expert, data.groups, judged.folds, judged.seed, head
    )


def _head_figures(
    data: TrainingData, head: str, classifier: CrossClassifier | None, soft: F8
) -> Mapping[str, float]:
    """What this kind of head has to say of itself; `soft` (n, K) is what it was to learn."""
    if classifier is None or data.vectors is None:
        return {}
    own, figures = data.encoded, HEADS[head].figures
    return figures(
        classifier.head,
        data.vectors[own],
        classifier.proba[own],
        soft[own],
        data.expert[own],
        data.audited[own],
    )


def _against(champion: Bundle | None, data: TrainingData, learned: Learned, cost: F8 | None) -> Comparison:
    """Before the first champion the built-in priors are the rival."""
    rival = champion or Bundle.from_priors(data.classes, data.tier_accuracy)
    theirs, judged = predict(rival, data, np.arange(data.n_items)), data.telling
    before, after = best_label(theirs, cost), best_label(learned.everything, cost)
    return compare(
        log_loss(learned.held[judged], data.expert[judged]),
        log_loss(theirs[judged], data.expert[judged]),
        n_fresh=int(data.fresh.sum()),
        first=champion is None,
        changed=before != after,
        before=np.bincount(before, minlength=len(data.classes)),
    )


def bundle_of(
    data: TrainingData,
    options: TrainingOptions,
    learned: Learned,
    calibration: Calibration,
    reference: Reference,
) -> Bundle:
    """What was learned as workers need it."""
    judged, classifier = data.audited, learned.classifier
    weights = stream_weights(learned.held.max(axis=1), judged)
    return Bundle(
        classes=data.classes,
        members=learned.chosen.fitted.members,
        fallbacks=fallback_tables(len(data.classes), data.tier_accuracy),
        heads=() if classifier is None else classifier.heads,
        head=None if classifier is None else classifier.head,
        encoder=None if classifier is None else data.encoder,
        edges=EDGES,
        calibration=calibration,
        reference=reference,
        gold=Gold.of(data.expert[judged], data.groups[judged], weights, len(data.classes)),
        label_model=learned.chosen.name,
        trained_at=options.trained_at,
        people=learned.people,
    )


def reference_of(data: TrainingData, symbols: Mapping[str, I8], seed: int) -> Reference:
    """What recent items look like, and what annotators said of them, as `symbol_counts` has it."""
    recent = _recent(data)
    seen = Reference.of(
        _typical_vectors(data, recent), np.empty((len(recent), 0), np.int64), (), len(data.classes), seed
    )
    return replace(seen, symbols=symbols)


def _typical_vectors(data: TrainingData, rows: I8) -> F4 | None:
    """Those of some items that stand for the stream; None where there are too few to be compared with."""
    if data.vectors is None:
        return None
    if data.typical is None:
        return data.vectors[rows]
    typical = rows[data.typical[rows]]
    return data.vectors[typical] if len(typical) >= FEWEST_TYPICAL else None


def symbol_counts(data: TrainingData) -> Mapping[str, I8]:
    """Function key -> (S,) how often it said what about recent items.

    Functions that an item was never shown to do not count as silent on it.
    """
    votes = data.votes.take(_recent(data))
    offsets = votes.offsets
    totals = np.bincount(votes.columns, minlength=int(offsets[-1]))
    return {
        key: totals[offsets[place] : offsets[place + 1]]
        for place, key in enumerate(votes.annotators)
        if kind(key) == FUNCTION
    }


def _recent(data: TrainingData) -> I8:
    return np.arange(data.n_items) if data.recent is None else np.flatnonzero(data.recent)


def predict(bundle: Bundle, data: TrainingData, rows: I8) -> F8:
    """(r, K) posterior of a bundle on some items, as a worker would have it before any expert spoke."""
    votes = data.votes.take(rows)
    if bundle.head is not None and data.vectors is not None and bundle.encoder == data.encoder:
        proba = bundle.classify(data.vectors[rows], data.groups[rows])
        votes = Votes.concat_annotators(votes, bundle.classifier_votes(proba))
    return bundle.posterior(votes)
