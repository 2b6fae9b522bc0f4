"""What a person finds in MLflow after a run was logged."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import socket
from typing import Any

import pytest
from patience import PATIENCE
from training_runs import CLASSES, example_run

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_settings import MlflowSettings
from daemon.core.errors import RegistryUnavailable, SetupProblem
from daemon.core.runs import Logged
from labeling_functions.task import Task


class Seen:
    """A run as MLflow's own client reads it back."""

    def __init__(self, registry: MlflowRegistry, logged: Logged) -> None:
        from mlflow import MlflowClient

        self.logged = logged
        self.client = MlflowClient(registry.uri)
        self.run = self.client.get_run(logged.run_id)

    def artifact(self, path: str, folder: Path) -> bytes:
        """Content of an artifact of the run."""
        return Path(self.client.download_artifacts(self.logged.run_id, path, str(folder))).read_bytes()


def new_registry(uri: str) -> MlflowRegistry:
    return MlflowRegistry(MlflowSettings(uri), Task(f"spam {uuid.uuid4().hex[:8]}", CLASSES))


@pytest.fixture(scope="module")
def registry(mlflow_server: MlflowServer) -> MlflowRegistry:
    return new_registry(mlflow_server.uri)


@pytest.fixture(scope="module")
def seen(registry: MlflowRegistry) -> Seen:
    """One logged run, looked at by many tests."""
    return Seen(registry, registry.log_training(example_run()))


def test_the_run_is_finished_and_in_the_tasks_experiment(registry: MlflowRegistry, seen: Seen) -> None:
    experiment = seen.client.get_experiment(seen.run.info.experiment_id)
    assert (seen.run.info.status, seen.run.info.run_name) == ("FINISHED", "candidate 7")
    assert experiment.name == registry.experiment


def test_parameters_and_metrics_are_there(seen: Seen) -> None:
    assert seen.run.data.params == {"label_model": "dawid_skene", "seed": "0", "target_error": "0.05"}
    assert seen.run.data.metrics["accuracy"] == 0.957
    assert seen.run.data.metrics["recall/spam"] == 0.91
    assert seen.run.data.metrics["promoted"] == 1


def test_the_description_tells_why(seen: Seen) -> None:
    assert "log-loss 0.120 against 0.151" in seen.run.data.tags["mlflow.note.content"]
    assert seen.run.data.tags["labelloop.promoted"] == "true"


def test_the_function_table_can_be_read_as_a_table(seen: Seen, tmp_path: Path) -> None:
    table = json.loads(seen.artifact("functions.json", tmp_path))
    assert table["columns"] == ["function", "coverage", "conflicts", "votes"]
    assert table["data"][3] == ["says_prize_3", 0.13, 0.01, 43]
    assert "functions.json" in seen.run.data.tags["mlflow.loggedArtifacts"]


def test_members_classes_and_changes_are_tables_too(seen: Seen, tmp_path: Path) -> None:
    members = json.loads(seen.artifact("members.json", tmp_path))
    assert members["columns"] == ["member", "weight", "temperature", "log_loss"]
    assert members["data"] == [["hbcc(lam=0.1)", 0.75, 0.4, 0.13]]
    assert json.loads(seen.artifact("classes.json", tmp_path))["data"][1] == ["spam", 0.87]
    assert json.loads(seen.artifact("changes.json", tmp_path))["columns"][1:] == ["champion", "candidate"]


@pytest.mark.parametrize("name", ["confusion", "reliability", "risk_coverage"])
def test_the_plots_are_pictures(seen: Seen, tmp_path: Path, name: str) -> None:
    picture = seen.artifact(f"plots/{name}.png", tmp_path)
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 5_000


def test_the_bundle_comes_back_byte_by_byte(seen: Seen, tmp_path: Path) -> None:
    assert seen.artifact("bundle/bundle.npz", tmp_path) == example_run().bundle


