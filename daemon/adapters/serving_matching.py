"""The model of two texts that MLflow serves. MLflow runs this file to load a version: import it nowhere.

The version carries this file, the package `models` and the bundle: nothing is unpickled.
"""

from pathlib import Path
from typing import Any, TypedDict

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from models.bundle import Bundle
from models.encoder import SentenceEncoder
from models.text_pairs import PREFIX, TwoTextEncoder

SIDES = {"left", "right"}


class Prediction(TypedDict):
    """What is said of two texts."""

    label: str
    probabilities: dict[str, float]


class Matcher(PythonModel):  # type: ignore[misc]
    """Encoder and classifier of one bundle: two texts in, label and probabilities out."""

    def load_context(self, context: Any) -> None:
        """Read the bundle and load its encoder, so that the first request is as fast as the others."""
        bundle = Bundle.from_bytes(Path(context.artifacts["bundle"]).read_bytes())
        if bundle.head is None or bundle.encoder is None:
            raise ValueError("this version's bundle has no classifier; it cannot be served")
        self.classes = bundle.classes
        self.head = bundle.head
        self.encoder = TwoTextEncoder(SentenceEncoder(bundle.encoder.removeprefix(PREFIX)))
        self.encoder.encode(["warm-up"], ["warm-up"])

    def predict(self, model_input: list[dict[str, str]]) -> list[Prediction]:
        """Label of each row of `left, right`, and the probability of each class."""
        if not model_input:
            return []
        for place, row in enumerate(model_input):
            if set(row) != SIDES:
                raise MlflowException.invalid_parameter_value(
                    f"row {place} has {', '.join(sorted(row)) or 'nothing'}; a row has left and right"
                )
        left, right = ([row[side] for row in model_input] for side in ("left", "right"))
        return [
            {
                "label": self.classes[int(row.argmax())],
                "probabilities": dict(zip(self.classes, map(float, row), strict=True)),
            }
            for row in self.head.predict_proba(self.encoder.encode(left, right))
        ]


mlflow.models.set_model(Matcher())
