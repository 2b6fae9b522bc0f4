"""The model that MLflow serves: MLflow runs this file when it loads a registered version. Import it nowhere.

The version carries this file, what it needs of the package `models`, and the bundle: nothing is unpickled.
"""

from typing import Any

import mlflow
from mlflow.pyfunc import PythonModel

from models.encoder import SentenceEncoder
from models.serving import Prediction, ServedHeads


class TextClassifier(PythonModel):  # type: ignore[misc]
    """Encoder and classifier of one bundle: texts in, label and probabilities out."""

    def load_context(self, context: Any) -> None:
        """Read the bundle and load its encoder, so that the first request is as fast as the others."""
        self.served = ServedHeads.read(context.artifacts["bundle"])
        self.encoder = SentenceEncoder(self.served.encoder)
        self.encoder.encode(["warm-up"])

    def predict(self, model_input: list[str]) -> list[Prediction]:
        """Label of each text, and the probability of each class."""
        return self.served.label(self.encoder.encode(model_input)) if model_input else []


mlflow.models.set_model(TextClassifier())
