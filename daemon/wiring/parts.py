"""Parts that several processes are built from, each made from the configuration."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from daemon.adapters.store.allowance import Allowances
from daemon.adapters.store.binding import bind, refuse_other
from daemon.adapters.store.controls import Controls
from daemon.adapters.store.engine import Database
from daemon.adapters.store.leasing import Hints
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.core.policy import Outputs, Partitions, Policy
from daemon.core.readiness import Answers
from daemon.core.settings import KAFKA
from daemon.wiring.config import SQLITE, Config
from labeling_functions.task import PREFERENCE
from models.bundles import AnyBundle, bundle_from_priors

HEADS = {PREFERENCE: "pairs"}
"""Kind of task -> name of its classifier's head in `models.heads`; `softmax` of other kinds."""


def open_database(config: Config) -> Database:
    """The database, with its tables as this version needs them."""
    if config.database.url is None:
        config.state.mkdir(parents=True, exist_ok=True)
    return _opened(config, Database.migrate, bind)


def look_into(config: Config) -> Database | None:
    """The database for reading alone: nothing is made, updated or bound. None where there is none yet.

    Raises:
        SetupProblem: it cannot be reached, is of another version of this program, or of another task.
    """
    if not has_database(config):
        return None
    return _opened(config, Database.refuse_outdated, refuse_other)


def _opened(
    config: Config,
    see_to_tables: Callable[[Database], None],
    see_to_task: Callable[[Database, Sequence[str], str], object],
) -> Database:
    database = Database(config.database_url)
    try:
        see_to_tables(database)
        see_to_task(database, config.task.classes, config.task.kind)
    except BaseException:
        database.close()
        raise
    return database


def answers(database: Database) -> Answers:
    """Whether the database answers."""
    return Answers("the database", database.ping)


def has_database(config: Config) -> bool:
    """Whether there is a file to open, as opening makes a missing one; servers are taken to be there."""
    url = config.database_url
    return not url.startswith(SQLITE) or Path(url.removeprefix(SQLITE)).exists()


def caps(config: Config) -> Mapping[str, int | None]:
    """Tier -> daily budget in micro-units."""
    return {name: tier.budget_micros for name, tier in config.tiers.items()}


def reports(config: Config, database: Database) -> ReportRoom:
    """What pages and commands show."""
    return ReportRoom(database, caps(config), policy(config).final_tiers)


def allowances(config: Config) -> Allowances:
    """How the tiers' money is let go."""
    final = frozenset(name for name, tier in config.tiers.items() if tier.final)
    return Allowances(caps(config), final, config.routing.pace == "day")


def questions(config: Config, database: Database) -> QuestionRoom:
    """The questions of people, control questions among them."""
    controls = Controls(
        rules={name: tier.controls for name, tier in config.tiers.items()},
        prices={name: tier.question_micros for name, tier in config.tiers.items()},
        final=policy(config).final_tiers,
    )
    capacities = {
        name: tier.capacity_per_day
        for name, tier in config.tiers.items()
        if tier.capacity_per_day is not None
    }
    n_facets, hints = config.task.space.n_facets, Hints.of(config.tiers)
    return QuestionRoom(database, allowances(config), n_facets, controls, capacities, hints)


def policy(config: Config) -> Policy:
    """What decisions go by."""
    task = config.task
    return Policy(task.classes, config.tiers, config.guarantee, config.routing, config.drift, task.kind)


def outputs(config: Config, partitions: Partitions) -> Outputs:
    """Where messages go."""
    topics = config.kafka.topics
    held = frozenset(name for name, tier in config.tiers.items() if tier.backend == KAFKA)
    return Outputs(topics.labels, topics.questions, topics.dead_letters, partitions, held)


def prior_bundle(policy: Policy) -> AnyBundle:
    """What is believed before anything is learned."""
    return bundle_from_priors(policy.classes, policy.space.sets, policy.accuracies)


def holder(kind: str) -> str:
    """A name for this process that no other has."""
    return f"{kind}-{socket.gethostname()}-{os.getpid()}"
