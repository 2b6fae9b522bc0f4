"""Label models on public and synthetic votes: the pool beside majority vote, snorkel and crowd-kit.

Gold labels are drawn at random; every figure is over the items without gold. Per set, a table of accuracy
(ties are broken evenly; 95 % interval over the draws), log-loss and calibration error at 0, 20, 50 and 200
known labels; at the end the bars that the pool must pass. Its structure was chosen on `youtube`, `sms`, `rte`
and `bluebird` (Dawid-Skene became a member for `sms`); that this member does no harm was looked at on most of
the other sets too, so that none of them is wholly untouched.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.label_models_bars import Bars
from benchmarks.label_models_data import FILES, SYNTHETIC, VoteSet
from benchmarks.label_models_peers import OURS, PEERS, SLOW_PEERS, Answer
from models.arrays import F8, I8, UNKNOWN, Mask
from models.evaluation import calibration_error, log_loss, reliability_bins

GOLDS = (0, 20, 50, 200)
LEAST_LEFT = 50
"""Items without gold that a figure needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One model on one set with one number of gold labels, over d draws.

    Attributes:
        accuracy, loss, error: (d,) over the items without gold; `error` is that of calibration.
        right: (n,) share of draws, among those in which the item had no gold, in which it was labeled right.
    """

    accuracy: F8
    loss: F8
    error: F8
    right: F8


def draw_gold(truth: I8, n_gold: int, seed: int) -> I8:
    """(n,) the truth of a random choice of items, -1 elsewhere."""
    gold = np.full(len(truth), UNKNOWN)
    known = np.random.default_rng(seed).permutation(len(truth))[:n_gold]
    gold[known] = truth[known]
    return gold


def credit(posterior: F8, truth: I8) -> F8:
    """(n,) 1 where the label is right; its share where several classes tie."""
    best = posterior >= posterior.max(axis=1, keepdims=True) - 1e-9
    return np.asarray(best[np.arange(len(truth)), truth] / best.sum(axis=1), np.float64)


def measure(answer: Answer, votes: VoteSet, golds: Sequence[I8]) -> Result | None:
    """None where the model cannot hold the votes."""
    try:
        answers = answer(votes, golds)
    except ValueError:
        return None
    figures, right = [], []
    for posterior, gold in zip(answers, golds, strict=True):
        rest: Mask = gold == UNKNOWN
        hits = credit(posterior, votes.truth)
        confident = posterior[rest].max(axis=1)
        error = calibration_error(reliability_bins(confident, hits[rest]))
        figures.append((hits[rest].mean(), log_loss(posterior[rest], votes.truth[rest]).mean(), error))
        right.append(np.where(rest, hits, np.nan))
    known_always = np.isnan(right).all(axis=0)
    each = np.where(known_always, np.nan, np.nanmean(np.where(known_always, 0.0, right), axis=0))
    return Result(*np.array(figures).T, right=each)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables and the bars."""
    sets = [*FILES, *SYNTHETIC] if "LABELLOOP_DATA" in os.environ else list(SYNTHETIC)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--gold", type=int, nargs="*", default=list(GOLDS))
    parser.add_argument("--sets", nargs="*", default=sets, choices=[*FILES, *SYNTHETIC])
    parser.add_argument("--full", action="store_true", help="peers that take minutes as well: GLAD, MACE")
    options = parser.parse_args([] if argv is None else argv)
    models = {**PEERS, **(SLOW_PEERS if options.full else {}), **OURS}
    print(f"{options.seeds} draws of gold; ± is a 95 % interval over them")
    if "LABELLOOP_DATA" not in os.environ:
        print("LABELLOOP_DATA is not set: synthetic sets only")
    bars = Bars(peers=[*PEERS, *SLOW_PEERS])
    for name in options.sets:
        votes = load(name)
        results = {
            n_gold: _measure_all(models, votes, n_gold, options.seeds)
            for n_gold in options.gold
            if len(votes.truth) - n_gold >= LEAST_LEFT
        }
        _print_table(name, votes, results)
        if 50 in results:
            bars.add(name, results[50])
    bars.print()
    return 0


def load(name: str) -> VoteSet:
    """A set by its name."""
    return SYNTHETIC[name]() if name in SYNTHETIC else FILES[name](Path(os.environ["LABELLOOP_DATA"]))


def _measure_all(
    models: Mapping[str, Answer], votes: VoteSet, n_gold: int, n_draws: int
) -> dict[str, Result]:
    golds = [draw_gold(votes.truth, n_gold, seed) for seed in range(n_draws if n_gold else 1)]
    measured = {name: measure(answer, votes, golds) for name, answer in models.items()}
    return {name: result for name, result in measured.items() if result is not None}


def _print_table(name: str, votes: VoteSet, results: Mapping[int, Mapping[str, Result]]) -> None:
    size = f"{votes.votes.n_items} items, {len(votes.votes.annotators)} annotators, {votes.n_classes} classes"
    print(f"\n{name} ({size})")
    print(f"{'gold':15}" + "".join(f"{n_gold:>28}" for n_gold in results))
    print(f"{'':15}" + "".join(f"{'acc':>12} {'':3}{'nll':>6}{'ece':>6}" for _ in results))
    for model in dict.fromkeys(model for measured in results.values() for model in measured):
        print(f"{model:15}" + "".join(_cell(measured.get(model)) for measured in results.values()))
    sys.stdout.flush()


def _cell(result: Result | None) -> str:
    if result is None:
        return f"{'-':>28}"
    draws = len(result.accuracy)
    half = 1.96 * result.accuracy.std(ddof=1) / draws**0.5 if draws > 1 else 0.0
    return f"{result.accuracy.mean():11.3f}±{half:.3f} {result.loss.mean():5.2f} {result.error.mean():5.3f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
