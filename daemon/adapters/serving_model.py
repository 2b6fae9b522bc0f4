"""The model that MLflow serves: MLflow runs this file when it loads a registered version. Import it nowhere.

The version carries this file, the package `models` and the bundle: nothing is unpickled.
"""

from pathlib import Path
from typing import Any, TypedDict

import mlflow
from mlflow.pyfunc import PythonModel

from models.bundle import Bundle
from models.encoder import SentenceEncoder


class Prediction(TypedDict):
    """What is said of one text."""

    label: str
    probabilities: dict[str, float]


class TextClassifier(PythonModel):  # type: ignore[misc]
    """Encoder and classifier of one bundle: texts in, label and probabilities out."""

    def load_context(self, context: Any) -> None:
        """Read the bundle and load its encoder, so that the first request is as fast as the others."""
        bundle = Bundle.from_bytes(Path(context.artifacts["bundle"]).read_bytes())
        if bundle.head is None or bundle.encoder is None:
            raise ValueError("this version's bundle has no classifier; it cannot be served")
        self.classes = bundle.classes
        self.head = bundle.head
        self.encoder = SentenceEncoder(bundle.encoder)
        self.encoder.encode(["warm-up"])

    def predict(self, model_input: list[str]) -> list[Prediction]:
        """Label of each text, and the probability of each class."""
        if not model_input:
            return []
        probabilities = self.head.predict_proba(self.encoder.encode(model_input))
        return [
            {
                "label": self.classes[int(row.argmax())],
                "probabilities": dict(zip(self.classes, (float(p) for p in row), strict=True)),
            }
            for row in probabilities
        ]


mlflow.models.set_model(TextClassifier())
