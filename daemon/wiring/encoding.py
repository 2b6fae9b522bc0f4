"""The encoder as the configuration wants it: model, cache, what it tells of itself."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from daemon.adapters.encoder_processes import EncoderProcesses
from daemon.adapters.encoders import ENCODERS, MeteredTexts, WholeTexts
from daemon.core.encoding_settings import EncodingSettings
from daemon.core.first_look import Encoder
from daemon.core.metrics import UNMETERED, Meter
from daemon.wiring.config import Config
from models.embedding_cache import CachedEncoder
from models.encoder import SentenceEncoder
from models.pair_features import TextEncoder

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoding:
    """Attributes:
    encoder: makes vectors of items.
    said: which model computes, and how, for people.
    """

    encoder: Encoder
    said: str


def load_encoding(config: Config) -> Encoding | None:
    """The configured encoder, loaded, which takes seconds; None when the task does without.

    It computes in this process alone.

    Raises:
        EncoderUnavailable: it cannot be loaded, or not in the precision that is wanted.
    """
    if config.encoder is None:
        return None
    model = _load(config.encoder, config.encoding)
    return _encoding(model, model, config, UNMETERED)


@contextmanager
def encoding_by_processes(config: Config, meter: Meter) -> Iterator[Encoding | None]:
    """The same in as many processes as configured, which end with the block.

    Raises:
        EncoderDied: one of them ended by itself; `encode` may raise it, too.
    """
    count = config.encoding.processes
    if config.encoder is None:
        yield None
        return
    model = _load(config.encoder, config.encoding)
    if count == 1:
        yield _encoding(model, model, config, meter)
        return
    children = EncoderProcesses(model, count)
    try:
        yield _encoding(model, children, config, meter)
    finally:
        children.close()


def _load(name: str, settings: EncodingSettings) -> SentenceEncoder:
    model = SentenceEncoder(name, settings.precision, settings.batch_tokens)
    log.info(
        "encoder %s computes in %s: %s",
        model.name,
        model.precision,
        model.reason,
        extra={"action": "encoder_loaded"},
    )
    return model


def _encoding(model: SentenceEncoder, texts: TextEncoder, config: Config, meter: Meter) -> Encoding:
    """`texts` computes as `model` does."""
    metered = MeteredTexts(CachedEncoder(texts, config.encoding.cache_bytes), meter)
    items = ENCODERS.get(config.task.kind, WholeTexts)(metered)
    count = config.encoding.processes
    by = "" if texts is model else f", by {count} processes"
    return Encoding(items, f"{model.name} in {model.precision} ({model.reason}){by}")
