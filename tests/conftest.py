"""Fixtures and reporting shared by all tests."""

import gc
import os
import sys
from collections.abc import Iterator

import hypothesis
import pytest
from database_fixtures import (
    clock,
    database,
    empty_postgres,
    empty_url,
    migrated_postgres,
    postgres_of_a_module,
    postgres_server,
    postgres_url,
    sqlite_url,
)
from groups import pytest_xdist_make_scheduler
from kafka_fixtures import broker_name, kafka, restartable_apache_kafka
from mturk_fixtures import turk
from patience import give_time
from require_parts import pytest_runtest_makereport
from shared_kafka import pytest_configure_node, pytest_xdist_setupnodes

__all__ = [
    "clock",
    "database",
    "empty_postgres",
    "empty_url",
    "kafka",
    "migrated_postgres",
    "postgres_of_a_module",
    "postgres_server",
    "postgres_url",
    "pytest_configure_node",
    "pytest_runtest_makereport",
    "pytest_xdist_make_scheduler",
    "pytest_xdist_setupnodes",
    "restartable_apache_kafka",
    "sqlite_url",
    "turk",
]

# Tests start the program hundreds of times; compiling it anew each time would be a fifth of that.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

hypothesis.settings.register_profile(
    "same",
    derandomize=True,  # what fails once fails again
    deadline=None,  # a busy machine is no fault of the code
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "explore", hypothesis.settings.get_profile("same"), derandomize=False, max_examples=2_000
)
hypothesis.settings.load_profile("same")


def pytest_report_header() -> str:
    """Says which Kafka the tests of this run talk to."""
    return f"kafka: {broker_name()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says it again where it is seen with -q, which leaves the header out."""
    terminalreporter.write_line(f"Kafka tests ran on: {broker_name()}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what only Apache Kafka serves on the embedded broker, and lengthens deadlines beside others."""
    for item in items:
        give_time(item)
    if broker_name().startswith("embedded"):
        skip = pytest.mark.skip(reason="needs Apache Kafka; this run uses the embedded broker")
        for item in items:
            if item.get_closest_marker("kafka_only"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def _nothing_left_of_commands() -> Iterator[None]:
    """Commands called in this process tell their children how to log, and put its objects out of reach of the
    collector; the next test starts without either.
    """
    yield
    gc.unfreeze()
    for name in ("LABELLOOP_LOG_LEVEL", "LABELLOOP_LOG_JSON"):
        os.environ.pop(name, None)
