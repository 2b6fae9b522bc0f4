"""How well automatic labels serve each class, by the blind audits of closed windows."""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.core.claims import ENOUGH_OF_A_KIND
from daemon.core.report_rows import AuditedPair


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Of the labels that windows froze, before audits corrected them.

    Attributes:
        label: class index. audits: that found this class.
        recall: share of the class that was frozen as such. f1: harmonic mean of that and of the share of
            labels of this class that were right. Both None with too few audits.
    """

    label: int
    audits: int
    recall: float | None
    f1: float | None


def class_figures(pairs: Sequence[AuditedPair], n_classes: int) -> list[ClassFigures]:
    """Figures of each class, in order."""
    return [_figures(pairs, label) for label in range(n_classes)]


def _figures(pairs: Sequence[AuditedPair], label: int) -> ClassFigures:
    audits = sum(pair.count for pair in pairs if pair.truth == label)
    if audits < ENOUGH_OF_A_KIND:
        return ClassFigures(label, audits, None, None)
    is_class = sum(pair.weight for pair in pairs if pair.truth == label)
    called = sum(pair.weight for pair in pairs if pair.label == label)
    hits = sum(pair.weight for pair in pairs if pair.truth == pair.label == label)
    return ClassFigures(label, audits, hits / is_class, 2 * hits / (is_class + called))
