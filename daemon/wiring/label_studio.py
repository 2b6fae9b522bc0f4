"""`labelloop label-studio`: the ML backend through which a Label Studio shows our predictions."""

import threading
import time
from collections.abc import Sequence

import uvicorn

from daemon.adapters.outside.label_studio.predictions import create_backend
from daemon.adapters.store.engine import Database
from daemon.adapters.store.learning import LearningRoom
from daemon.core.errors import SetupProblem
from daemon.core.needed_secrets import needed_secret
from daemon.wiring import parts
from daemon.wiring.config import Config
from labeling_functions.label_space import LabelSpace
from labeling_functions.task import CLASSIFICATION, MULTILABEL, RATING
from models.encoder import SentenceEncoder
from models.serving import ServedHeads

KINDS = (CLASSIFICATION, MULTILABEL, RATING)
FOLLOW_SECONDS = 5.0


class Predictor:
    """Predicts with the classifier of the current bundle; many threads may call it."""

    def __init__(self, database: Database, space: LabelSpace, encoder: SentenceEncoder) -> None:
        self._learning = LearningRoom(database)
        self._space = space
        self._encoder = encoder
        self._lock = threading.Lock()
        self._known: int | None = None
        self._heads: ServedHeads | None = None
        self._looked = float("-inf")

    def __call__(self, texts: Sequence[str]) -> list[tuple[int, float]] | None:
        """Label of each text, and how likely it is right; None while there is no classifier."""
        with self._lock:
            heads = self._current()
            if heads is None:
                return None
            vectors = self._encoder.encode(list(texts))
        if self._space.sets:
            told = [(one["label"], one["probabilities"]) for one in heads.label_sets(vectors)]
            labels = [(self._space.label_of(names), list(p.values())) for names, p in told]
            return [(label, self._space.sureness(label, likely)) for label, likely in labels]
        found = heads.label(vectors)
        return [(self._space.label_of(one["label"]), one["probabilities"][one["label"]]) for one in found]

    def _current(self) -> ServedHeads | None:
        if time.monotonic() - self._looked < FOLLOW_SECONDS:
            return self._heads
        self._looked = time.monotonic()
        newer = self._learning.current_bundle(self._known)
        if newer is not None:
            self._known = newer.id
            try:
                self._heads = ServedHeads.of_bytes(newer.data)
            except ValueError:  # trained without a classifier
                self._heads = None
        return self._heads


def main(config: Config) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        SetupProblem: the task cannot be predicted from one text, there is no encoder, or no token is set.
    """
    if config.task.kind not in KINDS or config.encoder is None:
        raise SetupProblem(
            f"label-studio: predictions are of tasks of one text ({', '.join(KINDS)}) with an encoder"
        )
    settings = config.label_studio
    token = needed_secret(
        "label_studio.predictions_token_env",
        settings.predictions_token_env,
        "a long random token of your choice, which Label Studio is given as the model's password",
    )
    encoder = SentenceEncoder(config.encoder, config.encoding.precision, config.encoding.batch_tokens)
    database = parts.open_database(config)
    try:
        space = config.task.space
        app = create_backend(space, config.task.is_ordered, Predictor(database, space, encoder), token)
        host, port = settings.predictions_host, settings.predictions_port
        uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, server_header=False)
    finally:
        database.close()
