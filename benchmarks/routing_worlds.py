"""Items with what annotators would say about them if they were asked: recorded votes, or simulated ones."""

import csv
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.label_models_data import FILES
from daemon.core.answer_votes import FEWEST_ANSWERS
from models.arrays import F8, I8, UNKNOWN
from models.classifier import EDGES, classify_by_fold, fit_classifier, fit_fold_heads, symbols
from models.encoder import SentenceEncoder
from models.folds import grouped_folds
from models.label_model.hbcc import HBCC
from models.votes import CLASSIFIER, Votes, person_key

ENCODER = "all-MiniLM-L6-v2"
FOLDS = 5
STRENGTH = 4.0
"""Of the classifier's head."""

LLM_ACCURACY, CROWD_ACCURACY, EXPERT_ACCURACY = 0.90, 0.85, 0.98
DIFFICULTY = 1.5
"""Spread of items' difficulty, in log-odds of a right answer."""

SHARED = 0.5
"""Correlation of what the LLM and what people find difficult."""

CROWD_VOTES = 5

STEP = 0.05
"""Those who recorded people's votes would have stated their accuracy about so well. It matters: with .75
stated of the bluebird crowd, which is right on 64 %, the router believes them where it should not."""

FUNCTIONS = 12
"""Of those that speak most often: fits take longer with their number, and the seldom ones add little."""

CHARACTERS = 300
"""Of a text that are read."""

NAMELESS = -1

Answers = Mapping[str, I8]
"""Tier -> (n, votes) labels in the order in which they come when asked, -1 where nobody is left to ask; and
`crowd_who` -> (n, votes) number of the person of each, NAMELESS for simulated ones."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Items of one file.

    Attributes:
        name: of the file.
        truth: (n,). n_classes: K.
        start: votes of labeling functions and of the classifier, known for nothing; there may be none.
        recorded: people's votes, or None to simulate them.
        stated: how often the crowd is right, as a configuration would say; see `STEP`.
    """

    name: str
    truth: I8
    n_classes: int
    start: Votes
    recorded: Votes | None
    stated: float = 0.75

    def shuffled(self, seed: int) -> "World":
        """The same items in an order of chance.

        Among items that look alike whoever comes first is asked first, and some files are sorted by truth.
        """
        order = np.random.default_rng([seed, 1]).permutation(len(self.truth))
        recorded = None if self.recorded is None else self.recorded.take(order)
        return replace(self, truth=self.truth[order], start=self.start.take(order), recorded=recorded)

    def answers(self, seed: int) -> Answers:
        """What everybody says if asked, for one seed."""
        random = np.random.default_rng([seed, len(self.truth)])
        llm, people = _ease(len(self.truth), random)
        crowd = _simulated(self, people, CROWD_VOTES, random)
        who = np.full_like(crowd, NAMELESS)
        if self.recorded is not None:
            crowd, who = drawn(self.recorded, CROWD_VOTES, random)
        expert = _simulated(self, np.full(len(self.truth), EXPERT_ACCURACY), 1, random)
        return {"llm": _simulated(self, llm, 1, random), "crowd": crowd, "crowd_who": who, "expert": expert}


def with_functions(name: str) -> Callable[[Path, int], World]:
    """So many items with labeling functions, a classifier that learns from them, and simulated people."""
    files = {"youtube": "youtube_spam_lf.csv", "sms": "sms_rules.csv"}

    def load(folder: Path, items: int) -> World:
        votes, truth, n_classes = FILES[name](folder)
        with (folder / files[name]).open(newline="", encoding="utf-8") as file:
            texts = [row["text"] for row in csv.DictReader(file)]
        chosen = np.random.default_rng(0).permutation(len(truth))[:items]
        functions = _talkative(votes.take(chosen), n_classes)
        said = _classified([texts[row][:CHARACTERS] for row in chosen], functions, n_classes)
        size = n_classes * (len(EDGES) + 1)
        start = Votes.concat_annotators(functions, Votes.of_one(CLASSIFIER, said, size))
        return World(name, truth[chosen], n_classes, start, None)

    return load


def of_crowd(name: str) -> Callable[[Path, int], World]:
    """All items, with people's recorded votes; nothing is known beforehand."""

    def load(folder: Path, _items: int) -> World:
        votes, truth, n_classes = FILES[name](folder)
        empty = np.empty(0, np.int64)
        nothing = Votes(len(truth), (), (), empty, empty, empty)
        reached = float((votes.symbol == truth[votes.row]).mean())
        return World(name, truth, n_classes, nothing, votes, max(0.55, round(reached / STEP) * STEP))

    return load


