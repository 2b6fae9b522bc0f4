"""What to learn from: accuracy of a logistic head on MiniLM vectors after so many labels, by query strategy.

Reads the files of the folder that LABELLOOP_DATA names. Each seed splits a file's sample into a pool that
strategies choose from and a test set; every strategy sees the same splits, so that gains over random choice
are paired. Strategies get what the program would have in hand: vectors, who is labeled, and the posterior
of the head that was trained last.
"""

import argparse
import csv
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.arrays import F4, F8, I8
from models.query_strategy.pool import Pool, QueryStrategy
from models.query_strategy.registry import QUERY_STRATEGIES

ENCODER = "all-MiniLM-L6-v2"
BUDGETS = (10, 20, 50, 150)
ROUNDS = (10, 20, 30, 40, 50, 75, 100, 125, 150)
"""Labels at which the head is trained and the next ones are chosen."""
TEST_SHARE = 1 / 3
STRENGTH = 16.0
"""Inverse regularization strength of the head; vectors have length 1."""

Texts = tuple[list[str], list[str]]
"""Texts and the names of their classes."""


def column(name: str, label: str, *texts: str) -> Callable[[Path], Texts]:
    """Texts, joined where an item has several, and labels as they stand in a file."""

    def load(folder: Path) -> Texts:
        rows = _rows(folder / name)
        return [" ".join(row[text] for text in texts) for row in rows], [row[label] for row in rows]

    return load


def vader(folder: Path) -> Texts:
    """Tweets; the mean of twenty or more raters is negative, positive, or between -.5 and .5."""
    rows = _rows(folder / "vader_tweets.csv")
    means = [float(row["mean"]) for row in rows]
    names = ["negative" if mean < -0.5 else "positive" if mean > 0.5 else "neutral" for mean in means]
    return [row["text"] for row in rows], names


FILES: dict[str, Callable[[Path], Texts]] = {
    "youtube": column("youtube_spam_lf.csv", "label", "text"),
    "sms": column("sms_rules.csv", "label", "text"),
    "vader": vader,
    "rte": column("rte_items.csv", "gold", "text", "hypothesis"),
    "stance": column("llm_stance.csv", "human", "text"),
}


def curve(vectors: F4, labels: I8, strategy: QueryStrategy, seed: int) -> list[float]:
    """Accuracy on the seed's test set at each of BUDGETS."""
    order = np.random.default_rng(seed).permutation(len(labels))
    n_test = round(TEST_SHARE * len(labels))
    test, pool = order[:n_test], order[n_test:]
    ground, n_classes = vectors[pool], int(labels.max()) + 1
    posterior = np.full((len(pool), n_classes), 1 / n_classes)
    labeled = np.zeros(len(pool), np.bool_)
    found = []
    for number, total in enumerate(ROUNDS):
        chosen = strategy(
            Pool(posterior, labeled.copy(), ground), total - int(labeled.sum()), 100 * seed + number
        )
        labeled[chosen] = True
        both = np.concatenate([ground, vectors[test]])
        said = _head(ground[labeled], labels[pool][labeled], both, n_classes)
        posterior = said[: len(pool)]
        if total in BUDGETS:
            found.append(float((said[len(pool) :].argmax(axis=1) == labels[test]).mean()))
    return found


def _head(vectors: F4, labels: I8, asked: F4, n_classes: int) -> F8:
    """(n, K) what a head says that knows these labels; classes that it never saw get next to nothing."""
    from sklearn.linear_model import LogisticRegression

    said = np.full((len(asked), n_classes), 1e-3)
    seen = np.unique(labels)
    if len(seen) == 1:
        said[:, seen[0]] = 1
    else:
        head = LogisticRegression(C=STRENGTH, max_iter=300).fit(vectors, labels)
        said[:, head.classes_] = head.predict_proba(asked)
    return np.asarray(said / said.sum(axis=1, keepdims=True), np.float64)


def embed(folder: Path, files: Sequence[str], most: int) -> dict[str, tuple[F4, I8]]:
    """Vectors and labels of at most so many items of each file, drawn once."""
    from models.encoder import SentenceEncoder

    encoder = SentenceEncoder(ENCODER)
    found = {}
    for name in files:
        texts, names = FILES[name](folder)
        drawn = np.random.default_rng(0).permutation(len(texts))[:most]
        labels = np.unique(names, return_inverse=True)[1]
        found[name] = (encoder.encode([texts[row] for row in drawn]), labels[drawn])
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--items", type=int, default=900, help="of each file at most")
    parser.add_argument("--files", nargs="*", default=list(FILES), choices=list(FILES))
    options = parser.parse_args([] if argv is None else argv)
    if "LABELLOOP_DATA" not in os.environ:
        print("LABELLOOP_DATA is not set: it must name the folder with the text files", file=sys.stderr)
        return 2
    warnings.filterwarnings("ignore", module="sklearn")
    print(f"accuracy at {', '.join(map(str, BUDGETS))} labels (gain over random, 95 % interval over seeds)")
    data = embed(Path(os.environ["LABELLOOP_DATA"]), options.files, options.items)
    names = ["random", *(name for name in QUERY_STRATEGIES if name != "random")]
    gains: dict[str, list[F8]] = {name: [] for name in names}
    means: dict[str, list[F8]] = {name: [] for name in names}
    for file, (vectors, labels) in data.items():
        base = np.empty(0)
        for name in names:
            seeds = range(options.seeds)
            curves = np.array([curve(vectors, labels, QUERY_STRATEGIES[name], seed) for seed in seeds])
            base = curves if name == "random" else base
            gains[name].append(curves - base)
            means[name].append(curves.mean(axis=0))
            print(_line(file, name, curves.mean(axis=0), curves - base), flush=True)
    for name in names:
        print(_line("mean", name, np.mean(means[name], axis=0), np.mean(gains[name], axis=0)))
    return 0


def _line(file: str, name: str, accuracy: F8, gains: F8) -> str:
    spread = 1.96 * gains.std(axis=0, ddof=1) / np.sqrt(len(gains))
    cells = zip(accuracy, gains.mean(axis=0), spread, strict=True)
    shown = "  ".join(f"{right:.3f} ({gain:+.3f} +-{half:.3f})" for right, gain, half in cells)
    return f"{file:8} {name:16} {shown}"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
