"""What the registry sends to MLflow, where no server is needed to tell."""

import re

import pytest
from training_runs import CLASSES, example_run

from daemon.adapters import mlflow_model, mlflow_registry
from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.mlflow_settings import MlflowSettings
from daemon.core.errors import SetupProblem
from labeling_functions.task import Task


def test_without_an_address_it_says_which_key_is_missing() -> None:
    with pytest.raises(SetupProblem, match=r"mlflow\.uri"):
        MlflowRegistry(MlflowSettings(), Task("spam", CLASSES))


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("recall/spam", "recall/spam"),
        ("recall/naïve", "recall/naïve"),
        ("recall/a+b", "recall/a_b"),
        ("recall/", "recall_"),
        ("recall/..", "recall___"),
        ("/etc", "_etc"),
        ("share (%)", "share ___"),
    ],
)
def test_names_are_made_so_that_mlflow_takes_them(name: str, sent: str) -> None:
    assert mlflow_registry._keys({name: 1.0}) == {sent: 1.0}


def test_names_that_become_equal_stay_apart() -> None:
    assert list(mlflow_registry._keys({"a+": 1, "a?": 2, "a_": 3}).values()) == [1, 2, 3]


def test_a_long_summary_is_cut_at_a_line_and_says_so() -> None:
    table = [{"function": f"a_function_with_a_long_name_{i}", "coverage": 0.1} for i in range(300)]
    note = mlflow_registry._note(example_run(function_table=table))
    assert len(note) <= 8_000
    assert note.endswith("|\n\n(cut; the whole is in summary.md)")


def test_requirements_are_pinned_and_can_be_had_from_an_index() -> None:
    pins = mlflow_model.requirements()
    assert any(pin.startswith("sentence-transformers==") for pin in pins)
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", pin) for pin in pins)
