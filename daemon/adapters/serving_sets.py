"""The model of sets of classes that MLflow serves; it runs this file to load a version. Import it nowhere.

The version carries this file, what it needs of the package `models`, and the bundle: nothing is unpickled.
"""

from typing import Any

import mlflow
from mlflow.pyfunc import PythonModel

from models.encoder import SentenceEncoder
from models.serving import ServedHeads, SetPrediction


class SetClassifier(PythonModel):  # type: ignore[misc]
    """Encoder and classifiers of one bundle: texts in, the classes that apply and their probabilities out."""

    def load_context(self, context: Any) -> None:
        """Read the bundle and load its encoder, so that the first request is as fast as the others."""
        self.served = ServedHeads.read(context.artifacts["bundle"])
        self.encoder = SentenceEncoder(self.served.encoder)
        self.encoder.encode(["warm-up"])

    def predict(self, model_input: list[str]) -> list[SetPrediction]:
        """Classes that apply to each text, and the probability of each class that it does."""
        return self.served.label_sets(self.encoder.encode(model_input)) if model_input else []


mlflow.models.set_model(SetClassifier())
