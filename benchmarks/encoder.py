"""Our encoder beside sentence-transformers' own `encode` with its defaults: the same model, texts and run.

    python -m benchmarks.encoder

Texts are all different, so that no cache helps. Ways take turns, and the best round of each counts. Start-up
is timed apart, from the start of a process until it could encode.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.end_to_end_world import clear_texts
from daemon.adapters.encoder_processes import EncoderProcesses
from models.arrays import F4
from models.encoder import SentenceEncoder, packaged_folder

MODEL = "all-MiniLM-L6-v2"
SHORT, LONG = 384, 80
"""Texts of each kind."""
MESSAGES = 4
"""Of so many messages a long text is made."""
ROUNDS = 3

START_OURS = f"from models.encoder import SentenceEncoder; SentenceEncoder({MODEL!r})"
START_THEIRS = (
    "from sentence_transformers import SentenceTransformer; SentenceTransformer({!r}, device='cpu')"
)

Way = Callable[[Sequence[str]], F4]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    print("start-up:", ", ".join(f"{name} {seconds:.1f} s" for name, seconds in _start_ups().items()))
    theirs, ours = _default(), SentenceEncoder(MODEL)
    print(f"ours computes in {ours.precision}: {ours.reason}")
    began = time.perf_counter()
    children = EncoderProcesses(ours, _cores())
    print(f"{_cores()} processes more started in {time.perf_counter() - began:.1f} s")
    try:
        default = partial(_encode, theirs)
        one = {"default": default, "ours": ours.encode}
        print(f"texts a second, best of {rounds}; times the default; least cosine with it")
        for kind, texts in texts_by_kind().items():
            tokens = float(np.mean([len(theirs.tokenizer(text)["input_ids"]) for text in texts]))
            _print(f"{kind}, {tokens:.0f} tokens, 1 thread", _beside(one, texts, 1, rounds), len(texts))
            several = {**one, f"ours, {_cores()} processes": children.encode}
            name = f"{kind}, {tokens:.0f} tokens, {_cores()} threads"
            _print(name, _beside(several, texts, _cores(), rounds), len(texts))
    finally:
        children.close()


def texts_by_kind() -> Mapping[str, list[str]]:
    """Short messages, long ones of many, and both shuffled; all different."""
    short = [one.text for one in clear_texts(2 * SHORT, 11)]
    pieces = [one.text for one in clear_texts(2 * LONG * MESSAGES, 12)]
    long = [" ".join(pieces[start : start + MESSAGES]) for start in range(0, len(pieces), MESSAGES)]
    mixed = short[SHORT : SHORT + LONG] + long[LONG:]
    random.Random(13).shuffle(mixed)
    return {"short": short[:SHORT], "long": long[:LONG], "mixed": mixed}


class Measured(NamedTuple):
    """The best seconds of a way, and the least cosine of a text's vector with that of the first way."""

    seconds: float
    cosine: float


def _beside(
    ways: Mapping[str, Way], texts: Sequence[str], threads: int, rounds: int
) -> Mapping[str, Measured]:
    """Each way in turn, so many times; the first is the one to compare with."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        vectors = [_unit(way(texts)) for way in ways.values()]
        times = [[_seconds(way, texts) for way in ways.values()] for _ in range(rounds)]
    finally:
        torch.set_num_threads(before)
    least = [float((vectors[0] * one).sum(axis=1).min()) for one in vectors]
    return dict(zip(ways, map(Measured, np.min(times, axis=0).tolist(), least), strict=True))


def _print(what: str, found: Mapping[str, Measured], count: int) -> None:
    first = next(iter(found.values()))
    told = [
        f"{name} {count / one.seconds:,.0f}/s ({first.seconds / one.seconds:.2f}, {one.cosine:.5f})"
        for name, one in found.items()
    ]
    print(f"{what}: {'; '.join(told)}", flush=True)


def _default() -> Any:
    """The model as sentence-transformers loads it when nothing is said."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(packaged_folder(MODEL)), device="cpu")


def _encode(model: Any, texts: Sequence[str]) -> F4:
    return np.asarray(model.encode(list(texts), show_progress_bar=False), np.float32)


def _unit(vectors: F4) -> F4:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _seconds(way: Way, texts: Sequence[str]) -> float:
    began = time.perf_counter()
    way(texts)
    return time.perf_counter() - began


def _start_ups() -> dict[str, float]:
    """Seconds from the start of a process until its model is loaded; files are in memory for both."""
    codes = {"default": START_THEIRS.format(str(packaged_folder(MODEL))), "ours": START_OURS}
    return {name: _process_seconds(code) for name, code in codes.items()}


def _process_seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - began


def _cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
