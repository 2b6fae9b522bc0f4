"""How well automatic labels serve each class, by the blind audits of closed windows."""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.core.claims import ENOUGH_OF_A_KIND
from daemon.core.report_rows import AuditedPair
from labeling_functions.label_space import LabelSpace


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


def class_figures(pairs: Sequence[AuditedPair], space: LabelSpace) -> list[ClassFigures]:
    """Figures of each class, in order; of a multilabel task a label counts for every class that it names."""
    return [_figures(pairs, space, place) for place in range(len(space.classes))]


def _figures(pairs: Sequence[AuditedPair], space: LabelSpace, place: int) -> ClassFigures:
    true = [pair for pair in pairs if place in space.members(pair.truth)]
    audits = sum(pair.count for pair in true)
    if audits < ENOUGH_OF_A_KIND:
        return ClassFigures(place, audits, None, None)
    is_class = sum(pair.weight for pair in true)
    called = sum(pair.weight for pair in pairs if place in space.members(pair.label))
    hits = sum(pair.weight for pair in true if place in space.members(pair.label))
    return ClassFigures(place, audits, hits / is_class, 2 * hits / (is_class + called))
