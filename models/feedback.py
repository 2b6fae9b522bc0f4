"""Human, AI and hybrid feedback beside each other: soft labels of each, and reward models that learn them.

What is compared is held out by prompts: H. Lee et al.: RLAIF vs. RLHF. arXiv 2309.00267 (2023).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.arrays import F4, F8, I8, UNKNOWN, Mask
from models.folds import FOLDS, grouped_folds
from models.pair_classifier import choose_pair_strength, fit_pairs
from models.reward_model import soft_log_loss
from models.soft_preferences import (
    N_CLASSES,
    PREFERS_A,
    TIE,
    clear_preferences,
    preference_posterior,
    with_answers,
)
from models.votes import LLM, TIER, Votes, kind

HUMAN, AI, HYBRID = "human", "AI", "hybrid"
KINDS_OF_VOTES: Mapping[str, frozenset[str]] = {
    HUMAN: frozenset({TIER}),
    AI: frozenset({LLM}),
    HYBRID: frozenset({TIER, LLM}),
}
"""Kind of feedback -> kinds of annotators whose votes it has; all but AI have experts' answers, too."""


@dataclass(frozen=True, slots=True, eq=False)
class Feedback:
    """What a reward model learns from.

    Attributes:
        posterior: (n, 3) soft labels. taught: (n,) 1 for pairs that it has any word about, else 0.
    """

    posterior: F8
    taught: F8


@dataclass(frozen=True, slots=True, eq=False)
class PairData:
    """n pairs.

    Attributes:
        differences: (n, d) of a `PairEncoder`. kinds: (d,) of its features.
        votes: of people below the experts and of language models.
        answers: (n,) what an expert said, or -1.
        groups: (n,) the prompt.
        accuracy: of one expert's answer, in (1/3, 1), stated beforehand.
    """

    differences: F4
    kinds: I8
    votes: Votes
    answers: I8
    groups: I8
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutFigures:
    """(n,) of each pair, means over splits: NaN where no expert said A or B.

    Attributes:
        right: whether the reward model prefers what the expert preferred.
        log_loss: of its preference given that there is one, in nats.
        taught: number of pairs that a reward model learned from, mean over folds and splits.
    """

    right: F8
    log_loss: F8
    taught: float


def soft_labels(name: str, votes: Votes, answers: I8, accuracy: float, seed: int) -> Feedback:
    """The feedback of one kind on n pairs.

    Args:
        name: HUMAN, AI or HYBRID.
        votes: of all annotators; those of other kinds are left out.
        answers: (n,) an expert's, or -1; AI feedback has none of them.
        accuracy: of an expert's answer. seed: of the pool.
    """
    mine = _of_kinds(votes, KINDS_OF_VOTES[name])
    known = np.full(len(answers), UNKNOWN) if name == AI else answers
    taught = known != UNKNOWN
    taught[mine.row] = True
    before = balance(known) if not len(mine.row) else preference_posterior(mine, known, seed=seed)
    return Feedback(with_answers(before, known, accuracy), taught.astype(np.float64))


def compare_feedback(data: PairData, splits: int) -> dict[str, HeldOutFigures]:
    """Kind of feedback -> how well rewards learned from it predict experts on prompts held out.

    Each split parts the prompts into folds anew; what is judged taught nothing, as answer or as vote.

    Raises:
        ValueError: fewer prompts than folds, or a kind of feedback that has nothing to teach.
    """
    if len(np.unique(data.groups)) < FOLDS:
        raise ValueError(f"feedback: fewer than {FOLDS} prompts cannot be parted into {FOLDS} folds")
    runs: dict[str, list[tuple[F8, F8, float]]] = {name: [] for name in KINDS_OF_VOTES}
    for seed in range(splits):
        folds = grouped_folds(data.groups, FOLDS, seed)
        for name, each in runs.items():
            each.append(_one_split(data, name, folds, seed))
    return {
        name: HeldOutFigures(
            np.mean([right for right, _, _ in each], axis=0),
            np.mean([loss for _, loss, _ in each], axis=0),
            float(np.mean([taught for _, _, taught in each])),
        )
        for name, each in runs.items()
    }


def _one_split(data: PairData, name: str, folds: I8, seed: int) -> tuple[F8, F8, float]:
    said, taught = np.empty(len(folds)), 0.0
    for fold in range(FOLDS):
        said[folds == fold], number = _one_fold(data, name, folds != fold, seed)
        taught += number / FOLDS
    clear = (data.answers != UNKNOWN) & (data.answers != TIE)
    target = np.where(clear, np.where(data.answers == PREFERS_A, 1.0, 0.0), np.nan)
    right = np.where(clear, (said > 0.5) == (target > 0.5), np.nan)
    return right, soft_log_loss(said, target), taught


def _one_fold(data: PairData, name: str, inside: Mask, seed: int) -> tuple[F8, float]:
    """Preferences outside, ties apart, by rewards learned inside, and from how many pairs."""
    rows = np.flatnonzero(inside)
    given = soft_labels(name, data.votes.take(rows), data.answers[rows], data.accuracy, seed)
    if not given.taught.any():
        raise ValueError(f"feedback: there is no {name} feedback to learn from")
    learned = data.differences[rows], given.posterior, given.taught
    strength = choose_pair_strength(*learned, data.groups[rows], data.kinds)
    head = fit_pairs(*learned, data.kinds, strength)
    return clear_preferences(head.predict_proba(data.differences[~inside])), float(given.taught.sum())


def _of_kinds(votes: Votes, kinds: frozenset[str]) -> Votes:
    keep = [place for place, key in enumerate(votes.annotators) if kind(key) in kinds]
    place_of = np.full(len(votes.annotators), UNKNOWN)
    place_of[keep] = np.arange(len(keep))
    mine = place_of[votes.annotator] != UNKNOWN
    return Votes(
        votes.n_items,
        tuple(votes.annotators[place] for place in keep),
        tuple(votes.n_symbols[place] for place in keep),
        votes.row[mine],
        place_of[votes.annotator[mine]],
        votes.symbol[mine],
    )


def balance(answers: I8) -> F8:
    """(n, 3) the shares of classes among the answers, each counted once more."""
    counts = np.bincount(answers[answers != UNKNOWN], minlength=N_CLASSES) + 1.0
    return np.tile(counts / counts.sum(), (len(answers), 1))
