"""Rules that release labels of a window: the certificate, its first form, and what others do."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, I8, Mask
from models.guarantee.design import design
from models.guarantee.pac import whole_set_verdict
from models.guarantee.published import published_verdict
from models.guarantee.window import (
    accepted_counts,
    coin_shares,
    expected_errors,
    start_index,
    thresholds,
    tie_coin,
    toss,
    verdict,
)

NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Terms:
    """Shape of the simulated streams; `share` of the items is audited, `outgoing` of the released ones."""

    windows: int = 8
    items: int = 5_000
    share: float = 0.06
    alpha: float = 0.05
    delta: float = 0.1
    outgoing: float = 0.01


@dataclass(slots=True, eq=False)
class History:
    """Audits of earlier windows of a stream, and what a rule chose once and for all."""

    scores: F8
    wrong: Mask
    fixed: float | None = None

    @classmethod
    def empty(cls) -> "History":
        """Of a stream that begins."""
        return cls(np.empty(0), np.empty(0, np.bool_))

    def add(self, scores: F8, wrong: Mask) -> None:
        """Audits of a window that closed."""
        self.scores, self.wrong = np.append(self.scores, scores), np.append(self.wrong, wrong)


@dataclass(frozen=True, slots=True)
class Release:
    """What a rule lets through.

    Attributes:
        tau: scores from here on are released; None for nothing.
        audited: places of the audited items; they are published with the audit's label.
        pac_saved: share of items spared by the whole-set claim; None where it was not computed.
    """

    tau: float | None
    audited: I8
    pac_saved: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How a window is released. `promises`: whether violations must stay within delta."""

    release: Callable[[F8, Mask, History, int, Terms], Release]
    promises: bool


def certificate(scores: F8, wrong: Mask, history: History, seed: int, terms: Terms) -> Release:
    """The product's: coins where they help, start and last threshold chosen together, ties by a coin."""
    n = len(scores)
    plan = design(scores, history.scores, history.wrong, terms.share, terms.alpha, terms.delta)
    coins = coin_shares(scores, plan.lambdas, plan.p, plan.rest)
    picked, tie = toss(seed, n, coins), tie_coin(seed, n)
    audited = np.flatnonzero(picked)
    result = published_verdict(
        scores,
        plan.lambdas,
        plan.limits,
        plan.start,
        audited,
        wrong[audited],
        plan.p,
        terms.alpha,
        terms.delta,
        tie,
        ~picked,
        picked & wrong,
    )
    history.add(scores[audited], wrong[audited])
    return Release(result.tau, audited)


def equal_coins(scores: F8, wrong: Mask, history: History, seed: int, terms: Terms) -> Release:
    """One probability for all items, start by the widest margin, no ties: the first form."""
    lambdas = thresholds(scores)
    expected = expected_errors(scores, lambdas, history.scores, history.wrong)
    accepted = accepted_counts(scores, lambdas)
    start = start_index(accepted, expected, terms.share, terms.alpha, terms.delta)
    audited = np.flatnonzero(toss(seed, len(scores), terms.share))
    found = wrong[audited]
    result = verdict(scores, lambdas, start, audited, found, terms.share, terms.alpha, terms.delta)
    tie = tie_coin(seed, len(scores))
    whole = whole_set_verdict(scores, lambdas, audited, found, terms.share, terms.alpha, terms.delta, tie)
    history.add(scores[audited], found)
    return Release(result.tau, audited, saved(scores, whole.tau, audited))


def trust(scores: F8, _wrong: Mask, _history: History, _seed: int, terms: Terms) -> Release:
    """Believe the scores: release as much as keeps their average doubt within alpha."""
    falling = np.sort(scores)[::-1]
    doubt = np.cumsum(1 - falling) / np.arange(1, len(scores) + 1)
    fit = np.flatnonzero(doubt <= terms.alpha)
    tau = float(falling[fit[-1]]) if len(fit) else None
    return Release(tau, NOBODY)


def validate_once(scores: F8, wrong: Mask, history: History, seed: int, terms: Terms) -> Release:
    """A validation set of the first window, as large as all windows' audits, fixes the threshold for good."""
    if history.fixed is None:
        p = min(1.0, terms.share * terms.windows)
        picked = toss(seed, len(scores), p)
        falling = np.sort(scores[picked])[::-1]
        errors = accepted_counts(scores[picked & wrong], falling)
        fit = np.flatnonzero(errors <= terms.alpha * np.arange(1, len(falling) + 1))
        history.fixed = float(falling[fit[-1]]) if len(fit) else np.inf
    return Release(history.fixed, NOBODY)


def saved(scores: F8, tau: float | None, audited: I8) -> float:
    """Share of items that people need not label: above the threshold and not audited."""
    if tau is None:
        return 0.0
    return float(((scores >= tau).sum() - (scores[audited] >= tau).sum()) / len(scores))


def best_possible(scores: F8, wrong: Mask, alpha: float) -> float:
    """Share of items that one who knows every error releases."""
    steps = np.unique(scores)[::-1]
    fit = np.flatnonzero(accepted_counts(scores[wrong], steps) <= alpha * accepted_counts(scores, steps))
    return float(accepted_counts(scores, steps)[fit[-1]] / len(scores)) if len(fit) else 0.0


RULES: dict[str, Rule] = {
    "certificate": Rule(certificate, promises=True),
    "equal coins": Rule(equal_coins, promises=True),
    "trust the scores": Rule(trust, promises=False),
    "validate once": Rule(validate_once, promises=False),
}
