"""The whole posterior after training, as workers serve it: functions alone, and with the classifier.

Reads the files of the folder that LABELLOOP_DATA names. Some items are answered at random; models are judged
on all others. `accepted` is the largest share of them, by score, of which at most 5 % (2 %) are wrong: what
somebody who knows every error could release.
"""

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.label_models_data import FILES as VOTE_SETS
from models.arrays import F4, F8, I8, UNKNOWN, Mask
from models.encoder import SentenceEncoder
from models.evaluation import calibration_error, log_loss, minority_f1, reliability_bins, risk_coverage_curve
from models.evaluation import confusion_matrix as confusions
from models.folds import FOLDS
from models.training import TrainingData, TrainingOptions, predict, train
from models.votes import Votes

ENCODER = "all-MiniLM-L6-v2"
FILES = {"youtube": "youtube_spam_lf.csv", "sms": "sms_rules.csv"}
SAMPLE = 1_000
"""Items of each file: embedding takes most of the time."""

COLUMNS = ("acc", "nll", "ece", "minority F1", "accepted 5%", "accepted 2%")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--items", type=int, default=SAMPLE)
    parser.add_argument("--files", nargs="*", default=list(FILES), choices=list(FILES))
    parser.add_argument("--gold", nargs="*", type=int, default=[50, 100, 200])
    parser.add_argument("--models", nargs="*", default=["pool"], help="that compete")
    options = parser.parse_args(argv)
    if "LABELLOOP_DATA" not in os.environ:
        print("LABELLOOP_DATA is not set: it must name the folder with the vote files", file=sys.stderr)
        return 2
    encoder = SentenceEncoder(ENCODER)
    how = TrainingOptions(tuple(options.models))
    print(f"{'file':9} {'gold':>4} {'classifier':>10}  " + "  ".join(f"{name:>11}" for name in COLUMNS))
    for file in options.files:
        stream = _Stream.read(Path(os.environ["LABELLOOP_DATA"]), file, options.items, encoder)
        for n_gold in options.gold:
            for classifier in (False, True):
                each = [stream.judge(n_gold, classifier, seed, how) for seed in range(options.seeds)]
                figures = "  ".join(f"{figure:11.3f}" for figure in np.mean(each, axis=0))
                print(f"{file:9} {n_gold:>4} {'yes' if classifier else 'no':>10}  {figures}", flush=True)
    return 0


class _Stream:
    """Votes, truth and vectors of n items."""

    def __init__(self, votes: Votes, truth: I8, vectors: F4, groups: I8) -> None:
        self._votes, self._truth, self._vectors, self._groups = votes, truth, vectors, groups

    @classmethod
    def read(cls, folder: Path, file: str, limit: int, encoder: SentenceEncoder) -> "_Stream":
        votes, truth, _ = VOTE_SETS[file](folder)
        rows = np.random.default_rng(0).permutation(len(truth))[:limit]
        texts = _texts(folder / FILES[file])
        chosen = [texts[row] for row in rows]
        return cls(votes.take(rows), truth[rows], encoder.encode(chosen), _groups(chosen))

    def judge(self, n_gold: int, classifier: bool, seed: int, how: TrainingOptions) -> list[float]:
        """COLUMNS on the items without gold."""
        n = len(self._truth)
        drawn = np.zeros(n, np.bool_)
        drawn[np.random.default_rng(seed).permutation(n)[:n_gold]] = True
        data = TrainingData(
            classes=("ham", "spam"),
            votes=self._votes,
            expert=np.where(drawn, self._truth, UNKNOWN),
            audited=drawn,
            fresh=drawn,
            vectors=self._vectors if classifier else None,
            encoder=ENCODER if classifier else None,
            groups=self._groups,
            tier_accuracy={},
        )
        bundle = train(data, how, None, lambda _: None).bundle
        rest = np.flatnonzero(~drawn)
        posterior = predict(bundle, data, rest)
        return _figures(posterior, bundle.scores(posterior), self._truth[rest])


def _figures(posterior: F8, scores: F8, truth: I8) -> list[float]:
    right = posterior.argmax(axis=1) == truth
    confusion = confusions(truth, posterior.argmax(axis=1), posterior.shape[1])
    return [
        float(right.mean()),
        float(log_loss(posterior, truth).mean()),
        calibration_error(reliability_bins(posterior.max(axis=1), right)),
        minority_f1(confusion),
        _accepted(scores, right, 0.05),
        _accepted(scores, right, 0.02),
    ]


def _accepted(scores: F8, right: Mask, target: float) -> float:
    curve = risk_coverage_curve(scores, right)
    return float(curve[curve[:, 1] <= target, 0].max(initial=0.0))


def _texts(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def _groups(texts: Sequence[str]) -> I8:
    """Copies of a text share a number, and numbers fall evenly into the folds."""
    plain = [" ".join(text.lower().split()) for text in texts]
    _, group = np.unique(plain, return_inverse=True)
    return np.asarray(np.random.default_rng(1).permutation(FOLDS * (int(group.max()) + 1))[group])


if __name__ == "__main__":
    sys.exit(main())
