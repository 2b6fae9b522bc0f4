"""Query strategies by the name that configurations use."""

from models.query_strategy.active_lab import active_lab
from models.query_strategy.auto import auto
from models.query_strategy.entropy import entropy
from models.query_strategy.herding import herding
from models.query_strategy.margin import margin
from models.query_strategy.margin_clusters import margin_clusters
from models.query_strategy.pool import QueryStrategy
from models.query_strategy.random_choice import random_choice
from models.query_strategy.uncertainty_herding import uncertainty_herding

QUERY_STRATEGIES: dict[str, QueryStrategy] = {
    "auto": auto,
    "herding": herding,
    "uncertainty_herding": uncertainty_herding,
    "margin_clusters": margin_clusters,
    "margin": margin,
    "entropy": entropy,
    "active_lab": active_lab,
    "random": random_choice,
}
"""To add one: a file beside this, a line here, its tests, a row in the benchmark."""
