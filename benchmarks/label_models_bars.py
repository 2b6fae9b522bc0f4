"""The bars that the pool must pass with fifty known labels, and whether it does."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from models.arrays import F8

POOL = "pool"


class Measured(Protocol):
    """What is compared; see `label_models.Result`."""

    @property
    def accuracy(self) -> F8: ...
    @property
    def loss(self) -> F8: ...
    @property
    def error(self) -> F8: ...
    @property
    def right(self) -> F8: ...


class Bars:
    """Collects what models did on each set, and judges."""

    def __init__(self, peers: Sequence[str]) -> None:
        self._peers = peers
        self._sets: dict[str, Mapping[str, Measured]] = {}

    def add(self, name: str, results: Mapping[str, Measured]) -> None:
        """Results by model on one set, with fifty known labels."""
        if POOL in results:
            self._sets[name] = results

    def print(self) -> None:
        """One line a bar. Sets with copies only count for the last bar."""
        plain = {name: results for name, results in self._sets.items() if "+" not in name}
        if not plain:
            return
        print("\nbars, with 50 known labels:")
        self._against_each(plain)
        self._against_means(plain)
        error = float(np.mean([results[POOL].error.mean() for results in plain.values()]))
        _verdict(error < 0.05, f"calibration error {error:.3f} in the mean over sets, below .05")
        self._copies()

    def _against_each(self, sets: Mapping[str, Mapping[str, Measured]]) -> None:
        below = []
        for name, results in sets.items():
            for peer in (peer for peer in self._peers if peer in results):
                difference, noise = compared(results[POOL], results[peer])
                if difference < -noise:
                    below.append(f"{name}: {peer} by {-difference:.3f} (noise {noise:.3f})")
        _verdict(not below, "below no peer by more than noise on any set" + "".join(f"; {b}" for b in below))

    def _against_means(self, sets: Mapping[str, Mapping[str, Measured]]) -> None:
        for peer in self._peers:
            both = [results for results in sets.values() if peer in results]
            if not both:
                continue
            ours, theirs = (np.mean([r[m].accuracy.mean() for r in both]) for m in (POOL, peer))
            _verdict(ours > theirs, f"accuracy {ours:.3f}, {peer} {theirs:.3f} (mean over {len(both)} sets)")
            if peer == "snorkel":
                less, more = (np.mean([r[m].loss.mean() for r in both]) for m in (POOL, peer))
                _verdict(less <= 0.7 * more, f"log-loss {less:.2f}, at least 30 % under snorkel's {more:.2f}")

    def _copies(self) -> None:
        for name, results in self._sets.items():
            original = self._sets.get(name.partition("+")[0])
            if "+" in name and original is not None:
                ours = results[POOL].accuracy.mean() - original[POOL].accuracy.mean()
                _verdict(abs(ours) < 0.02, f"{name}: copies change accuracy by {ours:+.3f}, less than .02")


def compared(ours: Measured, theirs: Measured) -> tuple[float, float]:
    """Mean difference in accuracy, and how much of it chance explains at 95 %.

    Chance is that of the gold's draw (paired differences over draws) and of the items (paired over items).
    """
    draws = ours.accuracy - theirs.accuracy
    items = ours.right - theirs.right
    items = items[~np.isnan(items)]
    by_items = items.std(ddof=1) / len(items) ** 0.5
    by_draws = draws.std(ddof=1) / len(draws) ** 0.5 if len(draws) > 1 else 0.0
    return float(draws.mean()), float(1.96 * np.hypot(by_items, by_draws))


def _verdict(holds: bool, what: str) -> None:
    print(f"  {'holds' if holds else 'FAILS'}  {what}")
