"""What becomes of items, given the evidence: one pure function for the stream, answers and re-passes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from daemon.core.evidence import Evidence
from daemon.core.market import Market
from daemon.core.next_votes import NextVotes, answered_first, next_votes
from daemon.core.policy import GOLD_PRIORITY, LEARN_PRIORITY, Policy
from daemon.core.rows import Ask, Decision
from daemon.core.states import ItemState, LabelStatus, Purpose
from labeling_functions.label_space import joined
from models.arrays import F8, I8, Mask
from models.cost import best_label

Real = TypeVar("Real", np.float32, np.float64)

STATUS = {
    ItemState.HUMAN: LabelStatus.HUMAN,
    ItemState.CERTIFIED: LabelStatus.CERTIFIED,
}
"""Status of a label by the state of its item; provisional in all other states."""


def decide(
    evidence: Evidence,
    policy: Policy,
    bundle: int | None,
    market: Market,
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
        market: whom the router may ask, as that bundle values their answers.
        draws: (n,) True for items drawn at random to be asked blind before the first window.
        accepted_from: where provisional labels go out if they are `accepted`, the least score of those that
            do; None: none does. What was published before is always corrected.
        corrections: how many released labels may be taken back now; the others wait. None: any number.
    """
    posterior, labels, scores = _with_final_answers(evidence, policy)
    turned, later = _turned(evidence, labels, scores, policy, corrections)
    stands = evidence.in_state(ItemState.CERTIFIED) & ~turned & (evidence.final < 0)
    labels[stands] = evidence.before[stands]
    drawn = np.zeros(len(evidence), np.bool_) if draws is None else draws & (evidence.final < 0) & ~stands
    picked = _picked(evidence, drawn)
    fates = _fates(evidence, scores, stands, drawn | picked, policy, bundle is not None, market)
    states = fates.states()
    status = [STATUS.get(state, LabelStatus.PROVISIONAL) for state in states]
    provisional = _provisional(evidence, scores, policy, accepted_from)
    return Decision(
        posterior=posterior,
        labels=policy.space.spread(labels),
        scores=scores,
        classifier=evidence.classifier,
        bundle=bundle,
        states=states,
        publish=_publications(evidence, labels, status, provisional),
        status=status,
        withdraw=fates.human | fates.ready | fates.votes.replaced | picked,
        asks=[
            *_of_expert(drawn, Purpose.GOLD, GOLD_PRIORITY, policy),
            *_of_expert(picked, Purpose.LEARN, LEARN_PRIORITY, policy),
            *fates.votes.asks,
        ],
        later=later,
        reprices=fates.votes.reprices,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Fates:
    """(n,) what becomes of items; those that are nothing of this ask, or wait for an answer."""

    certified: Mask
    human: Mask
    ready: Mask
    votes: NextVotes

    def states(self) -> list[ItemState]:
        kinds = (ItemState.ASKING, ItemState.READY, ItemState.HUMAN, ItemState.CERTIFIED)
        return [kinds[code] for code in (self.ready + 2 * self.human + 3 * self.certified).tolist()]


def _fates(
    evidence: Evidence,
    scores: NDArray[np.float32],
    stands: Mask,
    asked: Mask,
    policy: Policy,
    learned: bool,
    market: Market,
) -> _Fates:
    """What is final, what waits for an answer, what a person has made sure, whom to ask about the rest.

    Before anything is learned nobody knows what is doubtful: only random draws are worth asking.
    """
    told = evidence.final >= 0
    free = ~(stands | told | asked | evidence.drawn | evidence.held)
    sure = scores >= policy.routing.ask_below
    raised = _raised(evidence)
    settled = free & evidence.people & sure & ~raised
    may_ask = free & ~settled
    if not learned and policy.guarantee.cold_start_gold > 0:
        may_ask &= evidence.people
    doubtful = may_ask & (~sure | raised | (evidence.sent_back >= policy.routing.max_windows))
    routed = doubtful | (may_ask & ~answered_first(evidence.answered, market.askers))
    votes = next_votes(evidence, routed, doubtful, market, policy)
    return _Fates(
        certified=stands,
        human=told | settled,
        ready=free & ~settled & ~doubtful & ~votes.asked,
        votes=votes,
    )


def _raised(evidence: Evidence) -> Mask:
    """(n,) items that go up a tier."""
    if evidence.raised is None:
        return np.zeros(len(evidence), np.bool_)
    return np.asarray(evidence.raised >= 0)


def _picked(evidence: Evidence, drawn: Mask) -> Mask:
    """(n,) items that an expert is asked about so that the models learn."""
    if evidence.picked is None:
        return np.zeros(len(evidence), np.bool_)
    spoken_for = drawn | evidence.drawn | evidence.held | (evidence.final >= 0)
    return np.asarray(evidence.picked & ~spoken_for)


def _of_expert(mask: Mask, purpose: Purpose, priority: float, policy: Policy) -> list[Ask]:
    tier = policy.final_tier
    price = policy.tiers[tier].price_micros
    return [Ask(row, tier, purpose, priority, price) for row in np.flatnonzero(mask).tolist()]


def label_scores(
    posterior: NDArray[Real], scores: NDArray[Real], cost: F8 | None, n_facets: int = 1
) -> tuple[I8, NDArray[Real]]:
    """Labels (n,) of least expected cost, and the probability (n,) that each is right.

    That of the likeliest label is the calibrated score; of another one at most what the posterior gives it.

    Args:
        posterior: (n, F * K). scores: (n,). cost: (K, K) of a facet's options, or None for 0/1.
    """
    facets = posterior.reshape(len(posterior) * n_facets, -1)
    options = best_label(facets.astype(np.float64), cost)
    given = facets[np.arange(len(options)), options].reshape(-1, n_facets)
    likeliest = (options == facets.argmax(axis=1)).reshape(-1, n_facets).all(axis=1)
    right = np.minimum(scores, given.prod(axis=1))
    right[likeliest] = scores[likeliest]
    return joined(options.reshape(-1, n_facets)), right


def told_posterior(labels: I8, policy: Policy) -> NDArray[np.float32]:
    """(n, F * K) what (n,) answers of the final tier leave to doubt, whatever was known before."""
    space = policy.space
    options, right = space.spread(labels), policy.option_accuracy(policy.final_tier)
    wrong = (1 - right) / (len(space.options) - 1)
    posterior = np.full((*options.shape, len(space.options)), wrong, np.float32)
    np.put_along_axis(posterior, options[:, :, None].astype(np.int64), np.float32(right), axis=2)
    return posterior.reshape(len(options), -1)


def first_gold(cold_start_gold: int, rejected: int) -> int:
    """Random answers that the first bundle is learned from, after so many no better than the priors.

    Nothing else asks for random answers before there is a bundle: without more of them the next one would be
    the same, and the loop would stand still.
    """
    return cold_start_gold * (1 + rejected)


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
    labels, scores = label_scores(posterior, evidence.scores, policy.cost, policy.space.n_facets)
    told = np.flatnonzero(evidence.final >= 0)
    if len(told):
        posterior[told] = told_posterior(evidence.final[told], policy)
        labels[told] = evidence.final[told]
        scores[told] = policy.tiers[policy.final_tier].accuracy
    return posterior, labels, scores


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
    sure = scores >= policy.routing.ask_below
    contradicts = evidence.in_state(ItemState.CERTIFIED) & (evidence.final < 0) & (labels != evidence.before)
    found = np.flatnonzero(contradicts & sure).tolist()
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
    before = [
        LabelStatus.PROVISIONAL if state is None else STATUS.get(state, LabelStatus.PROVISIONAL)
        for state in evidence.states
    ]
    other = np.array([was != now for was, now in zip(before, status, strict=True)], np.bool_)
    early = np.array([now == LabelStatus.PROVISIONAL for now in status], np.bool_)
    changed = (evidence.revision == 0) | (labels != evidence.before) | other
    return np.asarray(changed & (provisional | ~early), np.bool_)
