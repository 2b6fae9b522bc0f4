"""The registered model of two texts, loaded where Labelloop is not installed."""

import json
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from patience import PATIENCE
from training_runs import CLASSES, example_run

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.mlflow_settings import MlflowSettings
from labeling_functions.task import MATCHING, Task
from models.bundle import Bundle
from models.classifier import LinearHead
from models.encoder import SentenceEncoder
from models.text_pairs import TwoTextEncoder

ENCODER = "all-MiniLM-L6-v2"
ROWS = [{"left": "a red lamp", "right": "lamp, red"}, {"left": "a red lamp", "right": "two kettles"}]

LOADING = """
import json, sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[2]}@champion")
print(json.dumps(model.predict(json.loads(sys.argv[3]))))
"""


def test_it_says_of_two_texts_what_encoder_and_head_say(mlflow_server: MlflowServer, tmp_path: Path) -> None:
    registry = MlflowRegistry(
        MlflowSettings(mlflow_server.uri), Task(f"offers {uuid.uuid4().hex[:8]}", CLASSES, MATCHING)
    )
    encoder = TwoTextEncoder(SentenceEncoder(ENCODER))
    vectors = encoder.encode([row["left"] for row in ROWS], [row["right"] for row in ROWS])
    head = LinearHead(8 * np.asarray(vectors, np.float32), np.zeros(2, np.float32))
    bundle = replace(Bundle.from_priors(CLASSES, {"expert": 0.98}), head=head, encoder=encoder.name)
    logged = registry.log_training(example_run(bundle.to_bytes(), encoder.name))
    registry.set_champion(str(logged.model_version))
    done = subprocess.run(
        [sys.executable, "-c", LOADING, registry.uri, registry.model_name, json.dumps(ROWS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for said, expected in zip(json.loads(done.stdout), head.predict_proba(vectors), strict=True):
        assert said["label"] == CLASSES[int(expected.argmax())]
        assert list(said["probabilities"].values()) == pytest.approx(expected.tolist(), abs=1e-4)
