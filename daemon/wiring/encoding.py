"""The encoder as the configuration wants it: model, cache, what it tells of itself."""

import logging
from dataclasses import dataclass

from daemon.adapters.encoders import ENCODERS, MeteredTexts, WholeTexts
from daemon.core.first_look import Encoder
from daemon.core.metrics import UNMETERED, Meter
from daemon.wiring.config import Config
from models.embedding_cache import CachedEncoder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoding:
    """Attributes:
    encoder: makes vectors of items.
    said: which model computes, and how, for people.
    """

    encoder: Encoder
    said: str


def load_encoding(config: Config, meter: Meter = UNMETERED) -> Encoding | None:
    """The configured encoder, loaded, which takes seconds; None when the task does without.

    Raises:
        EncoderUnavailable: it cannot be loaded, or not in the precision that is wanted.
    """
    if config.encoder is None:
        return None
    from models.encoder import SentenceEncoder

    settings = config.encoding
    model = SentenceEncoder(config.encoder, settings.precision, settings.batch_tokens)
    log.info(
        "encoder %s computes in %s: %s",
        model.name,
        model.precision,
        model.reason,
        extra={"action": "encoder_loaded"},
    )
    texts = MeteredTexts(CachedEncoder(model, settings.cache_bytes), meter)
    items = ENCODERS.get(config.task.kind, WholeTexts)(texts)
    return Encoding(items, f"{model.name} in {model.precision} ({model.reason})")
