"""Whom the router may ask: what every tier's answers are worth now, and which have no money left today."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.core.askers import askers_of
from daemon.core.policy import Policy
from models.bundle import Bundle
from models.value import Asker

LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Market:
    """Who may be asked, at what price, and who has no money left today.

    Attributes:
        askers: T, in the order of the policy's ladder.
        spent: tiers whose budget of the day is used up.
    """

    askers: Sequence[Asker]
    spent: frozenset[str] = frozenset()


@dataclass
class MarketWatch:
    """The market under the bundle that is followed. For one thread.

    Attributes:
        spent: price of an answer by tier to the tiers that cannot pay one more today; asked about once a
            second.
    """

    policy: Policy
    spent: Callable[[Mapping[str, int]], frozenset[str]]
    clock: Callable[[], float] = time.monotonic
    _bundle: Bundle | None = None
    _askers: tuple[Asker, ...] = ()
    _looked: float = float("-inf")
    _spent: frozenset[str] = field(default_factory=frozenset)

    def under(self, bundle: Bundle) -> Market:
        """The market as this bundle values answers."""
        if bundle is not self._bundle:
            self._bundle, self._askers = bundle, askers_of(bundle, self.policy)
        now = self.clock()
        if now - self._looked >= LOOK_SECONDS:
            self._looked, self._spent = now, self.spent(self._prices())
        return Market(self._askers, self._spent)

    def _prices(self) -> dict[str, int]:
        return {name: self.policy.tiers[name].price_micros for name in self.policy.ladder}
