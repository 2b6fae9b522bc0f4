"""Votes with known truth: public files (LABELLOOP_DATA) and synthetic sets that need none."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.arrays import I8
from models.votes import ABSTAIN, Votes

COPIES = 8


class VoteSet(NamedTuple):
    """Votes on n items and their true labels (n,)."""

    votes: Votes
    truth: I8
    n_classes: int


def of_functions(matrix: I8, truth: I8, n_classes: int) -> VoteSet:
    """A label matrix (n, m), -1 where a function abstains."""
    keys = [f"function:lf{j}" for j in range(matrix.shape[1])]
    return VoteSet(Votes.from_dense(matrix, keys, n_classes), truth, n_classes)


def youtube_matrix(folder: Path) -> tuple[I8, I8]:
    """Ten labeling functions, ham or spam."""
    rows = _rows(folder / "youtube_spam_lf.csv")
    codes = {"": ABSTAIN, "ham": 0, "spam": 1}
    matrix = np.array([[codes[row[f"lf{j}"]] for j in range(10)] for row in rows])
    return matrix, np.array([codes[row["label"]] for row in rows])


def sms_matrix(folder: Path) -> tuple[I8, I8]:
    """73 published regular expressions, ham or spam; one item in eight is spam."""
    rows = _rows(folder / "sms_rules.csv")
    codes = {"ham": 0, "spam": 1}
    matrix = np.full((len(rows), 73), ABSTAIN)
    for index, row in enumerate(rows):
        for vote in filter(None, row["votes"].split(";")):
            rule, label = vote.split("=")
            matrix[index, int(rule)] = codes[label]
    return matrix, np.array([codes[row["label"]] for row in rows])


def functions(load: Callable[[Path], tuple[I8, I8]], copied: bool = False) -> Callable[[Path], VoteSet]:
    """The set of a label matrix; `copied`: with eight copies of its least accurate function."""

    def make(folder: Path) -> VoteSet:
        matrix, truth = load(folder)
        return of_functions(with_copies(matrix, truth) if copied else matrix, truth, int(truth.max()) + 1)

    return make


def with_copies(matrix: I8, truth: I8) -> I8:
    """The matrix with eight copies of the least accurate function among those that speak on 1 % of items."""
    spoken = matrix != ABSTAIN
    right = (matrix == truth[:, None]).sum(axis=0) / np.maximum(spoken.sum(axis=0), 1)
    worst = int(np.argmin(np.where(spoken.mean(axis=0) >= 0.01, right, 2.0)))
    return np.concatenate([matrix, np.repeat(matrix[:, [worst]], COPIES, axis=1)], axis=1)


def crowd(name: str, items: str | None = None) -> Callable[[Path], VoteSet]:
    """People's votes in a long table; `items` names the file with gold if it stands apart."""

    def make(folder: Path) -> VoteSet:
        rows = _rows(folder / name)
        gold = {r["item"]: r["gold"] for r in (_rows(folder / items) if items else rows)}
        names = sorted({r["vote"] for r in rows} | set(gold.values()))
        labels = [names.index(r["vote"]) for r in rows]
        people, asked = [r["worker"] for r in rows], [r["item"] for r in rows]
        votes, tasks = Votes.from_table(asked, people, labels, len(names))
        return VoteSet(votes, np.array([names.index(gold[str(task)]) for task in tasks]), len(names))

    return make


def stance(folder: Path) -> VoteSet:
    """One language model that states its confidence, in four bins; the truth is a person's label."""
    rows = _rows(folder / "llm_stance.csv")
    codes = {"agrees": 0, "neutral": 1, "disagrees": 2}
    rows = [row for row in rows if row["human"] in codes and row["gpt4o"] in codes]
    bins = np.digitize([float(row["confidence"]) for row in rows], (0.75, 0.85, 0.95))
    said = np.array([codes[row["gpt4o"]] for row in rows]) * 4 + bins
    return VoteSet(Votes.of_one("classifier", said, 12), np.array([codes[row["human"]] for row in rows]), 3)


