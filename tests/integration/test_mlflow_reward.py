"""The registered reward model rates responses and compares pairs, loaded where Labelloop is not installed."""

import json
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE
from training_runs import example_run

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_settings import MlflowSettings
from labeling_functions.task import PREFERENCE, PREFERENCE_CLASSES, Task
from models.bundle import Bundle
from models.classifier import LinearHead
from models.encoder import SentenceEncoder
from models.pair_features import PairEncoder

ENCODER = "all-MiniLM-L6-v2"
PROMPT = "How do I boil an egg?"
GOOD, BAD = "Put it into boiling water for eight minutes.", "I am sorry, I cannot help with that"

LOADING = """
import json, sys, mlflow
from mlflow.exceptions import MlflowException
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[2]}@champion")
import models
try:
    model.predict([{"prompt": "p", "answer": "a"}])
    refused = ""
except MlflowException as problem:
    refused = str(problem)
print(json.dumps([model.predict(json.loads(sys.argv[3])), model.predict([]), refused, models.__file__]))
"""


def head() -> LinearHead:
    """Likes what is like GOOD, in embedding and style."""
    encoder = PairEncoder(SentenceEncoder(ENCODER))
    good, bad = encoder.responses([PROMPT, PROMPT], [GOOD, BAD])
    half = (good - bad) / 2
    return LinearHead(np.stack([half, -half, 0 * half]), np.array([0, 0, -1], np.float32))


@pytest.fixture(scope="module")
def said(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """What the champion says: of rows, of none, and why it refuses a wrong row; and where its code is."""
    task = Task(f"pairs {uuid.uuid4().hex[:8]}", PREFERENCE_CLASSES, PREFERENCE)
    registry = MlflowRegistry(MlflowSettings(mlflow_server.uri), task)
    untrained = Bundle.from_priors(PREFERENCE_CLASSES, {"expert": 0.9})
    bundle = replace(untrained, head=head(), encoder=f"pairs:{ENCODER}")
    run = example_run(
        bundle.to_bytes(), bundle.encoder, classes=PREFERENCE_CLASSES, confusion=np.eye(3, dtype=int)
    )
    registry.set_champion(str(registry.log_training(run).model_version))
    rows = [
        {"prompt": PROMPT, "response": GOOD},
        {"prompt": PROMPT, "response_a": GOOD, "response_b": BAD},
        {"prompt": PROMPT, "response": BAD},
        {"prompt": PROMPT, "response_a": BAD, "response_b": GOOD},
    ]
    done = subprocess.run(
        [sys.executable, "-c", LOADING, registry.uri, registry.model_name, json.dumps(rows)],
        cwd=tmp_path_factory.mktemp("elsewhere"),
        capture_output=True,
        text=True,
        timeout=300 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def test_responses_get_rewards_and_pairs_probabilities_in_the_order_of_the_rows(
    said: tuple[Any, ...],
) -> None:
    good, forth, bad, back = said[0]
    assert list(good) == list(bad) == ["reward"]
    assert (forth["label"], back["label"]) == ("A", "B")
    assert list(forth["probabilities"]) == list(PREFERENCE_CLASSES)
    assert sum(forth["probabilities"].values()) == pytest.approx(1)
    assert forth["preference"] == pytest.approx(
        forth["probabilities"]["A"] + forth["probabilities"]["tie"] / 2
    )


def test_probabilities_follow_from_rewards(said: tuple[Any, ...]) -> None:
    good, forth, bad, back = said[0]
    odds = forth["probabilities"]["A"] / forth["probabilities"]["B"]
    assert np.log(odds) == pytest.approx(good["reward"] - bad["reward"], abs=0.05)
    assert forth["preference"] == pytest.approx(1 - back["preference"], abs=1e-3)


def test_no_rows_are_no_answers_and_wrong_ones_are_refused(said: tuple[Any, ...]) -> None:
    assert said[1] == []
    assert "row 0 has answer, prompt; a row has prompt and response" in said[2]


def test_it_runs_on_the_source_that_it_carries(said: tuple[Any, ...]) -> None:
    assert Path(said[3]).parents[1].name == "code"
