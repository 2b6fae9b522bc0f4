"""What becomes of items, given the evidence: one pure function for the stream, answers and re-passes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from daemon.core.evidence import Evidence
from daemon.core.policy import GOLD_PRIORITY, Policy
from daemon.core.rows import Ask, Decision
from daemon.core.states import ItemState, LabelStatus, Purpose
from models.arrays import F8, I8
from models.cost import best_label

Real = TypeVar("Real", np.float32, np.float64)

STATUS = {
    ItemState.HUMAN: LabelStatus.HUMAN,
    ItemState.CERTIFIED: LabelStatus.CERTIFIED,
}
"""Status of a label by the state of its item; provisional in all other states."""


@dataclass(frozen=True, slots=True)
class _Fate:
    state: ItemState
    tier: str | None = None
    count: int = 0
    purpose: Purpose = Purpose.SETTLE
    withdraw: bool = False


def decide(
    evidence: Evidence,
    policy: Policy,
    bundle: int | None,
    draws: NDArray[np.bool_] | None = None,
    accepted_from: float | None = None,
    corrections: int | None = None,
) -> Decision:
    """State, label, questions and publication of every item of the evidence.

    Args:
        evidence: columns of n items.
        policy: what decisions go by.
        bundle: id of the bundle whose posterior the evidence holds; None for the built-in priors, under
            which only random draws are asked (unless the cold start is switched off).
        draws: (n,) True for items drawn at random to be asked blind before the first window.
        accepted_from: where provisional labels go out if they are `accepted`, the least score of those that
            do; None: none does. What was published before is always corrected.
        corrections: how many released labels may be taken back now; the others wait. None: any number.
    """
    posterior, labels, scores = _with_final_answers(evidence, policy)
    evidence = replace(evidence, scores=scores)
    turned, later = _turned(evidence, labels, scores, policy, corrections)
    released = np.array([state == ItemState.CERTIFIED for state in evidence.states], np.bool_)
    stands = released & ~turned & (evidence.final < 0)
    labels[stands] = evidence.before[stands]
    draws = np.zeros(len(evidence), np.bool_) if draws is None else draws
    learned = bundle is not None or policy.guarantee.cold_start_gold == 0
    fates = [
        _Fate(ItemState.CERTIFIED) if stands[row] else _fate(evidence, row, policy, learned, bool(draws[row]))
        for row in range(len(evidence))
    ]
    status = [STATUS.get(fate.state, LabelStatus.PROVISIONAL) for fate in fates]
    return Decision(
        posterior=posterior,
        labels=labels[:, None].astype(np.int8),
        scores=scores,
        classifier=evidence.classifier,
        bundle=bundle,
        states=[fate.state for fate in fates],
        publish=_publications(
            evidence, labels, status, _provisional(evidence, scores, policy, accepted_from)
        ),
        status=status,
        withdraw=np.array([fate.withdraw for fate in fates], np.bool_),
        asks=[ask for row, fate in enumerate(fates) for ask in _asks(row, fate, scores, policy)],
        later=later,
    )


def label_scores(
    posterior: NDArray[Real], scores: NDArray[Real], cost: F8 | None
) -> tuple[I8, NDArray[Real]]:
    """Labels (n,) of least expected cost, and the probability (n,) that each is right.

    That of the likeliest label is the calibrated score; of another one at most what the posterior gives it.
    """
    labels = best_label(posterior.astype(np.float64), cost)
    right = np.minimum(scores, posterior[np.arange(len(labels)), labels])
    likeliest = labels == posterior.argmax(axis=1)
    right[likeliest] = scores[likeliest]
    return labels, right


def draw_gold(
    n: int, wanted: int, share: float, random: Callable[[int], NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """(n,) True for items drawn blindly: each with probability `share`, at most `wanted` of them.

    `random(n)` gives n uniform numbers. Which items come first among those drawn is left to chance too, so
    that a cap does not favor the head of a batch.
    """
    numbers = random(n)
    drawn = np.flatnonzero(numbers < share)
    kept = drawn[np.argsort(numbers[drawn])][: max(wanted, 0)]
    mask = np.zeros(n, np.bool_)
    mask[kept] = True
    return mask


def _with_final_answers(
    evidence: Evidence, policy: Policy
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]]:
    """An expert's answer is the label; it is never tempered away by other votes."""
    posterior = evidence.posterior.copy()
    labels, scores = label_scores(posterior, evidence.scores, policy.cost)
    told = np.flatnonzero(evidence.final >= 0)
    if len(told):
        accuracy = policy.tiers[policy.final_tier].accuracy
        n_classes = posterior.shape[1]
        posterior[told] = (1 - accuracy) / (n_classes - 1)
        posterior[told, evidence.final[told]] = accuracy
        labels[told] = evidence.final[told]
        scores[told] = accuracy
    return posterior, labels, scores


