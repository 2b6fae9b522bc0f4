"""All signals of drift in one place, fed batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Lt, MinLen
from numpy.typing import NDArray

from models.arrays import F4, F8
from models.drift.alarm import Alarm
from models.drift.change import Change, MeanWatch
from models.drift.reference import Reference
from models.drift.symbol_counts import Shift, SymbolCounts

RANK_POWER = 3
"""New kinds of text are mostly far out: cubes of ranks show them in half the time of ranks."""


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """How sure alarms are to be.

    Attributes:
        delta: ADWIN's confidence for the means (distance, agreement, audits).
        alpha: bounds the chance that annotators' symbols give any false alarm until the next bundle.
        block_items: sizes of the blocks whose symbols are compared: small ones find large changes soon, large
            ones find small changes.
    """

    delta: Annotated[float, Gt(0), Lt(1)] = 0.005
    alpha: Annotated[float, Gt(0), Lt(1)] = 0.01
    block_items: Annotated[tuple[Annotated[int, Ge(16)], ...], MinLen(1)] = (128, 1_024)


class DriftMonitor:
    """Compares a stream with what the models learned from. One a stream and reference; not thread-safe.

    Signals: `distance` (ADWIN on the rank of each item's distance to the reference's mean embedding, which
    is even without drift), `symbols` (exact tests on blocks, see SymbolCounts), `agreement` (ADWIN on a
    share) and `audits` (ADWIN on how far labels were right beyond their scores). What a signal cannot see it
    leaves out: without vectors there is no distance, and annotators without counts in the reference are
    passed over. What the models are sure of is no signal: models stay sure under drift.
    """

    def __init__(
        self,
        reference: Reference,
        settings: MonitorSettings = MonitorSettings(),
        seed: int = 0,
        classes: Sequence[str] = (),
    ) -> None:
        """`seed` mixes the reference's own ranks; `classes`: names for what alarms say."""
        self._classes = classes
        self._reference = reference
        self._seen = 0
        self._distance: MeanWatch | None = None
        if len(reference.distances):
            self._distance = MeanWatch(
                settings.delta, _even_ranks(len(reference.distances), seed), RANK_POWER
            )
        self._agreement = MeanWatch(settings.delta)
        self._audits = MeanWatch(settings.delta)
        share = settings.alpha / len(settings.block_items)
        self._blocks = [SymbolCounts(reference.symbols, size, share) for size in settings.block_items]

    def update(
        self,
        vectors: F4 | None,
        matrix: NDArray[np.integer[Any]],
        keys: Sequence[str],
        agreement: F8 | None = None,
    ) -> list[Alarm]:
        """Take the next n items of the stream, in their order.

        Args:
            vectors: (v, d) of the reference's encoder, of those items that are compared by theirs; or None.
            matrix: (n, m) votes, -1 for abstentions. keys: m annotator keys.
            agreement: (n,) as `classifier_agreement` gives it, or None without a classifier.

        Returns:
            What was noticed; mostly nothing.
        """
        self._seen += len(matrix)
        told = [self._symbols(blocks.update(matrix, keys)) for blocks in self._blocks]
        if vectors is not None and self._distance is not None:
            told.append(self._farther(self._distance.update(self._reference.ranks(vectors))))
        if agreement is not None:
            told.append(self._share(AGREEMENT, self._agreement.update(agreement)))
        return [alarm for alarm in told if alarm is not None]

    def audited(self, right: F8, scores: F4 | F8) -> list[Alarm]:
        """Take (n,) audits in the order of their items' arrival.

        Args:
            right: 1 where the automatic label was right, else 0.
            scores: (n,) how likely it was to be right. Coins pick sure and doubtful items unevenly and
                differently in each window: by itself the share that was right moves without any drift.
        """
        change = self._audits.update((1.0 + right - scores) / 2)
        if change is None:
            return []
        before, now = 2 * change.before - 1, 2 * change.now - 1
        detail = (
            f"of the last {change.over} audited labels {_beyond(now)} were right than their scores said, "
            f"before {_beyond(before)}"
        )
        return [Alarm("audits", detail, self._seen, abs(now - before))]

    def _farther(self, change: Change | None) -> Alarm | None:
        if change is None:
            return None
        way = "farther from" if change.now > change.before else "nearer to"
        detail = (
            f"the last {change.over} texts lie {way} the middle of what the models learned from: on average "
            f"{change.now:.0%} of that lay nearer, before it was {change.before:.0%}"
        )
        return Alarm("distance", detail, self._seen, abs(change.now - change.before))

    def _symbols(self, shift: Shift | None) -> Alarm | None:
        if shift is None:
            return None
        abstention = shift.symbol == len(self._reference.symbols[shift.key]) - 1
        name = self._classes[shift.symbol] if shift.symbol < len(self._classes) else str(shift.symbol)
        what = "abstained on" if abstention else f"voted {name} on"
        who = shift.key.partition(":")[2].partition("@")[0] or shift.key
        detail = (
            f"{who} {what} {shift.now:.1%} of {shift.over} items; it was {shift.before:.1%} where the "
            "models learned"
        )
        return Alarm("symbols", detail, self._seen, abs(shift.now - shift.before))

    def _share(self, signal: tuple[str, str], change: Change | None) -> Alarm | None:
        if change is None:
            return None
        name, words = signal
        detail = (
            f"{words} on {change.now:.1%} of the last {change.over} such items, before on {change.before:.1%}"
        )
        return Alarm(name, detail, self._seen, abs(change.now - change.before))


def _even_ranks(n: int, seed: int) -> F8:
    """(n,) the reference's own ranks, mixed: a change is told against as many items as it rests on."""
    return np.asarray((np.random.Generator(np.random.PCG64(seed)).permutation(n) + 0.5) / n)


def _beyond(share: float) -> str:
    return f"{abs(share):.1%} {'more' if share >= 0 else 'fewer'}"


AGREEMENT = ("agreement", "classifier and labeling functions agree")


def classifier_agreement(proba: NDArray[np.floating[Any]], matrix: NDArray[np.integer[Any]]) -> F8:
    """(n,) 1 where the classifier's label is what most functions say, 0 where not; NaN where they do not say.

    Args:
        proba: (n, K) the classifier's probabilities; rows of NaN where it has none.
        matrix: (n, m) votes of functions, -1 for abstentions. Ties say nothing.
    """
    counts = (matrix[:, :, None] == np.arange(proba.shape[1])).sum(axis=1)
    top = counts.max(axis=1, initial=0)
    clear = (top > 0) & ((counts == top[:, None]).sum(axis=1) == 1) & ~np.isnan(proba).any(axis=1)
    agrees = np.argmax(np.nan_to_num(proba), axis=1) == counts.argmax(axis=1)
    return np.where(clear, agrees.astype(np.float64), np.nan)
