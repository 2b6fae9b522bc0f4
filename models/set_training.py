"""From collected votes and answers to a candidate bundle where any number of classes may apply; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F4, F8, I8, UNKNOWN, Mask
from models.bundle import Bundle
from models.calibration import Calibration
from models.comparison import Comparison, compare
from models.crossfit import calibrated, held_scores
from models.drift.reference import Reference
from models.folds import fold_of
from models.gold import stream_weights
from models.set_bundle import APPLIES, SetBundle, facet_key, joint_confidence, set_gold
from models.set_evaluation import judge_sets, likelier, set_log_loss
from models.training import (
    Candidate,
    Learned,
    Say,
    TrainingData,
    TrainingOptions,
    bundle_of,
    learn,
    predict,
    reference_of,
    symbol_counts,
)

SHARED = ("groups", "vectors", "audited", "fresh", "recent", "timely", "typical")

FEWEST_NAMED = 10
"""Audited answers that name a class, below which it is said that little is known of it."""


@dataclass(frozen=True, slots=True, eq=False)
class SetData:
    """Everything known of n items, of which any number of F classes may apply to each.

    Attributes:
        classes: F names in order.
        facets: one a class, over `APPLIES`: `expert` is 1 where the class applies, 0 where it does not, -1
            where no final tier said; `votes` are what was said about this class. All else is the same in all.
    """

    classes: tuple[str, ...]
    facets: tuple[TrainingData, ...]

    def __post_init__(self) -> None:
        if len(self.facets) != len(self.classes) or not self.facets:
            raise ValueError(f"training data: {len(self.facets)} facets for {len(self.classes)} classes")
        first = self.facets[0]
        known = first.expert != UNKNOWN
        for name, facet in zip(self.classes, self.facets, strict=True):
            if facet.classes != APPLIES:
                raise ValueError(f"training data: {name} is told apart in {', '.join(facet.classes)}")
            if len(facet.expert) != len(known) or ((facet.expert != UNKNOWN) != known).any():
                raise ValueError(f"training data: experts answered on other items about {name}")
            if facet.encoder != first.encoder or facet.tier_accuracy != first.tier_accuracy:
                raise ValueError(f"training data: encoder or tiers of {name} are not those of the others")
            if unlike := [each for each in SHARED if not _same(getattr(facet, each), getattr(first, each))]:
                raise ValueError(
                    f"training data: {', '.join(unlike)} of {name} are not those of {self.classes[0]}"
                )

    @property
    def n_items(self) -> int:
        """How many items there are, n."""
        return self.facets[0].votes.n_items

    @property
    def expert(self) -> I8:
        """(n,) the whole label by a final tier: bit k is set where class k applies; -1 without one."""
        bits = sum(facet.expert.astype(np.int64) << place for place, facet in enumerate(self.facets))
        return np.where(self.facets[0].expert == UNKNOWN, UNKNOWN, bits)

    @property
    def audited(self) -> Mask:
        """(n,) the expert answer came from a random blind draw."""
        return self.facets[0].audited

    @property
    def fresh(self) -> Mask:
        """(n,) audited, and the champion never saw the answer."""
        return self.facets[0].fresh

    @property
    def vectors(self) -> F4 | None:
        """(n, d) embeddings, rows of NaN for items without one, or None."""
        return self.facets[0].vectors

    @property
    def groups(self) -> I8:
        """(n,) equal for items that must not stand on both sides of a split."""
        return self.facets[0].groups

    @property
    def tier_accuracy(self) -> Mapping[str, float]:
        """Tier name -> how often it is expected to be right about one class (`class_accuracy`)."""
        return self.facets[0].tier_accuracy

    @property
    def encoder(self) -> str | None:
        """Name of the encoder that made the vectors."""
        return self.facets[0].encoder

    @property
    def recent(self) -> Mask | None:
        """(n,) came since the stream last changed; None for all."""
        return self.facets[0].recent


def _same(one: I8 | F4 | Mask | None, other: I8 | F4 | Mask | None) -> bool:
    """Whether two columns are equal; quick where they are the same array."""
    if one is other or one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=True)


def train_sets(
    data: SetData, options: TrainingOptions, champion: SetBundle | None, say: Say
) -> Candidate[SetBundle]:
    """Learn about each class by itself; calibrate, judge and compare whole sets.

    Each class has its own label models, temperatures and classifier. The acceptance score is about the whole
    set: the classes' certainties multiplied, and brought by audits to how often all were right. As for single
    labels, everything rests on predictions for audited items by models that did not know their answers.

    Raises ValueError for costs of errors, or a head other than `softmax`: both are about single labels.
    """
    if options.cost is not None:
        raise ValueError("training: costs of errors are for tasks with one class an item")
    if options.head != "softmax":
        raise ValueError(f"training: head {options.head} is for tasks with one class an item")
    learned = [
        learn(facet, options, _about(name, facet, say))
        for name, facet in zip(data.classes, data.facets, strict=True)
    ]
    held = np.concatenate([one.held for one in learned], axis=1)
    everything = np.concatenate([one.everything for one in learned], axis=1)
    truth = spread(data)
    sure, right = joint_confidence(held), (likelier(held) == truth).all(axis=1)
    comparison = _against(champion, data, held, everything, truth)
    known = data.audited
    scores = held_scores(sure, right, known, fold_of(data.groups))
    extra = {
        "experts": float((data.expert != UNKNOWN).sum()),
        "items": float(data.n_items),
        **_losses(learned),
        **comparison.metrics,
    }
    weights = stream_weights(sure, known)
    bundle = SetBundle(
        classes=data.classes,
        parts=tuple(
            bundle_of(facet, options, one, Calibration.identity(), Reference.from_arrays({}))
            for facet, one in zip(data.facets, learned, strict=True)
        ),
        calibration=calibrated(sure, right, known),
        reference=reference_of(data.facets[0], _symbols(data), options.seed),
        gold=set_gold(data.expert[known], data.groups[known], weights, len(data.classes)),
        trained_at=options.trained_at,
    )
    return Candidate(
        bundle=bundle,
        evaluation=judge_sets(held[known], scores[known], truth[known], everything, extra),
        comparison=comparison,
        member_losses=tuple(one.member_losses for one in learned),
    )


def predict_parts(parts: Sequence[Bundle], facets: Sequence[TrainingData], rows: I8) -> F8:
    """(r, F * K) posterior of F bundles on some items, each by its own facet of the data; see `predict`."""
    each = [predict(part, facet, rows) for part, facet in zip(parts, facets, strict=True)]
    return np.concatenate(each, axis=1)


def spread(data: SetData) -> I8:
    """(n, F) 1 where an expert said that a class applies, 0 where not; -1 without an answer."""
    return np.stack([facet.expert for facet in data.facets], axis=1)


def _about(name: str, facet: TrainingData, say: Say) -> Say:
    """Says whom it is about, and first of all if the class is too rare among audits to be judged."""

    def tell(what: str) -> None:
        say(f"{name}: {what}")

    named, judged = int((facet.expert[facet.audited] == 1).sum()), int(facet.audited.sum())
    if named < FEWEST_NAMED <= judged:
        tell(f"named by {named} of {judged} audited answers: how well it is told rests mostly on priors")
    return tell


def _against(champion: SetBundle | None, data: SetData, held: F8, everything: F8, truth: I8) -> Comparison:
    """All classes at once; before the first champion the built-in priors are the rival."""
    unlearned = (Bundle.from_priors(APPLIES, data.tier_accuracy),) * len(data.classes)
    rival = unlearned if champion is None else champion.parts
    theirs = predict_parts(rival, data.facets, np.arange(data.n_items))
    before, judged = likelier(theirs), data.facets[0].telling
    return compare(
        set_log_loss(held[judged], truth[judged]),
        set_log_loss(theirs[judged], truth[judged]),
        n_fresh=int(data.fresh.sum()),
        first=champion is None,
        changed=(before != likelier(everything)).any(axis=1),
        before=before.sum(axis=0),
    )


def _losses(learned: Sequence[Learned]) -> Mapping[str, float]:
    """`log_loss_MODEL`, summed over classes, of label models that could be fitted for every class."""
    names = [name for name in learned[0].losses if all(name in one.losses for one in learned)]
    return {f"log_loss_{name}": sum(one.losses[name] for one in learned) for name in names}


def _symbols(data: SetData) -> Mapping[str, I8]:
    return {
        facet_key(key, name): counts
        for name, facet in zip(data.classes, data.facets, strict=True)
        for key, counts in symbol_counts(facet).items()
    }
