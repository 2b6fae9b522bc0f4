"""Label models on public vote matrices, with no gold and with fifty random gold labels.

Reads the files of the folder that LABELLOOP_DATA names; items with known gold are left out of the figures.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.arrays import F8, I8, UNKNOWN
from models.label_model.priors import Priors
from models.label_model.registry import LABEL_MODELS
from models.votes import ABSTAIN, Votes

Table = tuple[Votes, I8, int]
"""Votes on n items, their true labels (n,), number of classes."""

CELL = 17
"""Width of a model's three figures, so that a table of several models fits the screen."""


def youtube(folder: Path) -> Table:
    """Ten labeling functions, ham or spam."""
    rows = _rows(folder / "youtube_spam_lf.csv")
    codes = {"": ABSTAIN, "ham": 0, "spam": 1}
    matrix = np.array([[codes[row[f"lf{j}"]] for j in range(10)] for row in rows])
    keys = [f"function:lf{j}" for j in range(10)]
    return Votes.from_dense(matrix, keys, 2), np.array([codes[row["label"]] for row in rows]), 2


def sms(folder: Path) -> Table:
    """73 published regular expressions, ham or spam; one item in eight is spam."""
    rows = _rows(folder / "sms_rules.csv")
    codes = {"ham": 0, "spam": 1}
    matrix = np.full((len(rows), 73), ABSTAIN)
    for index, row in enumerate(rows):
        for vote in filter(None, row["votes"].split(";")):
            rule, label = vote.split("=")
            matrix[index, int(rule)] = codes[label]
    keys = [f"function:rule{j}" for j in range(73)]
    return Votes.from_dense(matrix, keys, 2), np.array([codes[row["label"]] for row in rows]), 2


def crowd(name: str, items: str | None = None) -> Callable[[Path], Table]:
    """People's votes in a long table; `items` names the file with gold if it stands apart."""

    def load(folder: Path) -> Table:
        rows = _rows(folder / name)
        gold = {r["item"]: int(r["gold"]) for r in (_rows(folder / items) if items else rows)}
        labels = [int(r["vote"]) for r in rows]
        n_classes = max(*labels, *gold.values()) + 1
        votes, tasks = Votes.from_table(
            [r["item"] for r in rows], [r["worker"] for r in rows], labels, n_classes
        )
        return votes, np.array([gold[str(task)] for task in tasks]), n_classes

    return load


TABLES: dict[str, Callable[[Path], Table]] = {
    "youtube": youtube,
    "sms": sms,
    "rte": crowd("rte_votes.csv", "rte_items.csv"),
    "bluebird": crowd("crowd_bluebird.csv"),
    "temp": crowd("temp_votes.csv"),
    "sp": crowd("sp_amt_votes_timed.csv"),
    "cf": crowd("cf_amt_votes_timed.csv"),
}


def judge(name: str, table: Table, n_gold: int, seed: int) -> tuple[float, float, float] | None:
    """Accuracy, log-loss and seconds of one model on items without gold; None where it cannot be fitted."""
    votes, truth, n_classes = table
    gold = np.full(len(truth), UNKNOWN)
    known = np.random.default_rng(seed).permutation(len(truth))[:n_gold]
    gold[known] = truth[known]
    begun = time.perf_counter()
    try:
        model = LABEL_MODELS[name](Priors(), seed).fit(votes, n_classes, gold)
    except ValueError:
        return None
    posterior = model.predict_proba(votes)[gold == UNKNOWN]
    seconds = time.perf_counter() - begun
    rest = truth[gold == UNKNOWN]
    return _accuracy(posterior, rest), _log_loss(posterior, rest), seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--files", nargs="*", default=list(TABLES), choices=list(TABLES))
    options = parser.parse_args(argv)
    if "LABELLOOP_DATA" not in os.environ:
        print("LABELLOOP_DATA is not set: it must name the folder with the vote files", file=sys.stderr)
        return 2
    print(f"{'file':9} {'gold':>4}  " + "  ".join(f"{name:>{CELL}}" for name in LABEL_MODELS))
    print(f"{'':16}" + "  ".join(f"{'acc':>5} {'nll':>5} {'s':>5}" for _ in LABEL_MODELS))
    for file in options.files:
        table = TABLES[file](Path(os.environ["LABELLOOP_DATA"]))
        for n_gold in (0, 50):
            seeds = range(options.seeds if n_gold else 1)
            cells = [_cell([judge(name, table, n_gold, seed) for seed in seeds]) for name in LABEL_MODELS]
            print(f"{file:9} {n_gold:>4}  " + "  ".join(cells), flush=True)
    return 0


def _cell(results: Sequence[tuple[float, float, float] | None]) -> str:
    measured = [result for result in results if result is not None]
    if not measured:
        return f"{'-':>{CELL}}"
    accuracy, loss, seconds = np.mean(measured, axis=0)
    return f"{accuracy:5.3f} {loss:5.2f} {seconds:5.2f}"


def _accuracy(posterior: F8, truth: I8) -> float:
    """Ties are broken evenly, as a coin would."""
    best = posterior >= posterior.max(axis=1, keepdims=True) - 1e-9
    return float((best[np.arange(len(truth)), truth] / best.sum(axis=1)).mean())


def _log_loss(posterior: F8, truth: I8) -> float:
    return float(-np.log(np.maximum(posterior[np.arange(len(truth)), truth], 1e-12)).mean())


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main())
