"""Streams of items to which any number of classes apply, with functions of known quality."""

from dataclasses import dataclass, replace

import numpy as np

from models.arrays import I8
from models.set_training import SetData
from models.training import TrainingData
from models.votes import Votes

SHARES = (0.4, 0.25, 0.12, 0.03)
"""How often each class applies: the last one is rare."""

CLASSES = ("billing", "praise", "outage", "legal")


@dataclass(frozen=True)
class SetStream:
    """What is known of items, and the truth: (n, F) of 0 and 1."""

    data: SetData
    truth: I8


def stream(
    seed: int = 0,
    n: int = 1_500,
    audits: int = 400,
    vectors: bool = True,
    shares: tuple[float, ...] = SHARES,
    functions: int = 4,
) -> SetStream:
    """Of each class most functions say yes only, with false alarms; one says yes and no. Vectors show all."""
    random = np.random.default_rng(seed)
    truth = (random.random((n, len(shares))) < np.array(shares)).astype(np.int64)
    audited = np.zeros(n, np.bool_)
    audited[random.permutation(n)[:audits]] = True
    points = truth @ np.eye(len(shares), 12) + random.normal(0, 0.35, (n, 12))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    first = TrainingData(
        classes=("no", "yes"),
        votes=_votes(truth[:, 0], functions, random),
        expert=np.where(audited, truth[:, 0], -1),
        audited=audited,
        fresh=audited.copy(),
        vectors=points.astype(np.float32) if vectors else None,
        groups=np.arange(n),
        tier_accuracy={"crowd": 0.95, "expert": 0.99},
        encoder="tiny" if vectors else None,
    )
    others = [
        replace(
            first,
            votes=_votes(truth[:, place], functions, random),
            expert=np.where(audited, truth[:, place], -1),
        )
        for place in range(1, len(shares))
    ]
    names = (
        CLASSES[: len(shares)] if len(shares) <= len(CLASSES) else tuple(f"c{k}" for k in range(len(shares)))
    )
    return SetStream(SetData(names, (first, *others)), truth)


def _votes(truth: I8, functions: int, random: np.random.Generator) -> Votes:
    n = len(truth)
    columns = [
        np.where(np.where(truth == 1, random.random(n) < 0.6, random.random(n) < 0.04), 1, -1)
        for _ in range(functions - 1)
    ]
    columns.append(np.where(random.random(n) < 0.5, np.where(random.random(n) < 0.85, truth, 1 - truth), -1))
    keys = [f"function:f{place}@0" for place in range(functions)]
    return Votes.from_dense(np.stack(columns, axis=1), keys, 2)
