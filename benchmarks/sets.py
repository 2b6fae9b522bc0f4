"""Tasks where any number of classes may apply: whole sets right, honest scores, time by number of classes.

Items come from examples/support_topics, with its functions and a real encoder, and from made-up streams in
which errors come together: on one item in five all functions guess about all classes. Some items are answered
at random; models are judged on all others. `product` is how far the bare product of the classes' certainties
is off, `score` the same after calibration (expected calibration errors); `accepted` is the largest share of
items, by score, of which at most 5 % of the sets are wrong.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from labeling_functions import Item
from labeling_functions.applier import Applier
from labeling_functions.label_space import LabelSpace, spread
from labeling_functions.loading import load
from models.any_training import predict_any
from models.arrays import F4, I8, UNKNOWN
from models.encoder import SentenceEncoder
from models.evaluation import calibration_error, reliability_bins, risk_coverage_curve
from models.set_bundle import APPLIES, joint_confidence
from models.set_evaluation import likelier
from models.set_training import SetData, train_sets
from models.training import TrainingData, TrainingOptions
from models.votes import Votes

ENCODER = "all-MiniLM-L6-v2"
EXAMPLE = Path(__file__).parents[1] / "examples" / "support_topics"
TOPICS = ("billing", "delivery", "damaged", "account", "praise")
COLUMNS = ("sets right", "hamming", "product", "score", "accepted 5%", "seconds")


@dataclass(frozen=True)
class Stream:
    """Votes (n, m * F) as the stream keeps them, truth (n, F) and vectors (n, d) of n items."""

    name: str
    votes: I8
    truth: I8
    vectors: F4

    def data(self, n_gold: int, classifier: bool, seed: int) -> SetData:
        """With so many items answered at random."""
        n, n_classes = self.truth.shape
        drawn = np.zeros(n, np.bool_)
        drawn[np.random.default_rng(seed).permutation(n)[:n_gold]] = True
        keys = [f"function:f{column}@0" for column in range(self.votes.shape[1] // n_classes)]
        first = TrainingData(
            classes=APPLIES,
            votes=Votes.from_dense(self.votes[:, 0::n_classes], keys, 2),
            expert=np.where(drawn, self.truth[:, 0], UNKNOWN),
            audited=drawn,
            fresh=drawn,
            vectors=self.vectors if classifier else None,
            encoder=ENCODER if classifier else None,
            groups=np.random.default_rng(0).permutation(n),
            tier_accuracy={},
        )
        facets = [
            replace(
                first,
                votes=Votes.from_dense(self.votes[:, place::n_classes], keys, 2),
                expert=np.where(drawn, self.truth[:, place], UNKNOWN),
            )
            for place in range(n_classes)
        ]
        return SetData(tuple(f"class {place}" for place in range(n_classes)), tuple(facets))


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--gold", nargs="*", type=int, default=[40, 100, 200])
    parser.add_argument("--classes", nargs="*", type=int, default=[4, 10], help="of made-up streams")
    parser.add_argument("--items", type=int, default=2_000, help="of made-up streams")
    options = parser.parse_args(argv)
    print(f"{'items':16} {'gold':>4} {'classifier':>10}  " + "  ".join(f"{name:>11}" for name in COLUMNS))
    for stream in (topics(), *(made_up(options.items, n_classes) for n_classes in options.classes)):
        for n_gold in options.gold:
            for classifier in (False, True):
                each = [judge(stream, n_gold, classifier, seed) for seed in range(options.seeds)]
                figures = "  ".join(f"{figure:11.3f}" for figure in np.mean(each, axis=0))
                print(
                    f"{stream.name:16} {n_gold:>4} {'yes' if classifier else 'no':>10}  {figures}", flush=True
                )
    return 0


def judge(stream: Stream, n_gold: int, classifier: bool, seed: int) -> list[float]:
    """COLUMNS on the items without gold."""
    data = stream.data(n_gold, classifier, seed)
    begun = time.perf_counter()
    bundle = train_sets(data, TrainingOptions(), None, lambda _: None).bundle
    took = time.perf_counter() - begun
    rest = np.flatnonzero(~data.audited)
    posterior = predict_any(bundle, data, rest)
    wrong = likelier(posterior) != stream.truth[rest]
    right, scores = ~wrong.any(axis=1), bundle.scores(posterior)
    curve = risk_coverage_curve(scores, right)
    return [
        float(right.mean()),
        float(wrong.mean()),
        calibration_error(reliability_bins(joint_confidence(posterior), right)),
        calibration_error(reliability_bins(scores, right)),
        float(curve[curve[:, 1] <= 0.05, 0].max(initial=0.0)),
        took,
    ]


def topics() -> Stream:
    """The example's messages."""
    lines = [json.loads(line) for line in (EXAMPLE / "items.jsonl").read_text().splitlines()]
    space = LabelSpace(TOPICS, sets=True)
    items = [Item(line["id"], {"text": line["text"]}) for line in lines]
    votes = Applier(load(["labeling_functions.py"], EXAMPLE), space, 10.0).apply(items).L
    truth = spread(np.array([space.label_of(line["truth"]) for line in lines]), space.n_facets)
    vectors = SentenceEncoder(ENCODER).encode([line["text"] for line in lines])
    return Stream("support_topics", votes.astype(np.int64), truth.astype(np.int64), vectors)


def made_up(n: int, n_classes: int) -> Stream:
    """Classes from common to rare; four functions say yes of a class, two yes or no; vectors show a part."""
    random = np.random.default_rng(n_classes)
    truth = (random.random((n, n_classes)) < np.linspace(0.35, 0.03, n_classes)).astype(np.int64)
    hard = random.random((n, 1)) < 0.2
    columns = []
    for function in range(6):
        seen = np.where(hard, random.random((n, n_classes)) < truth.mean(axis=0), truth)
        applies = np.where(random.random((n, n_classes)) < 0.95, seen, 1 - seen)
        speaks = random.random((n, n_classes)) < 0.6
        columns.append(np.where(speaks & ((applies == 1) | (function > 3)), applies, -1))
    vectors = truth @ random.normal(size=(n_classes, 64)) + random.normal(0, 1.5, (n, 64))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Stream(f"{n_classes} made-up", np.concatenate(columns, axis=1), truth, vectors.astype(np.float32))


if __name__ == "__main__":
    sys.exit(main())