def pandalm(folder: Path) -> VoteSet:
    """Two language models choose the better response, or a tie; the truth is what most people chose."""
    rows = _rows(folder / "pandalm_pairs.csv")
    codes = {"1": 0, "2": 1, "0": 2, "Tie": 2}
    people = np.array([[codes[row[f"annotator{j}"]] for j in (1, 2, 3)] for row in rows])
    counts = (people[:, :, None] == np.arange(3)).sum(axis=1)
    clear = counts.max(axis=1) >= 2
    judges = np.array([[codes.get(row[name], 2) for name in ("gpt35", "pandalm7b")] for row in rows])
    n = int(clear.sum())
    said = Votes.from_table(
        np.repeat(np.arange(n), 2).tolist(), ["gpt35", "pandalm7b"] * n, judges[clear].ravel(), 3, tier="llm"
    )[0]
    return VoteSet(said, counts[clear].argmax(axis=1), 3)


FILES: dict[str, Callable[[Path], VoteSet]] = {
    "youtube": functions(youtube_matrix),
    "youtube+8": functions(youtube_matrix, copied=True),
    "sms": functions(sms_matrix),
    "sms+8": functions(sms_matrix, copied=True),
    "rte": crowd("rte_votes.csv", "rte_items.csv"),
    "bluebird": crowd("crowd_bluebird.csv"),
    "temp": crowd("temp_votes.csv"),
    "sp": crowd("sp_amt_votes_timed.csv"),
    "cf": crowd("cf_amt_votes_timed.csv"),
    "stance": stance,
    "pandalm": pandalm,
}
"""`vader_tweets.csv` is left out: nobody knows which rater gave which rating, and the truth is their mean."""


def independent_functions() -> VoteSet:
    """Ten functions that err independently and speak on a third of 2,000 items of two classes."""
    random = np.random.default_rng(101)
    truth = random.integers(0, 2, 2000)
    matrix = [_function(random, truth, 2, accuracy, 0.35) for accuracy in np.linspace(0.55, 0.9, 10)]
    return of_functions(np.stack(matrix, axis=1), truth, 2)


def correlated_functions() -> VoteSet:
    """Twelve functions on 2,000 items of four uneven classes; six of them share most of their errors."""
    random = np.random.default_rng(102)
    truth = random.choice(4, 2000, p=(0.5, 0.25, 0.15, 0.1))
    source = _function(random, truth, 4, 0.5, 1.0)
    echoes = [
        np.where(random.random(2000) < 0.8, source, _function(random, truth, 4, 0.6, 1.0)) for _ in range(6)
    ]
    silent = [np.where(random.random(2000) < 0.6, echo, ABSTAIN) for echo in echoes]
    others = [_function(random, truth, 4, accuracy, 0.5) for accuracy in np.linspace(0.55, 0.8, 6)]
    return of_functions(np.stack([*silent, *others], axis=1), truth, 4)


def simulated_crowd() -> VoteSet:
    """Sixty people, a fifth of them guessing, five votes on each of 800 items of five classes."""
    random = np.random.default_rng(103)
    truth = random.integers(0, 5, 800)
    skill = np.where(np.arange(60) < 12, 0.2, random.uniform(0.5, 0.9, 60))
    worker = np.stack([random.permutation(60)[:5] for _ in range(800)])
    right = random.random(worker.shape) < skill[worker]
    wrong = (truth[:, None] + random.integers(1, 5, worker.shape)) % 5
    said = np.where(right, truth[:, None], wrong)
    votes, _ = Votes.from_table(
        np.repeat(np.arange(800), 5).tolist(), worker.ravel().tolist(), said.ravel(), 5
    )
    return VoteSet(votes, truth, 5)


SYNTHETIC: dict[str, Callable[[], VoteSet]] = {
    "independent": independent_functions,
    "correlated": correlated_functions,
    "crowd": simulated_crowd,
}


def _function(random: np.random.Generator, truth: I8, n_classes: int, accuracy: float, spoken: float) -> I8:
    wrong = (truth + random.integers(1, n_classes, len(truth))) % n_classes
    said = np.where(random.random(len(truth)) < accuracy, truth, wrong)
    return np.where(random.random(len(truth)) < spoken, said, ABSTAIN)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
