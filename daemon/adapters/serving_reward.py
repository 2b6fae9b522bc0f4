"""The reward model that MLflow serves: MLflow runs this file when it loads a version. Import it nowhere.

The version carries this file, what it needs of the package `models`, and the bundle: nothing is unpickled.
"""

from typing import Any, TypedDict

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from models.encoder import SentenceEncoder
from models.pair_classifier import reward_weights
from models.pair_features import PREFIX, PairEncoder
from models.serving import Prediction, ServedHeads, odd_row
from models.soft_preferences import soft_preferences

RESPONSE = ("prompt", "response")
PAIR = ("prompt", "response_a", "response_b")


class Rated(TypedDict):
    """What is said of one response."""

    reward: float


class Compared(Prediction):
    """What is said of one pair."""

    preference: float


class RewardModel(PythonModel):  # type: ignore[misc]
    """Encoder and head of one bundle: responses in, rewards out; pairs in, probabilities out."""

    def load_context(self, context: Any) -> None:
        """Read the bundle and load its encoder, so that the first request is as fast as the others."""
        self.served = ServedHeads.read(context.artifacts["bundle"])
        self.encoder = PairEncoder(SentenceEncoder(self.served.encoder.removeprefix(PREFIX)))
        self.encoder.responses([""], ["warm-up"])

    def predict(self, model_input: list[dict[str, str]]) -> list[Rated | Compared]:
        """Rewards for rows of `prompt, response`, probabilities for rows of `prompt, response_a, response_b`.

        Rewards are in log-odds, ties aside; only the difference between responses to one prompt means
        anything. `preference` is P(A) + P(tie) / 2.
        """
        if wrong := odd_row(model_input, [RESPONSE, PAIR]):
            raise MlflowException.invalid_parameter_value(wrong)
        alone = [set(row) == set(RESPONSE) for row in model_input]
        rows = list(zip(model_input, alone, strict=True))
        rewards = iter(self._rewards([row for row, single in rows if single]))
        compared = iter(self._compared([row for row, single in rows if not single]))
        return [next(rewards) if single else next(compared) for single in alone]

    def _rewards(self, rows: list[dict[str, str]]) -> list[Rated]:
        if not rows:
            return []
        features = self.encoder.responses([row["prompt"] for row in rows], [row["response"] for row in rows])
        return [{"reward": float(reward)} for reward in features @ reward_weights(self.served.head)]

    def _compared(self, rows: list[dict[str, str]]) -> list[Compared]:
        if not rows:
            return []
        features = self.encoder.pairs(*([row[name] for row in rows] for name in PAIR))
        preferences = soft_preferences(self.served.head.predict_proba(features))
        return [
            {**said, "preference": float(preference)}
            for said, preference in zip(self.served.label(features), preferences, strict=True)
        ]


mlflow.models.set_model(RewardModel())
