"""Chance: what every other strategy has to beat."""

from models.arrays import I8
from models.query_strategy.pool import Pool, random_order


def random_choice(pool: Pool, count: int, seed: int) -> I8:
    """Rows drawn without replacement."""
    return random_order(pool.free, seed)[: max(count, 0)]
