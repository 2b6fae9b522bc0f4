"""The ledger of everything ever released: how many wrong labels there can be, at every moment at once.

Each released label is audited by an independent coin of known probability, tossed after its release. Take
the released labels that are wrong, in the order of their release: X_i says whether the coin of the i-th
picked it. For any theta > 0 the product of

    exp(-theta X_i) / (1 - p (1 - exp(-theta)))

is a martingale that begins at 1, whatever decides which labels are wrong, as long as a label's coin has no
part in it; labels released later may well depend on it. So is the average over several theta. By Ville's
inequality it exceeds 1/delta at any time with probability at most delta (J. Ville: Etude critique de la
notion de collectif, 1939; mixtures: H. Robbins, 1970). After E errors of which k were found it is

    mean over theta of exp(-theta k - E ln(1 - p (1 - exp(-theta))))

which grows with E: the largest E that keeps it within 1/delta bounds the errors, and one may look after
every label and stop whenever one likes.

Probabilities that changed: a coin of p_i >= p has E exp(-theta X_i) <= 1 - p (1 - exp(-theta)), so that
with the least probability used the product is a supermartingale, and Ville's inequality holds for it too.

Found errors: on the event that E <= bound(k) at all times, also E - k <= bound(k) - k at all times. A
correction takes the found ones out of what readers hold, so the remaining ones are what counts. Inside the
window test this is not allowed: it goes through several claims and stops at the first that fails, which
takes delta only once because the first false claim is fixed before the coins. "E_j - k_j > alpha A_j" is
true or false by the coins; with it no single claim is the first false one.

Audits that never came may be counted as found errors: bound(k) - k never falls when k grows, because
exp(-theta) <= 1 - p (1 - exp(-theta)).
"""

import math
from dataclasses import dataclass
from functools import lru_cache

RATES = (0.08, 0.15, 0.3, 0.5, 0.8, 1.3, 2.5)
"""The average's terms: small ones are sharp when many errors were found, large ones when few were."""


@lru_cache(maxsize=65_536)
def anytime_upper_bound(found: int, p: float, delta: float) -> int:
    """Largest number of released errors that is compatible with finding so few, at all times at once.

    With probability at least 1 - delta the true number never exceeds the bound as it stands at the time.

    Args:
        found: errors found by coins so far, 0 or more.
        p: the coins' probability, in (0, 1]; the least one if it changed.
        delta: in (0, 1).

    Raises:
        ValueError: an argument is out of its range.
    """
    if found < 0 or not 0 < p <= 1 or not 0 < delta < 1:
        raise ValueError(f"anytime_upper_bound: found={found}, p={p}, delta={delta} is out of range")
    limit = -math.log(delta)
    low, high = found, max(10, 4 * math.ceil((found + 5) / p))
    while _log_average(found, high, p) <= limit:
        high *= 2
    while high - low > 1:
        middle = (low + high) // 2
        if _log_average(found, middle, p) <= limit:
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is known about all labels released so far.

    Attributes:
        released: labels whose coins are tossed and whose audits are settled.
        found: errors among the audited; audits that never came are to be counted as errors.
        p: least probability that any of the coins had, in (0, 1].
        delta: the bound may fail, ever, with this probability. alpha: share of errors promised.

    Raises:
        ValueError: more errors than labels; a bound's arguments out of range.
    """

    released: int
    found: int
    p: float
    delta: float
    alpha: float

    def __post_init__(self) -> None:
        if not 0 <= self.found <= self.released:
            raise ValueError(f"ledger: {self.found} errors found among {self.released} released labels")
        if not 0 < self.alpha < 1:
            raise ValueError(f"ledger: alpha {self.alpha} must lie between 0 and 1")

    @property
    def bound(self) -> int:
        """Errors among all released labels, found ones included, at most."""
        return min(anytime_upper_bound(self.found, self.p, self.delta), self.released)

    @property
    def remaining(self) -> int:
        """Errors that readers still hold, at most: found ones were corrected by a revision."""
        return self.bound - self.found

    @property
    def share(self) -> float:
        """Remaining errors as a share of the released labels, at most; 0 before anything is released."""
        return self.remaining / self.released if self.released else 0.0

    @property
    def telling(self) -> bool:
        """Whether a flawless ledger of this size would show that alpha is kept; no judgment before that."""
        return anytime_upper_bound(0, self.p, self.delta) <= self.released * self.alpha

    @property
    def suspended(self) -> bool:
        """Whether nothing may be released automatically: it cannot be shown any more that alpha is kept."""
        return self.telling and self.share > self.alpha


def _log_average(found: int, errors: int, p: float) -> float:
    exponents = [-theta * found - errors * math.log1p(p * math.expm1(-theta)) for theta in RATES]
    largest = max(exponents)
    return largest + math.log(math.fsum(math.exp(x - largest) for x in exponents) / len(RATES))