def _fate(evidence: Evidence, row: int, policy: Policy, learned: bool, draw: bool) -> _Fate:
    if evidence.final[row] >= 0:
        return _Fate(ItemState.HUMAN, withdraw=True)
    if draw:
        return _Fate(ItemState.ASKING, policy.final_tier, 1, Purpose.GOLD)
    if evidence.drawn[row] or evidence.held[row]:
        return _Fate(ItemState.ASKING)
    sure = evidence.scores[row] >= policy.routing.ask_below
    if evidence.answered[row].any():
        return _Fate(ItemState.HUMAN, withdraw=True) if sure else _next_question(evidence, row, policy)
    if not learned or (sure and evidence.sent_back[row] < policy.routing.max_windows):
        # Before anything is learned nobody knows what is doubtful: only random draws are worth asking.
        return _Fate(ItemState.READY, withdraw=True)
    return _next_question(evidence, row, policy)


def _next_question(evidence: Evidence, row: int, policy: Policy) -> _Fate:
    """The lowest tier of the ladder that has not given all its answers."""
    if evidence.follows is not None and evidence.follows[row]:
        return _Fate(ItemState.ASKING)
    ladder = policy.ladder
    for step, tier in enumerate(ladder):
        missing = _overlap(policy, tier) - int(evidence.answered[row, step] + evidence.wanted[row, step])
        if evidence.wanted[row, step] > 0 and missing <= 0:
            return _Fate(ItemState.ASKING)
        if missing > 0:
            purpose = Purpose.ADJUDICATE if evidence.answered[row].any() else Purpose.SETTLE
            return _Fate(ItemState.ASKING, tier, missing, purpose)
    return _Fate(ItemState.ASKING)


def _overlap(policy: Policy, tier: str) -> int:
    settings = policy.tiers[tier]
    return 1 if settings.final else settings.overlap


def _asks(row: int, fate: _Fate, scores: NDArray[np.float32], policy: Policy) -> list[Ask]:
    if fate.tier is None:
        return []
    priority = GOLD_PRIORITY if fate.purpose == Purpose.GOLD else 1.0 - float(scores[row])
    price = policy.tiers[fate.tier].price_micros
    return [Ask(row, fate.tier, fate.purpose, priority, price) for _ in range(fate.count)]


def _turned(
    evidence: Evidence,
    labels: NDArray[np.int64],
    scores: NDArray[np.float32],
    policy: Policy,
    corrections: int | None,
) -> tuple[NDArray[np.bool_], list[int]]:
    """(n,) released labels that the evidence now contradicts and that may be taken back; rows to wait.

    Only a label that would be accepted today takes the place of a released one: a doubt alone does not undo
    what a window has passed.
    """
    found = [
        row
        for row, state in enumerate(evidence.states)
        if state == ItemState.CERTIFIED
        and evidence.final[row] < 0
        and labels[row] != evidence.before[row]
        and scores[row] >= policy.routing.ask_below
    ]
    now = found if corrections is None else found[:corrections]
    turned = np.zeros(len(evidence), np.bool_)
    turned[now] = True
    return turned, found[len(now) :]


def _provisional(
    evidence: Evidence, scores: NDArray[np.float32], policy: Policy, accepted_from: float | None
) -> NDArray[np.bool_]:
    """(n,) whose label may go out before a window or a person stands for it."""
    if policy.guarantee.provisional != "accepted":
        return np.full(len(evidence), policy.guarantee.provisional == "publish")
    least = np.inf if accepted_from is None else accepted_from
    return np.asarray((scores >= least) | (evidence.revision > 0), np.bool_)


def _publications(
    evidence: Evidence,
    labels: NDArray[np.int64],
    status: list[LabelStatus],
    provisional: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Publish what is new to readers: the first label, another label, or another status."""
    publish = np.zeros(len(evidence), np.bool_)
    for row, now in enumerate(status):
        state = evidence.states[row]
        before = LabelStatus.PROVISIONAL if state is None else STATUS.get(state, LabelStatus.PROVISIONAL)
        changed = evidence.revision[row] == 0 or labels[row] != evidence.before[row] or now != before
        publish[row] = changed and (provisional[row] or now != LabelStatus.PROVISIONAL)
    return publish
