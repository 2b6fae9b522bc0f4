"""`pandalm_pairs.csv`: pairs of responses with three people's choices and two recorded judges'."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labeling_functions.applier import Applier
from labeling_functions.heuristics import PAIR_HEURISTICS
from labeling_functions.items import Item
from labeling_functions.label_space import LabelSpace
from labeling_functions.pairs import FIELDS
from labeling_functions.task import PREFERENCE_CLASSES
from models.arrays import F8, I8, UNKNOWN
from models.encoder import SentenceEncoder
from models.response_style import style_features
from models.soft_preferences import N_CLASSES
from models.votes import Votes

ENCODER = "all-MiniLM-L6-v2"
JUDGES = ("gpt35", "pandalm7b")
PEOPLE = ("annotator1", "annotator2", "annotator3")
CODES = {"1": 0, "2": 1, "0": 2, "Tie": 2}
"""Classes of the file's choices; whatever else a judge said is no vote."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """n pairs.

    Attributes:
        prompts: n texts. responses: n texts of A, n of B.
        groups: (n,) number of the prompt.
        people: (n, 3) and judges (n, 2): A 0, B 1, tie 2, no answer -1.
        majority: (n,) what at least two people chose, or -1.
    """

    prompts: list[str]
    responses: tuple[list[str], list[str]]
    groups: I8
    people: I8
    judges: I8
    majority: I8


def read(path: Path) -> Pairs:
    """The file's pairs."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    prompts = [f"{row['instruction']}\n{row['input']}".strip() for row in rows]
    people = np.array([[CODES[row[name]] for name in PEOPLE] for row in rows])
    return Pairs(
        prompts,
        ([row["response1"] for row in rows], [row["response2"] for row in rows]),
        np.unique(prompts, return_inverse=True)[1],
        people,
        np.array([[CODES.get(row[name], UNKNOWN) for name in JUDGES] for row in rows]),
        agreed(people),
    )


def agreed(choices: I8) -> I8:
    """(n,) the class that at least two of the columns (n, 2 or 3) name, or -1."""
    counts = (choices[:, :, None] == np.arange(N_CLASSES)).sum(axis=1)
    return np.where(counts.max(axis=1) >= 2, counts.argmax(axis=1), UNKNOWN)


def features(pairs: Pairs) -> tuple[F8, F8, I8]:
    """(n, d) features of A and of B, embedding and style, and the kind (d,) of each."""
    texts = sorted({*pairs.responses[0], *pairs.responses[1]})
    vectors = dict(zip(texts, SentenceEncoder(ENCODER).encode(texts), strict=True))
    a, b = (
        np.hstack([np.array([vectors[text] for text in side]), style_features(pairs.prompts, side)])
        for side in pairs.responses
    )
    dimension = len(vectors[texts[0]])
    return a, b, (np.arange(a.shape[1]) >= dimension).astype(np.int64)


def heuristic_votes(pairs: Pairs) -> dict[str, I8]:
    """Name -> (n,) votes of each ready-made function about pairs, as it comes."""
    made = [make() for make in PAIR_HEURISTICS.values()]
    items = [
        Item(str(row), dict(zip(FIELDS, texts, strict=True)))
        for row, texts in enumerate(zip(pairs.prompts, *pairs.responses, strict=True))
    ]
    votes = Applier(made, LabelSpace(PREFERENCE_CLASSES), slow_seconds=60.0).apply(items).L
    return {one.name: votes[:, column].astype(np.int64) for column, one in enumerate(made)}


def judge_votes(judges: I8) -> Votes:
    """The judges' choices (n, 2) as votes of two annotators."""
    row, judge = np.nonzero(judges != UNKNOWN)
    keys = tuple(f"tier:judge@{name}" for name in JUDGES)
    return Votes(len(judges), keys, (N_CLASSES,) * len(keys), row, judge, judges[row, judge])
