"""What money spent on answers buys: the router beside uncertainty sampling and fixed thresholds.

Reads the files of the folder that LABELLOOP_DATA names. Votes of the crowd are recorded ones where a file has
them (never the same twice); the language model, the expert, and the crowd of other files are simulated. The
router must be below no peer by more than noise, on any file and at any budget: an interval over seeds, all
comparisons of a file taken together.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import routing_plot, routing_stream
from benchmarks.routing_bound import bounds, informed
from benchmarks.routing_play import Policy, begin, curve
from benchmarks.routing_policies import PEERS, WHOLE, expected, ours
from benchmarks.routing_worlds import WORLDS, World, folder
from models.arrays import F8

BUDGETS = (0.01, 0.03, 0.06, 0.12, 0.24)
"""USD an item."""

TENTH = 0.06
"""A tenth of what an expert asks."""

DAILY = (0.06,)
"""Of a streamed day, USD an item."""

DEFAULT = ("youtube", "sms", "rte", "sp", "bluebird")
BOUND_SEEDS = 20
"""Whose answers are counted for what is possible."""

MISTAKE = 0.05
"""Chance that the interval of one of a file's comparisons is wrong."""

Curves = Mapping[str, F8]
"""Policy -> (seeds, 2, budgets) accuracy and USD an item."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table a file and whether the bar holds; 1 if it does not, 2 without data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--items", type=int, default=400, help="of files with labeling functions")
    parser.add_argument("--full", action="store_true", help="30 seeds, 1,500 items")
    parser.add_argument("--files", nargs="*", default=list(DEFAULT), choices=list(WORLDS))
    parser.add_argument("--label-model", default="pool")
    parser.add_argument("--gold", type=int, default=30, help="random expert answers that audits gave before")
    parser.add_argument("--plot", type=Path, help="draw the curves into this file")
    options = parser.parse_args(argv)
    if "LABELLOOP_DATA" not in os.environ:
        print("LABELLOOP_DATA is not set: it must name the folder with the vote files", file=sys.stderr)
        return 2
    seeds, items = (30, 1_500) if options.full else (options.seeds, options.items)
    print(
        f"label model {options.label_model}, {options.gold} random gold labels at the start, {seeds} seeds;"
    )
    print("accuracy, and in brackets what ours is above it, with the interval that the bar goes by")
    held, drawn = True, {}
    for name in options.files:
        world = WORLDS[name](folder(), items)
        drawn[name] = _measure(world, options.label_model, seeds, options.gold)
        held &= report(world, drawn[name])
        report_bounds(world, options.label_model, gold=options.gold)
        held &= report_day(world, options.label_model, seeds, options.gold)
        report_forecast(world, drawn[name]["ours"], options.label_model, seeds, options.gold)
    print("the bar holds" if held else "THE BAR IS MISSED")
    if options.plot is not None:
        routing_plot.draw(drawn, options.plot)
    return 0 if held else 1


def report(world: World, curves: Curves) -> bool:
    """Print one file's table; whether ours is below no peer beyond noise."""
    print(f"\n{world.name}: {len(world.truth)} items, {world.n_classes} classes")
    print(f"{'USD an item':18}" + "".join(f"{budget:>21.3f}" for budget in BUDGETS))
    print(f"{'ours':18}" + "".join(f"{accuracy:>21.3f}" for accuracy in curves["ours"][:, 0].mean(axis=0)))
    held = True
    for peer in PEERS:
        above, noise = above_peer(curves["ours"][:, 0], curves[peer][:, 0], len(PEERS) * len(BUDGETS))
        print(f"{peer:18}" + _cells(curves[peer][:, 0].mean(axis=0), above, noise), flush=True)
        held &= bool((above + noise >= 0).all())
    for name in WHOLE:
        accuracy, cost = curves[name].mean(axis=0)[:, 0]
        print(f"{name:18}{cost:.3f} -> {accuracy:.3f}")
    at_tenth = float(curves["ours"][:, 0, BUDGETS.index(TENTH)].mean())
    everyone = float(curves["all expert"][:, 0].mean())
    print(f"at a tenth of the price of all expert answers: {at_tenth:.3f} against {everyone:.3f}")
    if not held:
        print("BELOW A PEER")
    return held


