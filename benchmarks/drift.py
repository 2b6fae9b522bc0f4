"""How soon changes of real texts are noticed, signal by signal, and how often an alarm is false.

Three kinds of text (YouTube comments, SMS, tweets) take each other's place: at once, gradually over
GRADUAL items, or as 30 % of the stream. Beside our signals stand two that others use: what the classifier
is sure of (ADWIN on its largest probability), and a two-sample Kolmogorov-Smirnov test on the distances of
each 100 items.
"""

import csv
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from labeling_functions import Item
from labeling_functions.applier import Applier
from labeling_functions.label_space import LabelSpace
from labeling_functions.loading import load
from models.drift.change import MeanWatch
from models.drift.monitor import DriftMonitor, MonitorSettings, classifier_agreement
from models.drift.reference import Reference
from models.encoder import SentenceEncoder

FILES = {"youtube": "youtube_spam_lf.csv", "sms": "sms_rules.csv", "tweets": "vader_tweets.csv"}
FUNCTIONS = Path(__file__).parents[1] / "examples" / "sms_spam"
TEXTS = 1_600
LEARNED, CALM, CHANGED, GRADUAL = 800, 1_600, 1_600, 1_000
BATCH = 8
AUDITED = 0.1
SEEDS = 3
KS_ITEMS, KS_ALPHA = 100, 0.001
KINDS: Mapping[str, Callable[[int], NDArray[np.float64]]] = {
    "at once": np.ones,
    "gradual": lambda n: np.minimum(np.arange(n) / GRADUAL, 1.0),
    "30 %": lambda n: np.full(n, 0.3),
}
SIGNALS = ("distance", "symbols", "agreement", "audits")
PEERS = ("confidence", "KS window")


