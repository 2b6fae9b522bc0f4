r"""What more votes of an asker are worth, asked for at once, before anybody is asked: blinkered look-ahead.

$$gain_{m,S}(q) = R(q) - \sum_{o \notin S} \min_d \sum_k C_{dk}\, q_k\, P(o \mid k)
    - \sum_{o \in S} \sum_k e_k\, q_k\, P(o \mid k), \quad
  cost_{m,S}(q) = m \cdot price + P(S)\, price_{final}$$

o runs over what m votes of one asker may say (counts of its symbols); R is the risk of deciding now; S are
the outcomes of most doubt, after which a final asker is asked whose label costs e_k. Several votes are looked
at together because one alone often cannot turn a label: its gain is then 0, that of three is not. Cheap votes
that will turn no label are still worth their price if they tell where a dear answer is needed, which is what
S is for. How many votes are asked for does not hang on what the first ones say; `look_ahead` is for who can
wait for them. Beyond this other askers are not foreseen: D. Tolpin, S. Shimony: Semimyopic measurement
selection for optimization under uncertainty, 2012; R. Howard: Information value theory, 1966.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb, factorial

import numpy as np

from models.arrays import F8, I8
from models.cost import best_label, risk, zero_one
from models.label_model.mixture import TableOf, own_table
from models.label_model.protocol import Member
from models.votes import effective_votes

HORIZON = 3
"""Votes that are looked ahead."""

MOST_OUTCOMES = 500
"""Of votes looked at together; many classes are looked at less far ahead (20 classes: two votes)."""

MOST_FOLLOWED = 20
"""Outcomes that are parted into those which a final answer is sought for and the others."""

MOST_SOUGHT = 5
"""Outcomes after which a final answer is sought at most."""

TINY = 1e-12

CHUNK = 4_000_000
"""Numbers held at once."""

FREE = 1e-9
"""What an asker without a price is taken to cost, so that worth stays a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Asker:
    """Annotators of one tier as the router sees them.

    Attributes:
        name: of the tier.
        price: of a vote, in any one currency; 0 or more.
        likelihood: (S, K) P(symbol | class), columns sum to 1.
        max_votes: that an item may get of it, those answered before included.
        final: its answer is the label, whatever was known before; S = K.
        first: it is so cheap that every item gets one vote of it before anything else is weighed.
    """

    name: str
    price: float
    likelihood: F8
    max_votes: int = 1
    final: bool = False
    first: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Ways of asking about n items: votes of one asker, then a final answer where they leave most doubt.

    Attributes:
        votes: (n, J) expected of the asker, 1 or more.
        finals: (n, J) chance that the final answer is sought after them.
        gain: (n, J) risk taken away by both, 0 or more.
    """

    votes: F8
    finals: F8
    gain: F8


def symbol_likelihood(members: Sequence[Member], key: str, table_of: TableOf = own_table) -> F8:
    """(S, K) P(symbol | class) of an annotator, as the mixture's posterior takes its votes.

    A vote s multiplies a member's posterior by exp(temperature * table[s]), so its likelihood is that, times
    one unknown factor a symbol; the factors are those for which what may be said sums to 1 in every class.
    A tempered annotator thus looks less reliable than it is, exactly as much as its votes will move the
    posterior: what is expected of a vote is then what happens on average. Members are averaged by weight.

    Args:
        members: whose weights sum to 1.
        key: annotator.
        table_of: as `Mixture` takes it; says what stands in for a missing table.
    """
    return np.asarray(sum(m.weight * _balanced(m.temperature * table_of(m, key)) for m in members))


def of_accuracy(accuracy: float, n_classes: int) -> F8:
    """(K, K) likelihood of an annotator who is right this often and errs evenly."""
    table = np.full((n_classes, n_classes), (1 - accuracy) / (n_classes - 1))
    np.fill_diagonal(table, accuracy)
    return table


def horizon(n_symbols: int, most: int = HORIZON) -> int:
    """Votes that can be looked ahead in reasonable time, at least 1."""
    fitting = (m for m in range(most, 1, -1) if comb(n_symbols + m - 1, m) <= MOST_OUTCOMES)
    return next(fitting, 1)


def risk_curve(posterior: F8, likelihood: F8, votes: int, cost: F8 | None = None) -> F8:
    """(n, votes + 1) expected risk after 0, 1, ... more votes of one asker; it never rises.

    Args:
        posterior: (n, K), rows sum to 1. likelihood: (S, K). votes: 0 or more. cost: (K, K) or None for 0/1.
    """
    if likelihood.shape[1] != posterior.shape[1]:
        raise ValueError(f"likelihood: {likelihood.shape[1]} classes, the posterior has {posterior.shape[1]}")
    curve = [risk(posterior, cost)]
    curve += [_expected_risk(posterior, _outcomes(likelihood, m), cost) for m in range(1, votes + 1)]
    return np.minimum.accumulate(np.stack(curve, axis=1), axis=1)  # rounding alone makes it rise


def gain(posterior: F8, likelihood: F8, votes: int = 1, cost: F8 | None = None) -> F8:
    """(n,) risk before minus expected risk after `votes` more votes of one asker; never below 0."""
    curve = risk_curve(posterior, likelihood, votes, cost)
    return np.asarray(curve[:, 0] - curve[:, -1])


def ways(
    posterior: F8, asker: Asker, final: Asker | None = None, cost: F8 | None = None, before: int = 0
) -> Ways:
    """What one to HORIZON more votes of an asker do, alone and with a final answer where they leave doubt.

    Args:
        posterior: (n, K), rows sum to 1. asker: not a final one.
        final: who may be asked after them, or None.
        cost: (K, K) or None for 0/1.
        before: votes of this asker that the posterior rests on already.
    """
    n = len(posterior)
    now = risk(posterior, cost)[:, None]
    votes: list[float] = []
    finals, gains = [], []
    for m in range(1, min(horizon(len(asker.likelihood)), asker.max_votes) + 1):
        outcomes = _outcomes(further(asker.likelihood, before, m), m)
        if final is None or len(outcomes) > MOST_FOLLOWED:
            chance, left = np.zeros((n, 1)), _expected_risk(posterior, outcomes, cost)[:, None]
        else:
            chance, left = _followed(posterior, outcomes, final_risk(final.likelihood, cost), cost)
        votes += [m] * chance.shape[1]
        finals.append(chance)
        gains.append(np.maximum(now - left, 0.0))
    return Ways(np.tile(votes, (n, 1)), np.concatenate(finals, axis=1), np.concatenate(gains, axis=1))


def final_risk(likelihood: F8, cost: F8 | None = None) -> F8:
    """(K,) expected cost, by true class, of the label that a final answer (K, K) gives."""
    given = best_label(likelihood / likelihood.sum(axis=1, keepdims=True), cost)
    errors = zero_one(len(likelihood)) if cost is None else cost
    return np.asarray((likelihood * errors[given]).sum(axis=0))


def further(likelihood: F8, before: int, votes: int) -> F8:
    """(S, K) likelihood of each of so many votes on an item that has `before` of the same tier already.

    They err together (`models.votes.effective_votes`): each tells less than it would alone.
    """
    more = effective_votes(np.array([before, before + votes]))
    tempered = likelihood ** ((more[1] - more[0]) / votes)
    return np.asarray(tempered / tempered.sum(axis=0))


def told(posterior: F8, asker: Asker, symbols: I8, before: int = 0) -> F8:
    """(n, K) posterior after one vote of the asker on each item, which has `before` of it; symbols (n,).

    After a final answer it is what the asker's accuracy leaves, whatever was known before.
    """
    likelihood = asker.likelihood if asker.final else further(asker.likelihood, before, 1)
    said = likelihood[symbols] * (1.0 if asker.final else posterior)
    total = said.sum(axis=1, keepdims=True)
    # a vote that was held to be impossible changes nothing
    return np.asarray(np.where(total > 0, said / np.where(total > 0, total, 1), posterior))


def _balanced(scores: F8) -> F8:
    """(S, K) columns that sum to 1, from log-likelihoods known up to a constant a row."""
    from scipy.optimize import nnls

    scaled = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = np.exp(scores.max(axis=1) - scores.max())
    n_symbols, n_classes = scores.shape
    # Factors as near to 1 (relative to how the rows came) as the sums allow; more symbols than classes leave
    # a choice, fewer may leave a rest.
    likely = n_classes * weights / (weights @ scaled.sum(axis=1))
    pull = 1e-4
    matrix = np.concatenate([(scaled * likely[:, None]).T, pull * np.eye(n_symbols)])
    target = np.concatenate([np.ones(n_classes), np.full(n_symbols, pull)])
    factors, _ = nnls(matrix, target)
    table = scaled * (np.maximum(factors, 1e-9) * likely)[:, None]
    return np.asarray(table / table.sum(axis=0))


def _followed(posterior: F8, outcomes: F8, after_final: F8, cost: F8 | None) -> tuple[F8, F8]:
    """Chance of a final answer and risk left, (n, J) each: it is sought after the 0, 1, ... J - 1 outcomes in
    which it takes most risk away; never after all, or it could be sought at once.
    """
    chance = posterior @ outcomes.T
    joint = posterior[:, None, :] * outcomes
    left = chance - joint.max(axis=2) if cost is None else (joint @ cost.T).min(axis=2)
    taken = np.maximum(left - joint @ after_final, 0.0)
    most = min(len(outcomes) - 1, MOST_SOUGHT)
    order = np.argsort(-taken / np.maximum(chance, TINY), axis=1)[:, :most]
    none = np.zeros((len(posterior), 1))
    sought = np.concatenate([none, np.cumsum(np.take_along_axis(chance, order, axis=1), axis=1)], axis=1)
    less = np.concatenate([none, np.cumsum(np.take_along_axis(taken, order, axis=1), axis=1)], axis=1)
    return sought, left.sum(axis=1, keepdims=True) - less


def _outcomes(likelihood: F8, votes: int) -> F8:
    """(O, K) P(counts of symbols | class) of all counts that `votes` votes may give."""
    n_symbols = len(likelihood)
    said = np.array(list(combinations_with_replacement(range(n_symbols), votes)), np.int64)
    counts = (said[:, :, None] == np.arange(n_symbols)).sum(axis=1)
    orders = factorial(votes) / np.vectorize(factorial, otypes=[float])(counts).prod(axis=1)
    return np.asarray(orders[:, None] * likelihood[said].prod(axis=1))


def _expected_risk(posterior: F8, outcomes: F8, cost: F8 | None) -> F8:
    """(n,) sum over outcomes of the least cost of a decision, weighed by how likely the outcome is."""
    n_classes = posterior.shape[1]
    after = np.zeros(len(posterior))
    step = max(1, CHUNK // max(1, len(posterior)))
    for begin in range(0, len(outcomes), step):
        part = outcomes[begin : begin + step].T
        if cost is None:
            right = np.multiply.outer(posterior[:, 0], part[0])
            for label in range(1, n_classes):
                np.maximum(right, np.multiply.outer(posterior[:, label], part[label]), out=right)
            after += (posterior @ part - right).sum(axis=1)
        else:
            least = (posterior * cost[0]) @ part
            for label in range(1, n_classes):
                np.minimum(least, (posterior * cost[label]) @ part, out=least)
            after += least.sum(axis=1)
    return after