WORLDS: dict[str, Callable[[Path, int], World]] = {
    "youtube": with_functions("youtube"),
    "sms": with_functions("sms"),
    "rte": of_crowd("rte"),
    "sp": of_crowd("sp"),
    "bluebird": of_crowd("bluebird"),
    "temp": of_crowd("temp"),
    "cf": of_crowd("cf"),
}
"""File -> reads so many of its items."""


def folder() -> Path:
    """Of the data. Raises KeyError when LABELLOOP_DATA is not set."""
    return Path(os.environ["LABELLOOP_DATA"])


def _talkative(votes: Votes, n_classes: int) -> Votes:
    """The votes of the functions that speak most often."""
    said = np.bincount(votes.annotator[votes.symbol < n_classes], minlength=len(votes.annotators))
    kept = np.sort(np.argsort(-said, kind="stable")[:FUNCTIONS])
    mine = np.isin(votes.annotator, kept)
    return Votes(
        n_items=votes.n_items,
        annotators=tuple(votes.annotators[index] for index in kept),
        n_symbols=tuple(votes.n_symbols[index] for index in kept),
        row=votes.row[mine],
        annotator=np.searchsorted(kept, votes.annotator[mine]),
        symbol=votes.symbol[mine],
    )


def _classified(texts: list[str], functions: Votes, n_classes: int) -> I8:
    """(n,) symbols of a head that never learned from the item itself."""
    vectors = SentenceEncoder(ENCODER).encode(texts)
    gold = np.full(functions.n_items, UNKNOWN)
    targets = HBCC().fit(functions, n_classes, gold).predict_proba(functions)
    entropy = -(targets * np.log(np.maximum(targets, 1e-12))).sum(axis=1)
    weights = np.clip(1 - entropy / np.log(n_classes), 1e-3, 1.0)
    folds = grouped_folds(np.arange(len(texts)), FOLDS, seed=0)
    fit = partial(fit_classifier, strength=STRENGTH)
    heads = fit_fold_heads(vectors, [targets] * FOLDS, [weights] * FOLDS, folds, fit)
    return symbols(classify_by_fold(heads, vectors, folds))


def _ease(n: int, random: np.random.Generator) -> tuple[F8, F8]:
    """(n,) chance that the LLM, and that one of the crowd, is right about each item."""
    common, own, theirs = random.standard_normal((3, n))
    people = SHARED * common + np.sqrt(1 - SHARED**2) * theirs
    machine = SHARED * common + np.sqrt(1 - SHARED**2) * own
    return _right(LLM_ACCURACY, machine), _right(CROWD_ACCURACY, people)


def _right(accuracy: float, difficulty: F8) -> F8:
    """(n,) chances with this mean over items."""
    from scipy.optimize import brentq

    def mean(shift: float) -> float:
        return float((1 / (1 + np.exp(-shift - DIFFICULTY * difficulty))).mean())

    shift = brentq(lambda value: mean(value) - accuracy, -10, 10)
    return np.asarray(1 / (1 + np.exp(-shift - DIFFICULTY * difficulty)))


def _simulated(world: World, right: F8, votes: int, random: np.random.Generator) -> I8:
    """(n, votes) labels, right with each item's chance and else any other label."""
    size = (len(world.truth), votes)
    other = (world.truth[:, None] + random.integers(1, world.n_classes, size)) % world.n_classes
    return np.where(random.random(size) < right[:, None], world.truth[:, None], other)


def drawn(recorded: Votes, votes: int, random: np.random.Generator) -> tuple[I8, I8]:
    """(n, votes) recorded votes of each item in random order, none twice, and who gave them."""
    order = random.permutation(len(recorded))
    order = order[np.argsort(recorded.row[order], kind="stable")]
    rows = recorded.row[order]
    place = np.arange(len(order)) - np.searchsorted(rows, rows)
    said = np.full((recorded.n_items, votes), UNKNOWN)
    who = np.full_like(said, NAMELESS)
    early = place < votes
    said[rows[early], place[early]] = recorded.symbol[order][early]
    who[rows[early], place[early]] = recorded.annotator[order][early]
    return said, who


def people(rows: I8, said: I8, who: I8, n_items: int, n_classes: int) -> Votes:
    """Votes (v,) of a crowd of whom those are told apart who answered often enough, as the program does."""
    times = np.bincount(who[who != NAMELESS], minlength=1)
    apart = np.flatnonzero(times >= FEWEST_ANSWERS)
    places = np.full(len(times) + 1, 0)  # the last one is that of the nameless
    places[apart] = 1 + np.arange(len(apart))
    keys = ("tier:crowd", *(person_key("crowd", person) for person in apart.tolist()))
    return Votes(n_items, keys, (n_classes,) * len(keys), rows, places[who], said)