def test_the_data_set_is_an_input_with_its_digest(seen: Seen) -> None:
    (entry,) = seen.run.inputs.dataset_inputs
    assert entry.dataset.digest == ("5f" * 32)[:32]
    assert "topic items" in entry.dataset.source
    assert {tag.key: tag.value for tag in entry.tags}["rows"] == "491"


def test_the_version_points_at_the_run(registry: MlflowRegistry, seen: Seen) -> None:
    version = seen.client.get_model_version(registry.model_name, seen.logged.model_version)
    assert version.run_id == seen.logged.run_id
    assert version.status == "READY"
    assert version.description == example_run().reason


def test_the_model_is_source_and_not_pickled(registry: MlflowRegistry, seen: Seen, tmp_path: Path) -> None:
    version = seen.client.get_model_version(registry.model_name, seen.logged.model_version)
    names = {path.name for path in _download(registry, version, tmp_path).rglob("*") if path.is_file()}
    assert {"MLmodel", "serving_model.py", "bundle.npz", "requirements.txt"} <= names
    assert not {name for name in names if name.endswith((".pkl", ".pickle", ".pyc"))}


def _download(registry: MlflowRegistry, version: Any, folder: Path) -> Path:
    import mlflow

    uri = f"models:/{registry.model_name}/{version.version}"
    return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(folder), tracking_uri=registry.uri))


def test_the_alias_champion_is_what_others_find(registry: MlflowRegistry, seen: Seen) -> None:
    assert seen.logged.model_version is not None
    registry.set_champion(seen.logged.model_version)
    found = seen.client.get_model_version_by_alias(registry.model_name, "champion")
    assert str(found.version) == seen.logged.model_version


def test_values_without_a_number_and_odd_names_do_not_lose_a_run(registry: MlflowRegistry) -> None:
    metrics = {"log_loss": float("nan"), "recall/50 % off?": 0.5, "gain": float("inf")}
    run = example_run(metrics=metrics, function_table=(), encoder=None, parameters={"note": "x" * 9_000})
    seen = Seen(registry, registry.log_training(run))
    assert seen.run.info.status == "FINISHED"
    assert seen.run.data.metrics["recall/50 _ off_"] == 0.5
    assert seen.run.data.metrics["log_loss"] != seen.run.data.metrics["log_loss"]


def test_a_name_that_mlflow_refuses_for_models_is_changed(mlflow_server: MlflowServer) -> None:
    name = f"news/sport: 'who' {uuid.uuid4().hex[:8]}"
    registry = MlflowRegistry(MlflowSettings(mlflow_server.uri), Task(name, CLASSES))
    assert registry.champion() is None
    logged = registry.log_training(example_run())
    registry.set_champion(str(logged.model_version))
    assert registry.champion() == "1"


def test_logging_takes_seconds(registry: MlflowRegistry, seen: Seen) -> None:
    start = time.monotonic()
    registry.log_training(example_run())
    assert (
        time.monotonic() - start < 12 * PATIENCE
    )  # about 1 s on a quiet machine; inferring requirements alone takes 40


@pytest.fixture
def silent_server() -> Iterator[str]:
    """An address where connections are taken and nothing is ever answered."""
    with closing(socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"http://bob:hidden@127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_hangs_does_not_hang_the_learner(
    silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    registry = new_registry(silent_server)
    start = time.monotonic()
    with pytest.raises(RegistryUnavailable, match="no answer in 1 s") as problem:
        registry.log_training(example_run())
    assert time.monotonic() - start < 15 * PATIENCE
    assert "hidden" not in str(problem.value)


def test_a_server_that_is_not_mlflow_is_a_setup_problem(some_page: str) -> None:
    with pytest.raises(SetupProblem, match=r"mlflow\.uri"):
        new_registry(some_page).ping()


@pytest.fixture
def some_page(tmp_path: Path) -> Iterator[str]:
    """Some other web server."""
    import threading
    from functools import partial
    from http.server import HTTPServer, SimpleHTTPRequestHandler

    with HTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
