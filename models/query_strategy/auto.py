"""Coverage while little is known, then coverage of doubt, then doubt: each where it measured best."""

from models.arrays import I8
from models.query_strategy.herding import herding
from models.query_strategy.margin_clusters import margin_clusters
from models.query_strategy.pool import Pool
from models.query_strategy.uncertainty_herding import uncertainty_herding


def cold_start(n_classes: int) -> int:
    """Labels before which a posterior's doubts are not worth asking about."""
    return max(20, 4 * n_classes)


def warm(n_classes: int) -> int:
    """Labels from which on doubt alone says what to ask about."""
    return max(50, 10 * n_classes)


def auto(pool: Pool, count: int, seed: int) -> I8:
    """Herding below max(20, 4K) labels, uncertainty herding below max(50, 10K), then margin clusters."""
    known = int(pool.labeled.sum())
    if known < cold_start(pool.n_classes):
        return herding(pool, count, seed)
    if known < warm(pool.n_classes):
        return uncertainty_herding(pool, count, seed)
    return margin_clusters(pool, count, seed)
