"""What money would buy: accuracy, certified share and cost, predicted from the posteriors at hand.

The purchases of a router are played through on a sample of items. Each item's true label is drawn from its
posterior and the answers from the askers' likelihoods, so the prediction is as good as these are calibrated;
it needs no known label.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, Mask
from models.cost import risk
from models.value import Asker, told

Choose = Callable[[F8, I8, float | None], I8]
"""Posterior (n, F * K), answers so far (n, T), money left (None: no limit) to votes to ask for now (n, T)."""

MOST_PASSES = 100
"""A router that never stops asking is stopped."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of a budget, on average over the sample.

    Attributes:
        accuracy: 1 - expected risk of the labels (with a cost matrix: 1 - expected cost); of sets of classes,
            the expected share of those that are right as a whole.
        certified: share of items that pass by themselves: whose score passes, and about which nobody was
            asked but for cheap first votes.
        people: share of items about which others were asked.
        cost: of an item, in the currency of the prices.
        votes: asker -> votes an item.
    """

    accuracy: float
    certified: float
    people: float
    cost: float
    votes: Mapping[str, float]


def forecast(
    posterior: F8,
    facets: Sequence[Sequence[Asker]],
    choose: Choose,
    budget: float | None,
    passes: Callable[[F8], Mask],
    cost: F8 | None = None,
    seed: int = 0,
    draws: int = 1,
) -> Forecast:
    """Play the purchases through until the router asks nobody any more.

    Where any number of classes may apply there is a facet a class, and one answer tells about all of them.

    Args:
        posterior: (n, F * K) of a sample of items, n at least 1; the K options of each facet side by side.
        facets: F times the T askers as they are about each facet, in the order of the router's columns; only
            their likelihoods may differ from facet to facet.
        choose: the router.
        budget: for the sample, in the currency of the prices; None for no limit.
        passes: (n, F * K) posteriors to (n,) whether a label would be certified on its own.
        cost: (K, K) cost of errors, or None for 0/1; of a single facet alone.
        seed: the same seed gives the same forecast.
        draws: how often the sample is played, to average over chance.

    Raises ValueError for a cost of errors where there are several facets.
    """
    if cost is not None and len(facets) > 1:
        raise ValueError("forecast: costs of errors are for tasks with one class an item")
    random = np.random.Generator(np.random.PCG64(seed))
    now = np.repeat(np.asarray(posterior, np.float64), draws, axis=0)
    truth = np.stack([_drawn(one, random) for one in _split(now, len(facets))])
    askers = facets[0]
    money = None if budget is None else budget * draws
    prices = np.array([asker.price for asker in askers])
    answered = np.zeros((len(now), len(askers)), np.int64)
    for _ in range(MOST_PASSES):
        votes = choose(now, answered, money)
        if not votes.any():
            break
        now = _answer(now, truth, votes, answered, facets, random)
        answered = answered + votes
        money = None if money is None else money - float((votes @ prices).sum())
    others = np.array([not asker.first for asker in askers], np.bool_)
    asked = answered[:, others].any(axis=1)
    return Forecast(
        accuracy=1 - float(_set_risk(now, len(facets), cost).mean()),
        certified=float((passes(now) & ~asked).mean()),
        people=float(asked.mean()),
        cost=float((answered @ prices).mean()),
        votes={a.name: float(n) for a, n in zip(askers, answered.mean(axis=0), strict=True)},
    )


def _set_risk(posterior: F8, n_facets: int, cost: F8 | None) -> F8:
    """(n,) `risk` of a single facet; of several, the probability that one of their labels is wrong."""
    if n_facets == 1:
        return risk(posterior, cost)
    right = [1 - risk(one) for one in _split(posterior, n_facets)]
    return np.asarray(1 - np.prod(right, axis=0))


def _split(posterior: F8, n_facets: int) -> list[F8]:
    """F times (n, K): views of (n, F * K)."""
    return np.split(posterior, n_facets, axis=1)


def _answer(
    posterior: F8,
    truth: I8,
    votes: I8,
    answered: I8,
    facets: Sequence[Sequence[Asker]],
    random: np.random.Generator,
) -> F8:
    """Posterior after these votes, drawn by the true labels (F, n); a final answer last."""
    posterior = posterior.copy()
    blocks = _split(posterior, len(facets))
    for tier in sorted(range(len(facets[0])), key=lambda index: facets[0][index].final):
        for number in range(int(votes[:, tier].max(initial=0))):
            asked = votes[:, tier] > number
            for before in np.unique(answered[asked, tier]).tolist():
                rows = np.flatnonzero(asked & (answered[:, tier] == before))
                for block, true, askers in zip(blocks, truth, facets, strict=True):
                    said = _drawn(askers[tier].likelihood.T[true[rows]], random)
                    block[rows] = told(block[rows], askers[tier], said, before + number)
    return posterior


def _drawn(rows: F8, random: np.random.Generator) -> I8:
    """(n,) one index a row of probabilities (n, S)."""
    edges = np.cumsum(rows, axis=1)
    points = random.random(len(rows)) * edges[:, -1]
    return np.asarray((edges <= points[:, None]).sum(axis=1), np.int64)
