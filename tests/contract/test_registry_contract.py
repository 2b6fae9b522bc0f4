"""What the learner relies on, of the registry in memory and of MLflow."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from socket import socket
from typing import Any

import pytest
from mlflow_fixtures import mlflow_server
from training_runs import CLASSES, example_run

from daemon.adapters.fake_registry import FakeRegistry
from daemon.core.errors import RegistryUnavailable, SetupProblem
from daemon.core.ports import Registry
from labeling_functions.task import Task

__all__ = ["mlflow_server"]


@pytest.fixture(params=["memory", "mlflow"])
def registry(request: pytest.FixtureRequest) -> Registry:
    """An empty registry."""
    if request.param == "memory":
        return FakeRegistry()
    return _mlflow(request.getfixturevalue("mlflow_server").uri)


@pytest.fixture(params=["memory", "mlflow"])
def dead_registry(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry that is out of order."""
    if request.param == "memory":
        fake = FakeRegistry()
        fake.down = True
        yield fake
        return
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with closing(socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield _mlflow(f"http://127.0.0.1:{reserved.getsockname()[1]}")


def _mlflow(uri: str) -> Registry:
    from daemon.adapters.mlflow_registry import MlflowRegistry
    from daemon.adapters.mlflow_settings import MlflowSettings

    return MlflowRegistry(MlflowSettings(uri), Task(f"task-{uuid.uuid4().hex[:8]}", CLASSES))


def test_a_registry_that_answers_passes_the_check(registry: Registry) -> None:
    registry.ping()


def test_there_is_no_champion_before_the_first(registry: Registry) -> None:
    assert registry.champion() is None
    registry.log_training(example_run())
    assert registry.champion() is None


def test_each_run_with_a_head_is_a_version_of_its_own(registry: Registry) -> None:
    first, second = registry.log_training(example_run()), registry.log_training(example_run())
    assert (first.model_version, second.model_version) == ("1", "2")
    assert first.run_id != second.run_id
    assert first.run_id in first.url


def test_a_run_without_a_head_is_logged_but_no_version(registry: Registry) -> None:
    logged = registry.log_training(example_run(encoder=None))
    assert logged.run_id
    assert logged.model_version is None
    assert registry.log_training(example_run()).model_version == "1"


def test_the_champion_is_the_one_set_last(registry: Registry) -> None:
    for _ in range(2):
        registry.log_training(example_run())
    for version in ("1", "2", "1"):
        registry.set_champion(version)
        assert registry.champion() == version


def test_a_version_that_was_never_made_cannot_be_champion(registry: Registry) -> None:
    with pytest.raises(RegistryUnavailable):
        registry.set_champion("41")


def test_the_check_of_a_dead_registry_says_so(dead_registry: Registry) -> None:
    with pytest.raises(SetupProblem):
        dead_registry.ping()


@pytest.mark.parametrize(
    "call",
    [
        lambda registry: registry.log_training(example_run()),
        lambda registry: registry.set_champion("1"),
        lambda registry: registry.champion(),
    ],
    ids=["log_training", "set_champion", "champion"],
)
def test_an_outage_has_one_name(dead_registry: Registry, call: Callable[[Registry], Any]) -> None:
    with pytest.raises(RegistryUnavailable):
        call(dead_registry)
