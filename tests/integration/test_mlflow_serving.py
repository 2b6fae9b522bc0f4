"""The registered model answers for plain texts: in Python, and served by MLflow's own command."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from mlflow_fixtures import end_group
from patience import PATIENCE
from training_runs import CLASSES, example_run

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_settings import MlflowSettings
from daemon.adapters.starting import free_port
from labeling_functions.task import Task
from models.bundle import Bundle
from models.classifier import LinearHead
from models.encoder import SentenceEncoder

ENCODER = "all-MiniLM-L6-v2"
HAM, SPAM = "See you at home for dinner, love", "You have won a prize! Call now to claim your award"


@pytest.fixture(scope="module")
def expected() -> dict[str, list[float]]:
    """What encoder and head say without MLflow."""
    vectors = SentenceEncoder(ENCODER).encode([HAM, SPAM])
    probabilities = head(vectors).predict_proba(vectors)
    return {HAM: probabilities[0].tolist(), SPAM: probabilities[1].tolist()}


def head(vectors: Any) -> LinearHead:
    """Says ham near the first vector, spam near the second."""
    return LinearHead(8 * np.asarray(vectors, np.float32), np.zeros(2, np.float32))


@pytest.fixture(scope="module")
def champion(mlflow_server: MlflowServer) -> MlflowRegistry:
    """A registry whose champion is the second of two versions."""
    registry = MlflowRegistry(
        MlflowSettings(mlflow_server.uri), Task(f"sms spam {uuid.uuid4().hex[:8]}", CLASSES)
    )
    untrained = Bundle.from_priors(CLASSES, {"expert": 0.98})
    vectors = SentenceEncoder(ENCODER).encode([HAM, SPAM])
    wrong = replace(untrained, head=head(vectors[::-1]), encoder=ENCODER)
    right = replace(untrained, head=head(vectors), encoder=ENCODER)
    for bundle in (wrong, right):
        logged = registry.log_training(example_run(bundle.to_bytes(), ENCODER))
        registry.set_champion(str(logged.model_version))
    return registry


LOADING = """
import json, sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
classifier = mlflow.pyfunc.load_model(f"models:/{sys.argv[2]}@champion")
import models
print(json.dumps([classifier.predict(sys.argv[3:]), models.__file__]))
"""


def test_it_loads_elsewhere_with_the_source_that_it_carries(
    champion: MlflowRegistry, expected: dict[str, list[float]], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADING, champion.uri, champion.model_name, HAM, SPAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    predictions, source = json.loads(done.stdout.splitlines()[-1])
    assert [one["label"] for one in predictions] == ["ham", "spam"]
    for text, one in zip((HAM, SPAM), predictions, strict=True):
        assert list(one["probabilities"].values()) == pytest.approx(expected[text], abs=1e-4)
    assert Path(source).parents[1].name == "code"


@pytest.fixture(scope="module")
def served(champion: MlflowRegistry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of `mlflow models serve` for the champion."""
    folder = tmp_path_factory.mktemp("serve")
    address, log = f"http://127.0.0.1:{free_port()}", folder / "serve.log"
    uri = f"models:/{champion.model_name}@champion"
    where = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2]]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local", *where],
            cwd=folder,
            env={
                **os.environ,
                "MLFLOW_TRACKING_URI": champion.uri,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_served(address, process, log)
        yield address
    finally:
        end_group(process)


def _wait_until_served(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 120 * PATIENCE
    while True:
        try:
            with urlopen(f"{address}/health", timeout=5):
                return
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"the model is not served:\n{log.read_text(errors='replace')[-2_000:]}")
            time.sleep(0.2)


def ask(address: str, body: object) -> Any:
    request = Request(
        f"{address}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=30 * PATIENCE) as reply:
        return json.load(reply)["predictions"]


def test_the_champion_is_served_for_plain_texts(served: str, expected: dict[str, list[float]]) -> None:
    ham, spam = ask(served, {"inputs": [HAM, SPAM]})
    assert (ham["label"], spam["label"]) == ("ham", "spam")
    assert list(spam["probabilities"]) == list(CLASSES)
    assert list(spam["probabilities"].values()) == pytest.approx(expected[SPAM], abs=1e-4)
    assert ask(served, {"inputs": []}) == []


@pytest.mark.parametrize("body", [{"inputs": "one text"}, {"inputs": [1, 2]}, {"texts": [HAM]}])
def test_anything_but_a_list_of_texts_is_refused(served: str, body: object) -> None:
    with pytest.raises(HTTPError) as refused:
        ask(served, body)
    refused.value.close()
    assert refused.value.code == 400
