"""Changes of a mean, watched item by item."""

from collections import deque
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import F8


@cache
def adwin() -> Any:
    """river's class, from its module alone where it has one.

    The package `river.drift` imports scikit-learn, SciPy and pandas for its other classes: one or two seconds
    and 150 MB that nothing here has any use for.
    """
    package = find_spec("river.drift")
    file = Path(package.origin).with_name("adwin.py") if package and package.origin else None
    if file is None or not file.exists():
        from river.drift import ADWIN

        return ADWIN
    spec = spec_from_file_location("river.drift.adwin", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ADWIN


@dataclass(frozen=True, slots=True)
class Change:
    """A mean that moved: what it was since the last change, and what it is over the last few values."""

    before: float
    now: float
    over: int


class MeanWatch:
    """ADWIN (river) on numbers in [0, 1].

    A window of past values grows while their mean stays; as soon as an older and a newer part of it differ
    by more than chance explains, a change is told. It looks every `CLOCK` values. `delta` bounds the chance
    of a false alarm at each look, under independent values; in practice false alarms are far rarer. After a
    change everything before it is forgotten: a return is told, too.

    A. Bifet, R. Gavalda: Learning from time-changing data with adaptive windowing. SDM 2007.
    """

    CLOCK = 8
    RECENT = 32

    def __init__(self, delta: float, known: F8 | None = None, power: int = 1) -> None:
        """A watch that has seen nothing but what is given here.

        Args:
            delta: in (0, 1).
            known: values from before, so that a stream that starts out changed is noticed.
            power: the mean of values to this power is watched; above 1 it heeds large values most.
        """
        self._adwin: Any = adwin()(delta=delta, clock=self.CLOCK)
        self._power = power
        self._forget()
        if known is not None:
            self.update(known)

    def update(self, values: F8) -> Change | None:
        """Take (n,) values in their order; the last change among them, if any. NaNs are passed over."""
        change = None
        for value in values[~np.isnan(values)].tolist():
            self._count += 1
            self._sum += value
            self._recent.append(value)
            self._adwin.update(value**self._power)
            if self._adwin.drift_detected:
                change = self._describe()
                self._forget()
        return change

    def _forget(self) -> None:
        self._recent: deque[float] = deque(maxlen=self.RECENT)
        self._sum = 0.0
        self._count = 0

    def _describe(self) -> Change:
        latest, n = sum(self._recent), len(self._recent)
        older = self._count - n
        before = (self._sum - latest) / older if older else self._recent[0]
        return Change(before, latest / n, n)
