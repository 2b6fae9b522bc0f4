"""How often certificates are wrong, and how much they let through, on simulated streams and real LLM labels.

A window's certificate is wrong when more than alpha of the labels that it releases are; this may happen in
a share delta of the windows. The oracle knows every error and releases the most that alpha allows.
"""

import argparse
import sys
from collections.abc import Sequence

import numpy as np
from scipy.stats import beta

from benchmarks import guarantee_stance
from benchmarks.guarantee_rules import RULES, Terms
from benchmarks.guarantee_streams import SCENARIOS, Result, simulate

HEADINGS = ("violations", "published", "certified", "coverage", "oracle", "saves", "ledger", "pac saves")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; 1 if violations exceed delta by more than chance explains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=12)
    parser.add_argument("--full", action="store_true", help="1,000 streams, under the certificate alone")
    parser.add_argument("--scenarios", nargs="*", default=list(SCENARIOS), choices=list(SCENARIOS))
    parser.add_argument("--rules", nargs="*", default=list(RULES), choices=list(RULES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--draws", type=int, default=200, help="coin draws on llm_stance.csv; 0: leave it out"
    )
    options = parser.parse_args(argv)
    if options.full:
        options.streams, options.rules = 1_000, ["certificate"]
    terms = Terms()
    print(
        f"alpha {terms.alpha}, delta {terms.delta}, {terms.items} items a window, {terms.share:.0%} audited"
    )
    print("violations: share of windows with too many errors above the threshold, as frozen; published: the")
    print("same of what was not audited, and its 95 % interval; certified: windows that release anything;")
    print(
        "coverage: released items; saves: released and not audited; ledger: share of streams whose bound on"
    )
    print("all released labels ever failed; pac saves: what the weaker claim on the whole set saves")
    print(f"{'scenario':17}{'rule':18}{'windows':>8}" + "".join(f"{name:>11}" for name in HEADINGS))
    held = True
    for scenario in options.scenarios:
        for rule in options.rules:
            result = simulate(scenario, rule, options.streams, options.seed, terms)
            print(line(result), flush=True)
            held &= not RULES[rule].promises or keeps(result, terms.delta)
    if options.draws:
        held &= guarantee_stance.report(options.draws, options.seed)
    print("the promise held" if held else "THE PROMISE WAS BROKEN")
    return 0 if held else 1


def line(result: Result) -> str:
    """One row of the table."""
    low, high = interval(round(result.published * result.windows), result.windows)
    ledger = f"{result.ledger:11.3f}" if result.ledger is not None else f"{'-':>11}"
    pac = f"{result.pac:11.3f}" if result.pac is not None else f"{'-':>11}"
    return (
        f"{result.scenario:17}{result.rule:18}{result.windows:8d}{result.violations:11.4f}"
        f"{result.published:11.4f}{result.certified_windows:11.3f}{result.coverage:11.3f}{result.oracle:11.3f}{result.saved:11.3f}{ledger}{pac}"
        f"  [{low:.3f}, {high:.3f}]"
    )


def keeps(result: Result, delta: float) -> bool:
    """Whether the windows' and the ledger's violations are within delta, up to chance."""
    worst = max(result.violations, result.published)
    return worst <= allowance(delta, result.windows) and (
        result.ledger is None or result.ledger <= allowance(delta, result.streams)
    )


def allowance(delta: float, trials: int) -> float:
    """Share of violations that a true rate of delta exceeds in one of a thousand such simulations."""
    return float(delta + 3.09 * np.sqrt(delta * (1 - delta) / trials))


def interval(hits: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share (C. Clopper, E. Pearson, 1934)."""
    low = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high


if __name__ == "__main__":
    sys.exit(main())
