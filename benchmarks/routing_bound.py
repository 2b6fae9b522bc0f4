"""What can be reached: by experts asked only where the label is wrong, by who knows how annotators err, and
by the router if it knew how often each tier says what of each class.

The second knows, for every answer that an item may have got so far, how often each label is then right and
what the next answer will be: counted over many seeds of the very world that it is judged on. It weighs every
order of votes of the crowd and an expert against a price of money (dynamic programming). So in expectation
nobody does better who sees no more of an item than its votes, without the names of who gave them, and takes
an expert's answer as the label. Items whose functions and classifier tell much before anybody is asked are
told apart by bins of the posterior only: there it is close to a bound.

The third is the router as it is, with the true table of each tier instead of a fitted label model: what it is
better is the price of learning, what the second is better yet that of the tables' form and of the planning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.routing_play import CROWD, EXPERT, KEYS, LLM, NAMES, PRICES, Play, played
from benchmarks.routing_policies import ours
from benchmarks.routing_worlds import EXPERT_ACCURACY, Answers, World
from models.arrays import F8, I8, UNKNOWN
from models.label_model.protocol import Member

BINS = 12
"""Of the posterior after the LLM's vote, where it differs by item."""

MONEY_PRICES = np.geomspace(0.005, 50, 200)
"""Accuracy that a USD must buy, from lavish to mean."""

SEEN = 0.5
"""Added to the counts of a true table: what never happened stays possible."""


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """Items with so many votes of the crowd.

    Attributes:
        state: (N,) what is known of each. more: (N,) whether another vote is to be had.
        right: (S,) how often the best label is right in each state.
    """

    state: I8
    more: I8
    right: F8


def bounds(world: World, budgets: Sequence[float], label_model: str, seeds: int, gold: int) -> tuple[F8, F8]:
    """(b,) accuracy at these budgets, USD an item: experts only where labels are wrong, all errors known."""
    start, truth, crowd = _drawn(world, label_model, seeds, gold)
    n = len(world.truth)
    money = (np.array(budgets) - PRICES[LLM]) * n / (n - gold)
    stages = _stages(start, truth, crowd, world.n_classes)
    right = float(stages[0].right[stages[0].state].mean())
    most = right + (1 - right) * EXPERT_ACCURACY
    points = np.array([_best(stages, price) for price in MONEY_PRICES] + [(0.0, right)])
    points = points[np.argsort(points[:, 0], kind="stable")]
    accuracy = np.maximum.accumulate(points[:, 1])
    seen = np.minimum(right + EXPERT_ACCURACY * money / PRICES[EXPERT], most)
    return seen, np.interp(money, points[:, 0], accuracy)


def informed(world: World, budgets: Sequence[float], seeds: int, gold: int) -> F8:
    """(b,) accuracy of the router with the true tables at these budgets, USD an item.

    Raises ValueError where functions or a classifier speak: their votes go together, and their true tables
    taken as if they did not are worse than what is learned.
    """
    if world.start.annotators:
        raise ValueError(f"{world.name}: true tables say enough where only tiers vote")
    reached = []
    for seed in range(seeds):
        mixed = world.shuffled(seed)
        reached.append(played(_Informed(mixed, mixed.answers(seed), seed, gold), ours, budgets)[0])
    return np.asarray(np.mean(reached, axis=0))


class _Informed(Play):
    """Knows the true tables from the beginning, and learns nothing."""

    def __init__(self, world: World, answers: Answers, seed: int, gold: int) -> None:
        self._true = true_tables(world, answers)
        super().__init__(world, answers, "majority", seed, gold)

    def refit(self) -> None:
        """What is known already is not fitted."""
        self.know([self._true])


def true_tables(world: World, answers: Answers) -> Member:
    """How often the model and the crowd as a whole say each label of each class, and the classes' shares."""
    k = world.n_classes
    tables = {}
    for name, key in zip(NAMES, KEYS, strict=False):
        row, place = np.nonzero(answers[name] != UNKNOWN)
        counts = np.full((k, k), SEEN)
        np.add.at(counts, (answers[name][row, place], world.truth[row]), 1)
        tables[key] = np.log(counts / counts.sum(axis=0))
    shares = np.bincount(world.truth, minlength=k) + SEEN
    return Member("true", np.log(shares / shares.sum()), tables)


def _drawn(world: World, label_model: str, seeds: int, gold: int) -> tuple[I8, I8, I8]:
    """Of the items that count, of all seeds: what is known when the LLM has voted (N,), the truth (N,), and
    the crowd's votes (N, votes).
    """
    starts, truths, crowds = [], [], []
    for seed in range(seeds):
        answers = world.answers(seed)
        play = Play(world, answers, label_model, seed, gold)
        known = answers["llm"][:, 0]
        if world.start.annotators:
            play.buy(np.arange(len(play)), LLM)
            play.refit()
            edges = np.quantile(play.posterior[:, -1], np.linspace(0, 1, BINS + 1)[1:-1])
            known = known * BINS + np.digitize(play.posterior[:, -1], edges)
        counts = ~play.judged
        starts.append(known[counts])
        truths.append(world.truth[counts])
        crowds.append(answers["crowd"][counts])
    return np.concatenate(starts), np.concatenate(truths), np.concatenate(crowds)


def _stages(start: I8, truth: I8, crowd: I8, n_classes: int) -> list[_Stage]:
    """What is known after 0, 1, ... votes: the start and how often each label was said."""
    most = crowd.shape[1]
    there = (crowd != UNKNOWN).sum(axis=1)
    stages = []
    for votes in range(most + 1):
        said = [(crowd[:, :votes] == label).sum(axis=1) for label in range(n_classes)]
        state = np.unique(np.stack([start, *said], axis=1), axis=0, return_inverse=True)[1].ravel()
        table = np.zeros((state.max() + 1, n_classes))
        reached = there >= votes
        np.add.at(table, (state[reached], truth[reached]), 1)
        right = table.max(axis=1) / np.maximum(table.sum(axis=1), 1)
        stages.append(_Stage(state, np.flatnonzero(there > votes), right))
    return stages


def _best(stages: Sequence[_Stage], price: float) -> tuple[float, float]:
    """USD an item besides the LLM, and accuracy, of the policy that is best at this price of money."""
    cost, accuracy = np.empty(0), np.empty(0)
    for votes in range(len(stages) - 1, -1, -1):
        stage = stages[votes]
        ask = EXPERT_ACCURACY - price * PRICES[EXPERT] > stage.right
        here, paid = np.where(ask, EXPERT_ACCURACY, stage.right), np.where(ask, PRICES[EXPERT], 0.0)
        if len(stage.more):
            begun, after = stage.state[stage.more], stages[votes + 1].state[stage.more]
            size = len(stage.right)
            number = np.bincount(begun, minlength=size)
            asked = np.maximum(number, 1)
            later = np.bincount(begun, accuracy[after], size) / asked
            dear = np.bincount(begun, cost[after], size) / asked + PRICES[CROWD]
            better = (number > 0) & (later - price * dear > here - price * paid)
            here, paid = np.where(better, later, here), np.where(better, dear, paid)
        cost, accuracy = paid, here
    return float(cost[stages[0].state].mean()), float(accuracy[stages[0].state].mean())
