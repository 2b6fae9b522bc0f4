"""How often the window certificate is wrong, and how much it lets through, on simulated streams.

A window's certificate is wrong when more than alpha of the labels that it releases are; this may happen in
a share delta of the windows. The oracle knows every error and releases the most that alpha allows.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.arrays import F8, Mask
from models.guarantee.window import accepted_counts, expected_errors, start_index, thresholds, toss, verdict

Draw = tuple[F8, Mask]
"""Scores of a window's items, and whether each label is wrong."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Shape of the simulated streams; METHODS' own figures use these."""

    windows: int = 8
    items: int = 5_000
    p: float = 0.06
    alpha: float = 0.05
    delta: float = 0.1


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario over all streams: shares of windows, and mean shares of items."""

    scenario: str
    windows: int
    violations: float
    certified_windows: float
    coverage: float
    oracle: float


def steady(random: np.random.Generator, _share: float, n: int) -> Draw:
    """Scores that mean what they say."""
    right = _right(random, n)
    return right, random.random(n) >= right


def drifting(random: np.random.Generator, share: float, n: int) -> Draw:
    """Half way, half of what the scores promise is lost at once."""
    scores = _right(random, n)
    right = scores if share < 0.5 else 0.5 * scores + 0.5 * (1 - scores.mean())
    return scores, random.random(n) >= right


def overconfident(random: np.random.Generator, _share: float, n: int) -> Draw:
    """Scores in the right order that promise far too much."""
    right = _right(random, n)
    return right**0.25, random.random(n) >= right


def edge(random: np.random.Generator, _share: float, n: int) -> Draw:
    """Every score is worth the same, a hair too little: whatever is released is a violation."""
    wrong = np.zeros(n, np.bool_)
    wrong[random.permutation(n)[: int(0.052 * n)]] = True
    return np.full(n, 0.9), wrong


SCENARIOS: dict[str, Callable[[np.random.Generator, float, int], Draw]] = {
    "steady": steady,
    "abrupt drift": drifting,
    "overconfident": overconfident,
    "edge": edge,
}


def simulate(streams: int, seed: int, terms: Terms | None = None) -> list[Result]:
    """Run every scenario; the same seed gives the same results."""
    terms = terms or Terms()
    return [
        _scenario(name, streams, np.random.SeedSequence([seed, index]), terms)
        for index, name in enumerate(SCENARIOS)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; 1 if violations exceed delta by more than chance explains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    terms = Terms()
    print(f"alpha {terms.alpha}, delta {terms.delta}, p {terms.p}, {terms.items} items a window")
    print(f"{'scenario':14} {'windows':>7} {'violations':>10} {'certified':>9} {'coverage':>8} {'oracle':>6}")
    held = True
    for result in simulate(options.streams, options.seed, terms):
        print(
            f"{result.scenario:14} {result.windows:7d} {result.violations:10.4f} "
            f"{result.certified_windows:9.3f} {result.coverage:8.3f} {result.oracle:6.3f}"
        )
        held &= result.violations <= allowance(terms.delta, result.windows)
    print("the promise held" if held else "THE PROMISE WAS BROKEN")
    return 0 if held else 1


def allowance(delta: float, windows: int) -> float:
    """Share of violations that a true rate of delta exceeds in one of a thousand such simulations."""
    return float(delta + 3.09 * np.sqrt(delta * (1 - delta) / windows))


def _scenario(name: str, streams: int, seeds: np.random.SeedSequence, terms: Terms) -> Result:
    windows = [
        window
        for child in seeds.spawn(streams)
        for window in _stream(SCENARIOS[name], np.random.Generator(np.random.PCG64(child)), terms)
    ]
    violated, certified, coverage, oracle = np.array(windows, np.float64).mean(axis=0)
    return Result(name, len(windows), violated, certified, coverage, oracle)


def _stream(
    draw: Callable[[np.random.Generator, float, int], Draw], random: np.random.Generator, terms: Terms
) -> list[tuple[bool, bool, float, float]]:
    """Per window: violated, certified anything, share released, share that the oracle releases."""
    seen, missed = np.empty(0), np.empty(0, np.bool_)
    outcomes = []
    for number in range(terms.windows):
        scores, wrong = draw(random, number / terms.windows, terms.items)
        lambdas = thresholds(scores)
        expected = expected_errors(scores, lambdas, seen, missed)
        start = start_index(accepted_counts(scores, lambdas), expected, terms.p, terms.alpha, terms.delta)
        audited = np.flatnonzero(toss(int(random.integers(2**63)), terms.items, terms.p))
        result = verdict(scores, lambdas, start, audited, wrong[audited], terms.p, terms.alpha, terms.delta)
        seen, missed = np.append(seen, scores[audited]), np.append(missed, wrong[audited])
        released = scores >= result.tau if result.tau is not None else np.zeros(terms.items, np.bool_)
        violated = released.any() and wrong[released].mean() > terms.alpha
        outcomes.append(
            (
                bool(violated),
                bool(released.any()),
                float(released.mean()),
                _oracle(scores, wrong, terms.alpha),
            )
        )
    return outcomes


def _oracle(scores: F8, wrong: Mask, alpha: float) -> float:
    steps = np.unique(scores)[::-1]
    accepted = accepted_counts(scores, steps)
    errors = accepted_counts(scores[wrong], steps)
    fit = np.flatnonzero(errors <= alpha * accepted)
    return float(accepted[fit[-1]] / len(scores)) if len(fit) else 0.0


def _right(random: np.random.Generator, n: int) -> F8:
    """Probabilities of being right: most items are easy, some are hard."""
    return 1 / (1 + np.exp(-random.normal(2.2, 1.6, n)))


if __name__ == "__main__":
    sys.exit(main())