@dataclass(frozen=True, slots=True)
class Source:
    """Texts of one kind: (n, d) vectors, (n, m) votes, (n,) truth, 0 or 1, of a task."""

    vectors: NDArray[np.float32]
    votes: NDArray[np.int8]
    truth: NDArray[np.int64]
    task: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that becomes another one at item `change`, and what was learned before it."""

    reference: Reference
    vectors: NDArray[np.float32]
    votes: NDArray[np.int8]
    proba: NDArray[np.float64]
    right: NDArray[np.float64]
    """(n,) 1 where an audit finds the classifier right, 0 where wrong, NaN where nobody audits."""
    change: int


def main() -> None:
    """Print delays and false alarms."""
    folder = os.environ.get("LABELLOOP_DATA")
    if folder is None:
        print("skipped: LABELLOOP_DATA names no folder", file=sys.stderr)
        return
    functions = load(["labeling_functions.py"], FUNCTIONS)
    keys = [f"function:{function.name}@1" for function in functions]
    applier, encoder = (
        Applier(functions, LabelSpace(("ham", "spam")), 30.0),
        SentenceEncoder("all-MiniLM-L6-v2"),
    )
    sources = {name: _source(Path(folder) / file, name, applier, encoder) for name, file in FILES.items()}
    delays: dict[tuple[str, str], list[float]] = defaultdict(list)
    false: dict[str, int] = defaultdict(int)
    items = 0
    streams = list(product(permutations(sources, 2), KINDS, range(SEEDS)))
    for (before, after), kind, seed in track(streams, "streams", console=Console(stderr=True)):
        stream = _stream(sources[before], sources[after], KINDS[kind](CHANGED), keys, seed)
        items += stream.change
        for signal, alarms in _alarms(stream, keys).items():
            false[signal] += sum(at <= stream.change for at in alarms)
            late = [at - stream.change for at in alarms if at > stream.change]
            delays[kind, signal].append(min(late, default=np.inf))
    Console().print(_table(delays, false, items))


def _source(file: Path, name: str, applier: Applier, encoder: SentenceEncoder) -> Source:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    random = np.random.default_rng(7)
    rows = [rows[place] for place in random.permutation(len(rows))[:TEXTS]]
    texts = [row["text"] for row in rows]
    votes = applier.apply([Item(str(n), {"text": text}) for n, text in enumerate(texts)]).L
    truth = np.array([_truth(row, name) for row in rows], np.int64)
    return Source(encoder.encode(texts), votes.astype(np.int8), truth, "mood" if name == "tweets" else "spam")


def _truth(row: Mapping[str, str], name: str) -> int:
    if name == "tweets":
        return int(float(row["mean"]) > 0)
    return int(row["label"] == "spam")


def _stream(
    before: Source, after: Source, share: NDArray[np.float64], keys: Sequence[str], seed: int
) -> Stream:
    random = np.random.default_rng(seed)
    order = random.permutation(len(before.truth))
    learned, rest = order[:LEARNED], order[LEARNED:]
    other = np.concatenate([np.zeros(CALM, np.bool_), random.random(len(share)) < share])
    old = np.resize(rest, len(other))
    new = np.resize(random.permutation(len(after.truth)), len(other))
    pick = partial(_mixed, other, old, new)
    known = after.truth if after.task == before.task else np.full(len(after.truth), -1)
    vectors, truth = pick(before.vectors, after.vectors), pick(before.truth, known)
    proba = _classifier(before.vectors[learned], before.truth[learned], vectors)
    right = np.where(truth >= 0, (proba.argmax(axis=1) == truth).astype(np.float64), np.nan)
    right[random.random(len(right)) >= AUDITED] = np.nan
    reference = Reference.of(before.vectors[learned], before.votes[learned], keys, 2, seed)
    return Stream(reference, vectors, pick(before.votes, after.votes), proba, right, CALM)


def _mixed(
    other: NDArray[np.bool_], old: NDArray[np.int64], new: NDArray[np.int64], before: Any, after: Any
) -> Any:
    """Rows `old` of one source, but rows `new` of the other where `other`."""
    rows = before[old].copy()
    rows[other] = after[new[other]]
    return rows


def _classifier(learned: Any, truth: Any, vectors: Any) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=500).fit(learned, truth)
    return np.asarray(model.predict_proba(vectors), np.float64)


def _alarms(stream: Stream, keys: Sequence[str]) -> dict[str, list[int]]:
    """Signal -> after how many items it was raised, each time."""
    found: dict[str, list[int]] = {signal: [] for signal in (*SIGNALS, *PEERS)}
    monitor, sure = DriftMonitor(stream.reference), MeanWatch(MonitorSettings().delta)
    agreement = classifier_agreement(stream.proba, stream.votes)
    for start in range(0, len(stream.votes), BATCH):
        part = slice(start, start + BATCH)
        alarms = monitor.update(stream.vectors[part], stream.votes[part], keys, agreement[part])
        alarms += monitor.audited(stream.right[part], stream.proba[part].max(axis=1))
        for alarm in alarms:
            found[alarm.signal].append(start + BATCH)
        if sure.update(stream.proba[part].max(axis=1)) is not None:
            found["confidence"].append(start + BATCH)
    found["KS window"] = _ks_windows(stream)
    return found


def _ks_windows(stream: Stream) -> list[int]:
    from scipy.stats import ks_2samp

    ranks = stream.reference.ranks(stream.vectors)
    even = (np.arange(LEARNED) + 0.5) / LEARNED
    ends = range(KS_ITEMS, len(ranks) + 1, KS_ITEMS)
    return [end for end in ends if ks_2samp(ranks[end - KS_ITEMS : end], even).pvalue < KS_ALPHA]


def _table(delays: Mapping[tuple[str, str], list[float]], false: Mapping[str, int], items: int) -> Table:
    n = len(delays["at once", "distance"])
    table = Table(title=f"Items until the alarm: median (noticed within {CHANGED:,}), {n} streams each")
    for name in ("signal", *KINDS, f"false alarms in {items:,} items"):
        table.add_column(name, justify="left" if name == "signal" else "right")
    ours = {kind: np.min([delays[kind, signal] for signal in SIGNALS], axis=0) for kind in KINDS}
    table.add_row(
        "any of ours", *(_told(ours[kind]) for kind in KINDS), str(sum(false[one] for one in SIGNALS))
    )
    for signal in (*SIGNALS, *PEERS):
        cells = [_told(np.array(delays[kind, signal])) for kind in KINDS]
        table.add_row(signal, *cells, str(false[signal]), end_section=signal == SIGNALS[-1])
    return table


def _told(delays: NDArray[np.float64]) -> str:
    noticed = np.isfinite(delays)
    middle = f"{np.median(delays[noticed]):,.0f}" if noticed.any() else "-"
    return f"{middle} ({noticed.mean():.0%})"


if __name__ == "__main__":
    main()
