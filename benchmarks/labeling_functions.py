"""Ten regex functions over 100,000 short texts: our applier against snorkel's two, in one run."""

import gc
import random
import re
import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from labeling_functions import Item, labeling_function, matches
from labeling_functions.applier import Applier
from labeling_functions.function import as_function
from labeling_functions.label_space import LabelSpace

N_TEXTS = 100_000
CLASSES = ("ham", "spam")
PATTERNS = (
    r"(?i)\b(?:free|prize|winner)\b",
    r"\b0\d{9,10}\b",
    r"£\s?\d+",
    r"(?i)\b(?:txt|text) \w+ to \d{4,6}\b",
    r"https?://|www\.",
    r"(?i)\bt&cs?\b",
    r"(?i)\b(?:ok|lol|haha)\b",
    r"(?i)\bsee (?:you|u)\b",
    r"[A-Z]{4,}",
    r"(?i)\bi'?m\b",
)
WORDS = """
free prize winner call now txt WIN to 80086 £1000 08712345678 www.example.com t&c ok lol see you im late lunch
home tomorrow the a and message from claim your love going have been think about URGENT where
"""
Run = Callable[[], NDArray[np.int64] | NDArray[np.int8]]


def main() -> None:
    """Print items per second and ratios; every way must give the same matrix."""
    rng = random.Random(7)
    texts = [" ".join(rng.choices(WORDS.split(), k=rng.randint(4, 24))) for _ in range(N_TEXTS)]
    results = {name: _best(run) for name, run in _ways(texts).items()}
    baseline, expected = next(iter(results.values()))
    table = Table(f"ten regex functions, {N_TEXTS:,} texts", "items/s", "times the first")
    for name, (seconds, matrix) in results.items():
        assert np.array_equal(matrix, expected), f"{name} votes differently"
        table.add_row(name, f"{len(texts) / seconds:,.0f}", f"{baseline / seconds:.1f}")
    Console().print(table)


def _ways(texts: list[str]) -> dict[str, Run]:
    import pandas as pd
    from snorkel.labeling import LFApplier, PandasLFApplier
    from snorkel.labeling import labeling_function as theirs

    frame = pd.DataFrame({"text": texts})
    points = [SimpleNamespace(text=text) for text in texts]
    items = [Item(str(row), {"text": text}) for row, text in enumerate(texts)]
    bodies = [_body(pattern, j % 2) for j, pattern in enumerate(PATTERNS)]
    snorkel = [theirs(name=f"f{j}")(body) for j, body in enumerate(bodies)]
    wrapped = [function for one in snorkel if (function := as_function(one))]
    plain = [labeling_function(name=f"f{j}")(body) for j, body in enumerate(bodies)]
    heuristics = [matches(f"f{j}", pattern, j % 2) for j, pattern in enumerate(PATTERNS)]
    return {
        "snorkel PandasLFApplier": lambda: PandasLFApplier(snorkel).apply(frame, progress_bar=False),
        "snorkel LFApplier": lambda: LFApplier(snorkel).apply(points, progress_bar=False),
        "plain loop": lambda: np.array([[body(point) for body in bodies] for point in points]),
        "Applier, snorkel's functions": lambda: Applier(wrapped, LabelSpace(CLASSES), 60.0).apply(items).L,
        "Applier, @labeling_function": lambda: Applier(plain, LabelSpace(CLASSES), 60.0).apply(items).L,
        "Applier, matches()": lambda: Applier(heuristics, LabelSpace(CLASSES), 60.0).apply(items).L,
    }


def _body(pattern: str, label: int) -> Callable[..., int]:
    search = re.compile(pattern).search
    return lambda x: label if search(x.text) else -1


def _best(run: Run, repeats: int = 3) -> tuple[float, NDArray[np.int64] | NDArray[np.int8]]:
    """Shortest of some runs, in seconds of this process's own time, and the result."""
    times = []
    for _ in range(repeats):
        gc.collect()
        started = time.process_time()
        matrix = run()
        times.append(time.process_time() - started)
    return min(times), matrix
