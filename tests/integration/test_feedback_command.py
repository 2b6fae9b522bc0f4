"""`labelloop learn --compare-feedback` on stored pairs, answers and votes."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from loop_harness import POLICY, Loop, replace
from rows_for_tests import add_annotator, add_answer

from daemon import cli
from daemon.adapters.encoders import Differences
from daemon.adapters.mlflow_server import MlflowServer
from daemon.wiring import compare_feedback, endpoints
from labeling_functions.function import labeling_function
from models.arrays import F4

PAIRS, ANSWERED = 120, 60
CONFIG = """
task: {{name: {name}, kind: {kind}{classes}}}
tiers:
  ai: {{backend: llm, price: 0.01, variants: [judge]}}
  expert: {{final: true, accuracy: 0.9}}
endpoints: {{scripted: {{base_url: "http://127.0.0.1:9/v1"}}}}
llm: {{judge: {{endpoint: scripted, model: m}}}}
database: {{url: "sqlite:///{folder}/loop.db"}}
mlflow: {{uri: {uri}}}
encoder: null
"""


class Stars:
    """A vector by the number of stars in a text."""

    name = "stars"

    def encode(self, texts: Sequence[str]) -> F4:
        stars = np.array([text.count("*") for text in texts], np.float32)
        return np.stack([np.cos(stars / 4), np.sin(stars / 4)], axis=1)


@labeling_function
def silent(_: object) -> int:
    return -1


def fill(folder: Path, answered: int = ANSWERED, judged: int = PAIRS) -> None:
    """Pairs of which the response with more stars is better; a judge that is right three times of four."""
    random = np.random.default_rng(0)
    policy = replace(POLICY, classes=("A", "B", "tie"), kind="preference")
    loop = Loop(folder, policy, functions=(silent,), encoder=Differences(Stars())).start()
    try:
        stars = np.array([random.permutation(6)[:2] for _ in range(PAIRS)])
        truth = np.where(stars[:, 0] > stars[:, 1], 0, 1)
        fields = [
            {"prompt": f"Prompt {i // 2}", "response_a": f"{i}a " + "*" * a, "response_b": f"{i}b " + "*" * b}
            for i, (a, b) in enumerate(stars)
        ]
        loop.send([{"id": f"p{i}", "fields": one} for i, one in enumerate(fields)])
        loop.read()
        judge = add_annotator(loop.database, "ai/judge", "ai", "llm")
        eve = add_annotator(loop.database, "eve")
        for place in range(judged):
            right = truth[place] if random.random() < 0.75 else 1 - truth[place]
            add_answer(loop.database, f"p{place}", judge, int(right))
        for place in range(answered):
            add_answer(loop.database, f"p{place}", eve, int(truth[place]) if place else 2, purpose="gold")
    finally:
        loop.close()


def compare(
    folder: Path, *arguments: str, kind: str = "preference", uri: str = "null", name: str = "pairs"
) -> Result:
    file = folder / "labelloop.yaml"
    classes = "" if kind == "preference" else ", classes: [ham, spam]"
    file.write_text(CONFIG.format(name=name, kind=kind, classes=classes, folder=folder, uri=uri))
    command = ["-q", "learn", "-c", str(file), "--compare-feedback", *arguments]
    return CliRunner().invoke(cli.main, command, env={"COLUMNS": "200"})


@pytest.fixture(autouse=True)
def _one_split(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each split trains fifteen reward models; what is tested here holds of any number."""
    monkeypatch.setattr(compare_feedback, "SPLITS", 1)


def test_human_ai_and_hybrid_feedback_stand_side_by_side(tmp_path: Path) -> None:
    fill(tmp_path)
    shown = compare(tmp_path, "--json")
    assert shown.exit_code == 0, shown.output
    found = json.loads(shown.stdout)
    assert list(found["kinds"]) == ["human", "AI", "hybrid"]
    assert (found["pairs"], found["drawn"], found["ties"]) == (ANSWERED - 1, ANSWERED - 1, 1)
    for figures in found["kinds"].values():
        accuracy = figures["accuracy"]
        assert accuracy["low"] <= accuracy["mean"] <= accuracy["high"]
        assert accuracy["mean"] > 0.7
    assert found["kinds"]["human"]["taught"] == pytest.approx(ANSWERED * 4 / 5, abs=3)
    assert found["kinds"]["AI"]["taught"] == pytest.approx(PAIRS * 4 / 5, abs=1)
    assert [(one["people"], one["models"]) for one in found["kinds"].values()] == [
        (ANSWERED, 0),
        (0, PAIRS),
        (ANSWERED, PAIRS),
    ]
    assert "mlflow.uri" in shown.stderr


def test_it_is_printed_as_a_table_and_logged_with_a_picture(
    tmp_path: Path, mlflow_server: MlflowServer
) -> None:
    import mlflow

    fill(tmp_path)
    name = f"pairs-{uuid.uuid4().hex[:8]}"
    shown = compare(tmp_path, uri=mlflow_server.uri, name=name)
    assert shown.exit_code == 0, shown.output
    assert "hybrid" in shown.stdout and "log-loss" in shown.stdout
    client = mlflow.MlflowClient(mlflow_server.uri)
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id in shown.stderr
    assert 0.7 < run.data.metrics["accuracy/hybrid"] <= 1
    pictures = [one.path for one in client.list_artifacts(run.info.run_id, "plots")]
    assert pictures == ["plots/feedback.png"]
    assert "feedback.json" in [one.path for one in client.list_artifacts(run.info.run_id)]


def test_the_mlflow_of_a_running_up_is_found(tmp_path: Path, mlflow_server: MlflowServer) -> None:
    fill(tmp_path)
    (tmp_path / "state").mkdir()
    endpoints.write(tmp_path / "state", endpoints.MLFLOW, mlflow_server.uri)
    shown = compare(tmp_path, name=f"pairs-{uuid.uuid4().hex[:8]}")
    assert shown.exit_code == 0, shown.output
    assert mlflow_server.uri in shown.stderr


def test_other_kinds_of_task_are_refused(tmp_path: Path) -> None:
    shown = compare(tmp_path, kind="classification")
    assert shown.exit_code != 0
    assert "this task is of kind classification, not preference" in shown.output


def test_too_few_answers_of_people_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, answered=20)
    shown = compare(tmp_path)
    assert shown.exit_code != 0
    assert "experts said A or B about 19 pairs; it takes 30" in shown.output


def test_without_a_judge_there_is_nothing_to_compare(tmp_path: Path) -> None:
    fill(tmp_path, judged=0)
    shown = compare(tmp_path)
    assert shown.exit_code != 0
    assert "no language model has judged a pair" in shown.output
