"""Recorded votes of a language model as an annotator: accuracy, cost and share automated at 5 % error.

GPT-4o's stance labels with its stated confidence (`llm_stance.csv` in the folder that LABELLOOP_DATA names).
The language model alone labels everything, or as much as keeps the error at 5 % if somebody told it the
threshold; people alone label everything; in the loop it votes on everything, people answer the first rows and
the audits of a window, and also whatever the window's certificate does not release.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.guarantee_rules import best_possible
from benchmarks.guarantee_stance import SPLITS, TAUGHT, Stance, draw_coins, features_of, read, split

ALPHA, AUDITED = 0.05, 0.30
LLM_PRICE, PERSON_PRICE = 0.003, 0.60
"""USD a label, as in the benchmark of routing."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 without the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=40, help="coin draws a split")
    options = parser.parse_args(argv)
    path = Path(os.environ.get("LABELLOOP_DATA", "")) / "llm_stance.csv"
    if not path.is_file():
        print(f"{path} is missing: set LABELLOOP_DATA to the folder with the data sets", file=sys.stderr)
        return 1
    stance = read(path)
    print(f"{len(stance.human)} rows; loop: {SPLITS} splits, {options.draws} draws; lowest and highest split")
    print(f"{'who':34}{'accuracy':>10}{'USD an item':>13}{'automated at 5 % error':>30}")
    accuracy = float(np.mean(stance.human == stance.said))
    known = best_possible(stance.confidence, stance.human != stance.said, ALPHA)
    print(f"{'language model alone':34}{accuracy:10.3f}{LLM_PRICE:13.3f}{known:30.3f}")
    print(f"{'people alone':34}{1:10.3f}{PERSON_PRICE:13.3f}{0:30.3f}")
    rows, in_window = loop(stance, options.draws), 1 - TAUGHT / len(stance.human)
    for name, column in (("loop, certificate on what it lets go", 4), ("loop, claim on the whole set", 5)):
        spared = rows[:, column]
        right = 1 - rows[:, 6].mean() * in_window if column == 4 else 1 - ALPHA
        price = LLM_PRICE + PERSON_PRICE * (1 - spared.mean() * in_window)
        told = f"{spared.mean():.3f} [{spared.min():.3f}, {spared.max():.3f}]"
        print(f"{name:34}{right:10.3f}{price:13.3f}{told:>30}")
    print(
        "alone it would have to be told its threshold; in the loop: share of the window, without the audited"
    )
    print("the whole-set claim counts people's labels as right; its accuracy is the bound, not measured")
    return 0


def loop(stance: Stance, draws: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(SPLITS, 7) what `draw_coins` gives of each split, scores from confidence and text."""
    features = features_of(stance, with_text=True)
    parts = [split(stance, features, number) for number in range(SPLITS)]
    return np.array([draw_coins(part, ALPHA, AUDITED, draws, seed=0) for part in parts])


if __name__ == "__main__":
    sys.exit(main())
