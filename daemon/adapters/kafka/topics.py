"""Looking at topics and making those that are missing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kafka.errors import (
    KafkaError,
    TopicAlreadyExistsError,
    TransactionalIdAuthorizationFailedError,
    for_code,
)

from daemon.adapters.kafka.connection import open_admin
from daemon.adapters.kafka.refusals import explained
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.core.errors import SetupProblem

UNKNOWN_TOPIC = 3
"""Kafka's error code for a topic that does not exist."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the broker describes it.

    `id` is new for each topic made, even under an old name; `problem` says what is wrong, or is None.
    """

    name: str
    id: str
    partitions: int
    problem: str | None = None


def ping(settings: KafkaSettings, timeout: float) -> None:
    """Connect and disconnect. Raises SetupProblem if no broker answers within `timeout` seconds."""
    open_admin(settings, timeout).close()


def describe(settings: KafkaSettings) -> list[TopicState]:
    """All configured topics as they are now. Raises SetupProblem if the broker cannot be reached."""
    admin = open_admin(settings)
    try:
        return describe_with(admin, settings.topics.all())
    except KafkaError as error:  # the broker was reached at one address, and tells of another
        raise explained(settings, error, (), settings.connect_seconds) from error
    finally:
        admin.close()


def describe_with(admin: Any, names: Sequence[str]) -> list[TopicState]:
    """These topics, in this order. Raises KafkaError when the broker does not answer."""
    found = {topic["name"]: topic for topic in admin.describe_topics(list(names))}
    return [_state(name, found.get(name)) for name in names]


def check_topics(settings: KafkaSettings) -> list[str]:
    """What is wrong with the configured topics and what to do, one sentence each; empty if nothing is.

    Raises SetupProblem if the broker cannot be reached.
    """
    return [state.problem for state in describe(settings) if state.problem]


def publishing_refused(settings: KafkaSettings) -> bool:
    """Whether the broker says that we may not use the transactional id that labels are published under.

    It is asked about the id, which needs the right Describe that Write brings along; nothing is claimed, so
    that whoever publishes now is let be. Raises SetupProblem if the broker cannot be reached.
    """
    admin = open_admin(settings)
    try:
        admin.describe_transactions([settings.publishing_id])
    except TransactionalIdAuthorizationFailedError:
        return True
    except KafkaError:  # nobody has published yet, the coordinator is starting, an old broker
        return False
    finally:
        admin.close()
    return False


def create_topics(settings: KafkaSettings) -> list[str]:
    """Make the configured topics that are missing; existing ones are left as they are.

    Returns:
        Names of the topics made, ready to be used.

    Raises:
        SetupProblem: the broker cannot be reached or refuses.
    """
    admin = open_admin(settings)
    try:
        names = settings.topics.all()
        missing = [s.name for s in describe_with(admin, names) if s.problem]
        made = [name for name in missing if _create(admin, name, settings.partitions)]
        admin.wait_for_topics(list(names))
        return made
    except KafkaError as error:
        raise SetupProblem(
            f"kafka.topics: the broker at {settings.bootstrap} did not make the missing topics ({error});"
            " make them by hand, or allow this user to create topics"
        ) from error
    finally:
        admin.close()


def _create(admin: Any, name: str, partitions: int) -> bool:
    try:
        admin.create_topics({name: {"num_partitions": partitions}})
    except TopicAlreadyExistsError:  # somebody else made it meanwhile
        return False
    return True


def _state(name: str, found: dict[str, Any] | None) -> TopicState:
    code = found["error_code"] if found else UNKNOWN_TOPIC
    if code == UNKNOWN_TOPIC or found is None:
        return TopicState(
            name, "", 0, f"topic {name!r} does not exist; make it, or set kafka.create_topics to true"
        )
    if code != 0:
        return TopicState(name, "", 0, f"topic {name!r}: the broker says {for_code(code).__name__}")
    return TopicState(name, str(uuid.UUID(str(found["topic_id"]))), len(found["partitions"]))
