"""Simulated streams of windows, with and without drift, under one of the rules."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.guarantee_rules import RULES, History, Rule, Terms, best_possible
from models.arrays import F8, Mask
from models.guarantee.outgoing import Ledger

Draw = tuple[F8, Mask]
"""Scores of a window's items, and whether each label is wrong."""

Source = Callable[[np.random.Generator, float, int], Draw]
"""(random numbers, how far the stream has come in [0, 1), items) -> a window."""


@dataclass(frozen=True, slots=True)
class Result:
    """One rule in one scenario: shares of windows, mean shares of items; ledger as a share of streams.

    `violations` count everything above the threshold as it was frozen, `published` what nobody audited.
    """

    scenario: str
    rule: str
    streams: int
    windows: int
    violations: float
    published: float
    certified_windows: float
    coverage: float
    oracle: float
    saved: float
    ledger: float | None
    pac: float | None


def steady(random: np.random.Generator, _share: float, n: int) -> Draw:
    """Scores that mean what they say."""
    right = _right(random, n)
    return right, random.random(n) >= right


def abrupt(random: np.random.Generator, share: float, n: int) -> Draw:
    """Half way, half of what the scores promise is lost at once."""
    return _worn(random, 0.0 if share < 0.5 else 0.5, n)


def milder(random: np.random.Generator, share: float, n: int) -> Draw:
    """Half way, the scores are half a unit of log-odds too sure from then on."""
    scores = _right(random, n)
    sure = np.log(scores / (1 - scores)) - (0.0 if share < 0.5 else 0.5)
    return scores, random.random(n) >= 1 / (1 + np.exp(-sure))


def gradual(random: np.random.Generator, share: float, n: int) -> Draw:
    """The scores lose up to half of what they promise, bit by bit."""
    return _worn(random, 0.5 * share, n)


def recurring(random: np.random.Generator, share: float, n: int) -> Draw:
    """Every other quarter of the stream is bad."""
    return _worn(random, 0.5 if int(4 * share) % 2 else 0.0, n)


def overconfident(random: np.random.Generator, _share: float, n: int) -> Draw:
    """Scores in the right order that promise far too much."""
    right = _right(random, n)
    return right**0.25, random.random(n) >= right


def routed(random: np.random.Generator, _share: float, n: int) -> Draw:
    """Uncertain items went to people: only those with a score above .8 are left for windows."""
    right = _right(random, 3 * n)
    right = right[right > 0.8][:n]
    return right, random.random(n) >= right


def edge(random: np.random.Generator, _share: float, n: int) -> Draw:
    """Every score is worth the same, a hair too little: whatever is released is a violation."""
    wrong = np.zeros(n, np.bool_)
    wrong[random.permutation(n)[: int(0.0502 * n) + 1]] = True
    return np.full(n, 0.9), wrong


SCENARIOS: dict[str, Source] = {
    "steady": steady,
    "abrupt drift": abrupt,
    "gradual drift": gradual,
    "recurring drift": recurring,
    "overconfident": overconfident,
    "routed": routed,
    "edge": edge,
    "milder drift": milder,
}


def simulate(scenario: str, rule: str, streams: int, seed: int, terms: Terms) -> Result:
    """Run a scenario under a rule; the same seed gives the same streams to every rule."""
    place = list(SCENARIOS).index(scenario)
    runs = [
        _stream(SCENARIOS[scenario], RULES[rule], child, terms)
        for child in np.random.SeedSequence([seed, place]).spawn(streams)
    ]
    windows = np.array([window for run, _ in runs for window in run], np.float64)
    violated, published, certified, coverage, oracle, spared, pac = windows.mean(axis=0)
    broken = float(np.mean([ever for _, ever in runs]))
    promises = RULES[rule].promises
    return Result(
        scenario,
        rule,
        streams,
        len(windows),
        violated,
        published,
        certified,
        coverage,
        oracle,
        spared,
        broken if promises else None,
        None if np.isnan(pac) else pac,
    )


def _stream(
    draw: Source, rule: Rule, seeds: np.random.SeedSequence, terms: Terms
) -> tuple[list[tuple[float, ...]], bool]:
    """Windows as (violated, the same of what is published, certified, coverage, oracle, saved, PAC's saving).

    And whether the ledger broke.
    """
    world, coins = (np.random.Generator(np.random.PCG64(child)) for child in seeds.spawn(2))
    history = History.empty()
    rows: list[tuple[float, ...]] = []
    released_all = found_all = errors_all = 0
    broken = False
    for number in range(terms.windows):
        scores, wrong = draw(world, number / terms.windows, terms.items)
        release = rule.release(scores, wrong, history, int(coins.integers(2**63)), terms)
        mask = scores >= release.tau if release.tau is not None else np.zeros(len(scores), np.bool_)
        released, errors = int(mask.sum()), int((mask & wrong).sum())
        left = mask.copy()
        left[release.audited] = False
        rows.append(
            (
                float(errors > terms.alpha * released),
                float((left & wrong).sum() > terms.alpha * left.sum()),
                float(released > 0),
                released / len(scores),
                best_possible(scores, wrong, terms.alpha),
                float(left.mean()),
                np.nan if release.pac_saved is None else release.pac_saved,
            )
        )
        released_all, errors_all = released_all + released, errors_all + errors
        found_all += int(coins.binomial(errors, terms.outgoing))
        ledger = Ledger(released_all, found_all, terms.outgoing, terms.delta, terms.alpha)
        broken |= errors_all > ledger.bound
    return rows, broken


def _worn(random: np.random.Generator, loss: float, n: int) -> Draw:
    scores = _right(random, n)
    right = (1 - loss) * scores + loss * (1 - scores.mean())
    return scores, random.random(n) >= right


def _right(random: np.random.Generator, n: int) -> F8:
    """Probabilities of being right: most items are easy, some are hard."""
    return np.asarray(1 / (1 + np.exp(-random.normal(2.2, 1.6, n))))
