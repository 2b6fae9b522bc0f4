"""The model of two texts that MLflow serves. MLflow runs this file to load a version: import it nowhere.

The version carries this file, what it needs of the package `models`, and the bundle: nothing is unpickled.
"""

from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from models.encoder import SentenceEncoder
from models.serving import Prediction, ServedHeads, odd_row
from models.text_pairs import PREFIX, TwoTextEncoder

SIDES = ("left", "right")


class Matcher(PythonModel):  # type: ignore[misc]
    """Encoder and classifier of one bundle: two texts in, label and probabilities out."""

    def load_context(self, context: Any) -> None:
        """Read the bundle and load its encoder, so that the first request is as fast as the others."""
        self.served = ServedHeads.read(context.artifacts["bundle"])
        self.encoder = TwoTextEncoder(SentenceEncoder(self.served.encoder.removeprefix(PREFIX)))
        self.encoder.encode(["warm-up"], ["warm-up"])

    def predict(self, model_input: list[dict[str, str]]) -> list[Prediction]:
        """Label of each row of `left, right`, and the probability of each class."""
        if not model_input:
            return []
        if wrong := odd_row(model_input, [SIDES]):
            raise MlflowException.invalid_parameter_value(wrong)
        left, right = ([row[side] for row in model_input] for side in SIDES)
        return self.served.label(self.encoder.encode(left, right))


mlflow.models.set_model(Matcher())
