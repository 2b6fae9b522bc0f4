"""Coins that pick what is audited: the money first, then the seed, then the coins.

The budget is asked for more audits than the coins can reasonably pick. Asked for what they did pick, it would
refuse the draws with many audits and let those with few pass: the coins would not be fair any more.
"""

import math
import secrets
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from daemon.adapters.store import budget
from daemon.adapters.store.asking import Caps
from daemon.core.errors import Unaffordable
from daemon.core.window_rows import F8

Toss = Callable[[int, int, F8], NDArray[np.bool_]]
"""Seed, number of coins, (n,) probabilities -> (n,) True where the coin fell on 'audit'."""

DEVIATIONS = 6
"""Standard deviations above the expected number of audits that the budget must be able to pay."""


def most_picked(p: F8) -> int:
    """More than coins of these probabilities will pick, but once in some hundred million draws."""
    spread = math.sqrt(float(p @ (1 - p)))
    return min(len(p), math.ceil(float(p.sum()) + DEVIATIONS * (spread + 1)))


def affordable(connection: Connection, tier: str, price: int, count: int, caps: Caps, now: int) -> int:
    """How many of `count` answers the day's budget can pay. Its row stays locked, nothing is reserved."""
    period = budget.day(now)
    granted = budget.reserve(connection, tier, price, count, caps.get(tier), period)
    budget.give_back(connection, tier, period, granted * price)
    return granted


def check_money(connection: Connection, tier: str, price: int, count: int, caps: Caps, now: int) -> None:
    """Make sure that the day's budget can pay for so many answers.

    Raises:
        Unaffordable: it cannot.
    """
    if affordable(connection, tier, price, count, caps, now) < count:
        raise Unaffordable(f"today's budget of tier {tier!r} cannot pay for {count} answers")


def draw(toss: Toss, p: F8) -> tuple[str, NDArray[np.bool_]]:
    """A fresh seed of 128 bits (hexadecimal), and the (n,) coins that it gives."""
    seed = secrets.randbits(128)
    return f"{seed:032x}", toss(seed, len(p), p)
