"""Whom the router may ask: what every tier's answers are worth now, and which have no money left today."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from daemon.core.askers import askers_of
from daemon.core.policy import Policy
from models.bundles import AnyBundle
from models.value import Asker

LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Market:
    """Who may be asked, at what price, and who has no money left today.

    Attributes:
        facets: of each facet T askers, in the order of the policy's ladder: an answer tells about all
            facets, and may be worth more in one than in another.
        spent: tiers whose budget of the day is used up.
    """

    facets: Sequence[Sequence[Asker]]
    spent: frozenset[str] = frozenset()

    @property
    def askers(self) -> Sequence[Asker]:
        """T, for what is the same in all facets: names, prices, and how often each may be asked."""
        return self.facets[0]


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
    _bundle: AnyBundle | None = None
    _facets: tuple[tuple[Asker, ...], ...] = ()
    _looked: float = float("-inf")
    _spent: frozenset[str] = field(default_factory=frozenset)

    def under(self, bundle: AnyBundle) -> Market:
        """The market as this bundle values answers."""
        if bundle is not self._bundle:
            self._bundle = bundle
            self._facets = tuple(askers_of(part, self.policy) for part in bundle.parts)
        now = self.clock()
        if now - self._looked >= LOOK_SECONDS:
            self._looked, self._spent = now, self.spent(self._prices())
        return Market(self._facets, self._spent)

    def _prices(self) -> dict[str, int]:
        return {name: self.policy.tiers[name].price_micros for name in self.policy.ladder}