def report_bounds(world: World, label_model: str, gold: int) -> None:
    """What was possible: experts asked only where labels are wrong, for who knows how annotators err, and for
    the router if it knew the true table of each tier.
    """
    names = ("expert where wrong", "errors known")
    for name, accuracy in zip(names, bounds(world, BUDGETS, label_model, BOUND_SEEDS, gold), strict=True):
        print(f"{name:18}" + "".join(f"{one:>21.3f}" for one in accuracy), flush=True)
    if not world.start.annotators:
        accuracy = informed(world, BUDGETS, BOUND_SEEDS, gold)
        print(f"{'tables known':18}" + "".join(f"{one:>21.3f}" for one in accuracy), flush=True)


def report_day(world: World, label_model: str, seeds: int, gold: int) -> bool:
    """Items in batches, a day's money paced over them, answers that come later."""
    print(f"{'streamed':18}" + "".join(f"{budget:>21.3f}" for budget in DAILY))
    reached = {
        name: np.array(
            [
                [routing_stream.day(world, rank, b, label_model, s, gold)[0] for b in DAILY]
                for s in range(seeds)
            ]
        )
        for name, rank in routing_stream.RANKS.items()
    }
    mine = reached.pop("ours")
    print(f"{'ours':18}" + "".join(f"{accuracy:>21.3f}" for accuracy in mine.mean(axis=0)))
    held = True
    for name, theirs in reached.items():
        above, noise = above_peer(mine, theirs, len(reached) * len(DAILY))
        print(f"{name:18}" + _cells(theirs.mean(axis=0), above, noise), flush=True)
        held &= bool((above + noise >= 0).all())
    if not held:
        print("BELOW A PEER")
    return held


def report_forecast(world: World, mine: F8, label_model: str, seeds: int, gold: int) -> None:
    """What `labelloop plan` would have said after the first votes of the language model, and what came."""
    starts = [begin(world, label_model, seed, gold) for seed in range(min(seeds, 5))]
    said = np.array([[expected(play, budget) for budget in BUDGETS] for play in starts])
    off = said - mine[: len(said), 0]
    print(f"{'forecast':18}" + "".join(f"{mean:>21.3f}" for mean in said.mean(axis=0)))
    print(f"{'  off by':18}" + "".join(f"{mean:>+21.3f}" for mean in off.mean(axis=0)), flush=True)


def above_peer(mine: F8, theirs: F8, comparisons: int) -> tuple[F8, F8]:
    """(b,) mean paired difference over (seeds, b), and half the width of its interval (Student's t)."""
    from scipy.stats import t

    apart = mine - theirs
    seeds = len(apart)
    wide = float(t.ppf(1 - MISTAKE / 2 / comparisons, seeds - 1))
    return apart.mean(axis=0), wide * apart.std(axis=0, ddof=1) / np.sqrt(seeds)


def _measure(world: World, label_model: str, seeds: int, gold: int) -> Curves:
    run: Callable[..., F8] = partial(_curves, world, label_model, seeds, gold)
    curves = {"ours": run(ours, BUDGETS)}
    curves |= {name: run(policy, BUDGETS) for name, policy in PEERS.items()}
    return curves | {name: run(policy, BUDGETS[:1]) for name, policy in WHOLE.items()}


def _curves(
    world: World, label_model: str, seeds: int, gold: int, policy: Policy, budgets: Sequence[float]
) -> F8:
    return np.array([curve(world, policy, budgets, label_model, seed, gold) for seed in range(seeds)])


def _cells(accuracy: F8, above: F8, noise: F8) -> str:
    columns = zip(accuracy.tolist(), above.tolist(), noise.tolist(), strict=True)
    return "".join(f"{one:>8.3f} ({more:+.3f}±{half:.3f})"[-21:].rjust(21) for one, more, half in columns)


if __name__ == "__main__":
    sys.exit(main())
