"""The registered model of a multilabel task, loaded where Labelloop is not installed."""

import json
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from patience import PATIENCE
from training_runs import example_run

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_settings import MlflowSettings
from labeling_functions.task import MULTILABEL, Task
from models.classifier import LinearHead
from models.encoder import SentenceEncoder
from models.set_bundle import SetBundle

CLASSES = ("billing", "outage", "praise")
ENCODER = "all-MiniLM-L6-v2"
TEXTS = ["My invoice is wrong", "The site is down since noon", "See you at six"]

LOADING = """
import json, sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[2]}@champion")
print(json.dumps([model.predict(json.loads(sys.argv[3])), model.predict([])]))
"""


def test_it_says_which_classes_apply(mlflow_server: MlflowServer, tmp_path: Path) -> None:
    registry = MlflowRegistry(
        MlflowSettings(mlflow_server.uri), Task(f"tickets {uuid.uuid4().hex[:8]}", CLASSES, MULTILABEL)
    )
    vectors = SentenceEncoder(ENCODER).encode(TEXTS)
    weights = (8 * vectors[0], 8 * (vectors[0] + vectors[1]), 0 * vectors[0])
    heads = [
        LinearHead(np.stack([0 * one, one]).astype(np.float32), np.array([4.0, 0.0], np.float32))
        for one in weights
    ]
    untrained = SetBundle.from_priors(CLASSES, {"expert": 0.98})
    parts = tuple(
        replace(part, head=head, encoder=ENCODER) for part, head in zip(untrained.parts, heads, strict=True)
    )
    bundle = replace(untrained, parts=parts).to_bytes()
    confusion = np.array([[[6, 1], [1, 2]]] * 3)
    logged = registry.log_training(example_run(bundle, ENCODER, classes=CLASSES, confusion=confusion))
    registry.set_champion(str(logged.model_version))
    done = subprocess.run(
        [sys.executable, "-c", LOADING, registry.uri, registry.model_name, json.dumps(TEXTS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said, nothing = json.loads(done.stdout)
    assert nothing == []
    assert [one["label"] for one in said] == [["billing", "outage"], ["outage"], []]
    for row, one in enumerate(said):
        expected = [head.predict_proba(vectors)[row, 1] for head in heads]
        assert list(one["probabilities"]) == list(CLASSES)
        assert list(one["probabilities"].values()) == pytest.approx(expected, abs=1e-4)
    pictures = {file.path for file in registry._client.list_artifacts(logged.run_id, "plots")}
    assert pictures == {"plots/classes.png", "plots/reliability.png", "plots/risk_coverage.png"}
