"""Time to fit our fast label models beside snorkel's and crowd-kit's Dawid-Skene, and to score a micro-batch.

Ours are fitted through `LabelAggregator`: equal rows are merged where that pays, else a sample of rows is
taken. Seconds of processor time without imports, all in one run: ratios travel between machines.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.label_model.estimator import LabelAggregator
from models.label_model.mixture import Mixture
from models.label_model.protocol import Member
from models.votes import ABSTAIN

Matrix = np.ndarray[Any, Any]

SHAPES = ((1_000_000, 10, 2), (1_000_000, 50, 5), (100_000, 200, 5))
SMALL = ((100_000, 10, 2), (20_000, 50, 5))
BATCH, ANNOTATORS, MEMBERS, REPEATS = 512, 50, 12, 30
CHUNK = 100_000
"""Rows made at once, to keep the random numbers out of the memory figure."""


def simulated(n: int, m: int, n_classes: int) -> tuple[Matrix, Matrix]:
    """(n, m) votes, two thirds of them abstentions, and the truth (n,)."""
    random = np.random.default_rng(0)
    accuracy = random.uniform(0.5, 0.9, m).astype(np.float32)
    truth = random.integers(0, n_classes, n).astype(np.int8)
    matrix = np.empty((n, m), np.int8)
    for begin in range(0, n, CHUNK):
        part = truth[begin : begin + CHUNK, None]
        shape = (len(part), m)
        wrong = (part + random.integers(1, n_classes, shape, np.int8)) % n_classes
        said = np.where(random.random(shape, np.float32) < accuracy, part, wrong)
        matrix[begin : begin + CHUNK] = np.where(random.random(shape, np.float32) < 1 / 3, said, ABSTAIN)
    return matrix, truth


def timed(run: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Processor seconds and what came out."""
    begun = time.process_time()
    result = run(*arguments)
    return time.process_time() - begun, result


def fit_ours(name: str) -> Callable[[Matrix, int], Callable[[Matrix], Matrix]]:
    """Fit a model of ours; what it predicts with."""

    def fit(matrix: Matrix, n_classes: int) -> Callable[[Matrix], Matrix]:
        aggregator = LabelAggregator(name, n_classes).fit(matrix)
        aggregator.members()
        return aggregator.predict_proba

    return fit


def fit_snorkel(matrix: Matrix, n_classes: int) -> Callable[[Matrix], Matrix]:
    """snorkel with its own defaults: 100 epochs."""
    from snorkel.labeling.model import LabelModel

    model = LabelModel(cardinality=n_classes, verbose=False)
    model.fit(matrix, n_epochs=100, seed=0, progress_bar=False)
    return lambda rows: np.asarray(model.predict_proba(rows))


def fit_crowd_kit(matrix: Matrix, _: int) -> None:
    """crowd-kit's Dawid-Skene, 20 rounds, on the votes that are no abstentions."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    task, worker = np.nonzero(matrix != ABSTAIN)
    table = pd.DataFrame({"task": task, "worker": worker, "label": matrix[task, worker]})
    DawidSkene(n_iter=20).fit(table)


def compare_fits(
    shapes: Sequence[tuple[int, int, int]], peers: dict[str, Callable[[Matrix, int], Any]]
) -> None:
    """One line a shape: seconds and how many times slower each peer is than our HBCC."""
    print(f"{'n x m x K':18} {'hbcc':>16} {'dawid_skene':>16}" + "".join(f"{peer:>24}" for peer in peers))
    for fit in (fit_ours("hbcc"), fit_ours("dawid_skene"), *peers.values()):
        fit(simulated(200, 4, 2)[0], 2)  # what is imported late is imported now
    for n, m, n_classes in shapes:
        matrix, truth = simulated(n, m, n_classes)
        line = f"{n:,}x{m}x{n_classes}".ljust(18)
        base = 0.0
        for name in ("hbcc", "dawid_skene"):
            seconds, predict = timed(fit_ours(name), matrix, n_classes)
            base = base or seconds
            right = (predict(matrix[:CHUNK]).argmax(axis=1) == truth[:CHUNK]).mean()
            line += f"{seconds:7.2f} s acc {right:.2f}"
        print(line, end="", flush=True)
        for fit in peers.values():
            seconds, _ = timed(fit, matrix, n_classes)
            print(f"{seconds:11.2f} s ({seconds / base:5.1f}x)", end="", flush=True)
        print()


def micro_batch() -> None:
    """Posterior of 512 items with 50 functions by a mixture of twelve members; it must stay under 5 ms."""
    random = np.random.default_rng(0)
    keys = [f"function:{j}" for j in range(ANNOTATORS)]
    tables = [{key: random.normal(size=(3, 2)) for key in keys} for _ in range(MEMBERS)]
    mixture = Mixture([Member("m", np.zeros(2), t, 0.5, 1 / MEMBERS) for t in tables])
    matrix = random.integers(ABSTAIN, 2, (BATCH, ANNOTATORS), np.int8)
    mixture.posterior_dense(matrix, keys)
    times = [timed(mixture.posterior_dense, matrix, keys)[0] for _ in range(REPEATS)]
    best, middle = 1000 * min(times), 1000 * float(np.median(times))
    holds = "holds" if middle < 5 else "FAILS"
    batch = f"posterior of {BATCH} x {ANNOTATORS}, {MEMBERS} members"
    print(f"{holds}  {batch}: {middle:.2f} ms (best {best:.2f}), bar 5 ms")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the fits and the micro-batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="a million items, and crowd-kit, which takes minutes"
    )
    options = parser.parse_args([] if argv is None else argv)
    peers: dict[str, Callable[[Matrix, int], Any]] = {"snorkel": fit_snorkel}
    if options.full:
        peers["crowd-kit DS"] = fit_crowd_kit
    micro_batch()
    compare_fits(SHAPES if options.full else SMALL, peers)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
