"""The reward model that MLflow serves: MLflow runs this file when it loads a version. Import it nowhere.

The version carries this file, the package `models` and the bundle: nothing is unpickled.
"""

from pathlib import Path
from typing import Any, TypedDict

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from models.bundle import Bundle
from models.encoder import SentenceEncoder
from models.pair_classifier import reward_weights
from models.pair_features import PREFIX, PairEncoder
from models.soft_preferences import soft_preferences

RESPONSE = {"prompt", "response"}
PAIR = {"prompt", "response_a", "response_b"}


class Rated(TypedDict):
    """What is said of one response."""

    reward: float


class Compared(TypedDict):
    """What is said of one pair."""

    label: str
    preference: float
    probabilities: dict[str, float]


class RewardModel(PythonModel):  # type: ignore[misc]
    """Encoder and head of one bundle: responses in, rewards out; pairs in, probabilities out."""

    def load_context(self, context: Any) -> None:
        """Read the bundle and load its encoder, so that the first request is as fast as the others."""
        bundle = Bundle.from_bytes(Path(context.artifacts["bundle"]).read_bytes())
        if bundle.head is None or bundle.encoder is None:
            raise ValueError("this version's bundle has no reward model; it cannot be served")
        self.classes = bundle.classes
        self.head = bundle.head
        self.encoder = PairEncoder(SentenceEncoder(bundle.encoder.removeprefix(PREFIX)))
        self.encoder.responses([""], ["warm-up"])

    def predict(self, model_input: list[dict[str, str]]) -> list[Rated | Compared]:
        """Rewards for rows of `prompt, response`, probabilities for rows of `prompt, response_a, response_b`.

        Rewards are in log-odds, ties aside; only the difference between responses to one prompt means
        anything. `preference` is P(A) + P(tie) / 2.
        """
        for place, row in enumerate(model_input):
            if set(row) not in (RESPONSE, PAIR):
                raise MlflowException.invalid_parameter_value(
                    f"row {place} has {', '.join(sorted(row)) or 'nothing'}; a row has prompt and response, "
                    "or prompt, response_a and response_b"
                )
        rewards = iter(self._rewards([row for row in model_input if set(row) == RESPONSE]))
        compared = iter(self._compared([row for row in model_input if set(row) == PAIR]))
        return [next(rewards) if set(row) == RESPONSE else next(compared) for row in model_input]

    def _rewards(self, rows: list[dict[str, str]]) -> list[Rated]:
        if not rows:
            return []
        features = self.encoder.responses([row["prompt"] for row in rows], [row["response"] for row in rows])
        return [{"reward": float(reward)} for reward in features @ reward_weights(self.head)]

    def _compared(self, rows: list[dict[str, str]]) -> list[Compared]:
        if not rows:
            return []
        prompts, first, second = (
            [row[name] for row in rows] for name in ("prompt", "response_a", "response_b")
        )
        proba = self.head.predict_proba(self.encoder.pairs(prompts, first, second))
        return [
            {
                "label": self.classes[int(row.argmax())],
                "preference": float(preference),
                "probabilities": dict(zip(self.classes, map(float, row), strict=True)),
            }
            for row, preference in zip(proba, soft_preferences(proba), strict=True)
        ]


mlflow.models.set_model(RewardModel())
