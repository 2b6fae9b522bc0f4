"""Recorded crowds replayed: the loop asks one person more where it doubts, beside ten answers on every item.

Reads the files of the folder that LABELLOOP_DATA names. Votes come in random order, none twice, each under
the name of who gave it. One person is asked about each item; then the label model is fitted, the router says
which items get one vote more, and so on until nothing is doubtful or ten votes are in. The peers ask ten
people about everything and take the majority (ties count by chance), or Dawid-Skene. Known labels, where
there are some, are of items drawn at random, asked about as all others, and count in no figure.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.label_models import credit
from benchmarks.label_models_data import FILES
from benchmarks.routing_worlds import drawn, folder, people
from daemon.core.routing import Candidates, Purse, route
from models.arrays import F8, I8, UNKNOWN
from models.label_model.dawid_skene import DawidSkene
from models.label_model.mixture import Mixture
from models.label_model.pool import Pool
from models.label_model.priors import Priors
from models.value import Asker, symbol_likelihood
from models.votes import Votes

MOST = 10
"""Votes an item."""

DOUBT = (0.10, 0.05, 0.02)
"""Chance of an error above which the loop asks again."""

GOLDS = (0, 50)
DEFAULT = ("rte", "sp", "bluebird")


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Recorded votes of one seed: (n, MOST) labels, -1 where nobody is left, and who gave them."""

    said: I8
    who: I8
    truth: I8
    n_classes: int

    def votes(self, asked: I8) -> Votes:
        """The first `asked` (n,) votes of each item."""
        rows, place = np.nonzero((np.arange(MOST) < asked[:, None]) & (self.said != UNKNOWN))
        given = self.said[rows, place], self.who[rows, place]
        return people(rows, *given, len(self.truth), self.n_classes)


def replay(crowd: Crowd, gold: I8, doubt: float, seed: int) -> tuple[I8, F8]:
    """Votes asked of each item (n,), and the posterior (n, K) in the end."""
    asked = np.ones(len(crowd.truth), np.int64)
    there = (crowd.said != UNKNOWN).sum(axis=1)
    while True:
        votes = crowd.votes(asked)
        members = Pool(Priors(), seed).fit(votes, crowd.n_classes, gold).members()
        posterior = Mixture(members).posterior(votes)
        asker = Asker("crowd", 1.0, symbol_likelihood(members, "tier:crowd"), MOST)
        doubtful = (posterior.max(axis=1) < 1 - doubt) & (asked < there)
        nobody = np.zeros((len(asked), 1), np.int64)
        items = Candidates(posterior, asked[:, None], nobody, doubtful, doubtful)
        more = route(items, [asker], Purse((None,))).ask[:, 0]
        if not more.any():
            return asked, posterior
        asked = asked + more


def majority(crowd: Crowd) -> F8:
    """(n, K) shares of all ten votes."""
    counts = np.stack([(crowd.said == label).sum(axis=1) for label in range(crowd.n_classes)], axis=1)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table; 2 without data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--files", nargs="*", default=list(DEFAULT))
    options = parser.parse_args([] if argv is None else argv)
    if "LABELLOOP_DATA" not in os.environ:
        print("LABELLOOP_DATA is not set: it must name the folder with the vote files", file=sys.stderr)
        return 2
    print(f"{options.seeds} orders of the votes; ± is a 95 % interval over them")
    print(f"{'file':10}{'known':>6}  {'who decides':32}{'answers an item':>16}{'right':>16}")
    for name in options.files:
        for n_gold in GOLDS:
            _report(name, n_gold, options.seeds)
    return 0


def _report(name: str, n_gold: int, seeds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {}
    votes, truth, n_classes = FILES[name](folder())
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        crowd = Crowd(*drawn(votes, MOST, random), truth, n_classes)
        gold = np.where(random.permutation(len(truth)) < n_gold, truth, UNKNOWN)
        for who, (asked, posterior) in _everybody(crowd, gold, seed).items():
            counts = gold == UNKNOWN
            right = credit(posterior[counts], truth[counts]).mean()
            found.setdefault(who, []).append((float(asked[counts].mean()), float(right)))
    for who, figures in found.items():
        asked, right = np.array(figures).T
        noise = 1.96 * right.std(ddof=1) / np.sqrt(len(right)) if len(right) > 1 else 0.0
        print(
            f"{name:10}{n_gold:>6}  {who:32}{asked.mean():>16.2f}{right.mean():>9.3f} ±{noise:.3f}",
            flush=True,
        )


def _everybody(crowd: Crowd, gold: I8, seed: int) -> dict[str, tuple[I8, F8]]:
    every = (crowd.said != UNKNOWN).sum(axis=1)
    votes = crowd.votes(every)
    skene = DawidSkene().fit(votes, crowd.n_classes, gold).predict_proba(votes)
    return {
        "ten each, majority": (every, majority(crowd)),
        "ten each, Dawid-Skene": (every, skene),
        "ten each, our label model": (every, Pool().fit(votes, crowd.n_classes, gold).predict_proba(votes)),
        **{f"loop, doubt above {doubt:.2f}": replay(crowd, gold, doubt, seed) for doubt in DOUBT},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
