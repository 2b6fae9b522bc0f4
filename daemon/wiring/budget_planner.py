"""What other budgets would do, for the lead's page."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from daemon.core.lead_ports import WhatIf
from daemon.core.planning import Budgets, audits_per_day, buy, guesses
from daemon.core.policy import Policy
from daemon.wiring.situation import Situation

KEPT_SECONDS = 60.0
"""A situation is read anew after this long: sliders are moved many times in a minute."""
SAMPLE = 1_000
"""Newest items that budgets are played through on."""


class BudgetPlanner:
    """`daemon.core.lead_ports.Planner` on whatever `read` gives."""

    def __init__(
        self, read: Callable[[], Situation], policy: Policy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make one.

        Args:
            read: the present situation. policy: settings; their budgets are not looked at.
            clock: seconds; tests move it.
        """
        self._read = read
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: Situation | None = None
        self._read_at = float("-inf")

    def what_if(self, budgets: Mapping[str, float | None], items_per_day: float | None = None) -> WhatIf:
        """What these daily budgets would do; see the port."""
        with self._lock:
            now = self._situation()
            sample = replace(now.sample, per_day=items_per_day or now.sample.per_day)
            windows = now.overview.windows
            if not sample.per_day:
                return WhatIf(None, 0.0, None, ())
            known = tuple(guesses(sample, now.overview, self._policy))
            shares = {name: cap / sample.per_day for name, cap in budgets.items() if cap is not None}
            bought = buy(sample, windows, now.bundle, self._policy, Budgets(tiers=tuple(shares.items())))
            return WhatIf(sample.per_day, audits_per_day(sample, self._policy), bought, known)

    def _situation(self) -> Situation:
        if self._kept is None or self._clock() - self._read_at > KEPT_SECONDS:
            self._kept = self._read()
            self._read_at = self._clock()
        return self._kept
