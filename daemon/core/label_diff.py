"""What labels made anew would change of those that are stored."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from daemon.core.replaying import Relabeled
from daemon.core.states import ItemState
from labeling_functions.label_space import LabelSpace


class Unsaid(StrEnum):
    """Why it cannot be said what a stored label would be: the archive does not hold all it rests on."""

    NOT_STORED = "not_stored"
    OTHER_CONTENT = "other_content"
    PEOPLE = "answered_by_people"
    MODELS = "answered_by_language_models"
    FROZEN = "in_an_open_window"
    SUBJECT = "decided_with_its_subject"


MEANINGS: Mapping[Unsaid, str] = {
    Unsaid.NOT_STORED: "not stored",
    Unsaid.OTHER_CONTENT: "stored with other content",
    Unsaid.PEOPLE: "answered by people",
    Unsaid.MODELS: "answered by language models",
    Unsaid.FROZEN: "in an open window",
    Unsaid.SUBJECT: "decided together with others of their subject",
}
"""The same in words, of several items."""


@dataclass(frozen=True, slots=True)
class StoredLabel:
    """A stored item as it is decided now.

    Attributes:
        digest: 16 bytes; equal digests mean equal content.
        label: as `labeling_functions.label_space` has labels. score: probability that it is right.
        by_people, by_models: whether answers of people, or of language models, stand.
        shared: whether other stored items show the same subject.
    """

    digest: bytes
    label: int
    score: float
    state: ItemState
    by_people: bool = False
    by_models: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Turned:
    """An item whose label would be another one."""

    item: str
    before: str
    after: str
    confidence_before: float
    confidence: float
    state: str


@dataclass(slots=True)
class Diff:
    """Counts of items; those of several chunks add up.

    Attributes:
        same: whose label stays. turned: whose label would be another one.
        turns: label before -> label after -> items.
        turned_from: state of the items that turn -> items.
        newly_confident, no_longer_confident: of those compared, whose score passes `routing.ask_below` in
            this direction.
        unsaid: reason (`Unsaid`) -> items of which nothing can be said.
    """

    same: int = 0
    turned: int = 0
    turns: dict[str, dict[str, int]] = field(default_factory=dict)
    turned_from: dict[str, int] = field(default_factory=dict)
    newly_confident: int = 0
    no_longer_confident: int = 0
    unsaid: dict[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Items of which something can be said."""
        return self.same + self.turned

    def add(self, other: "Diff") -> None:
        """Count another chunk's items too."""
        self.same += other.same
        self.turned += other.turned
        self.newly_confident += other.newly_confident
        self.no_longer_confident += other.no_longer_confident
        for before, after in other.turns.items():
            self.turns[before] = _sum(self.turns.get(before, {}), after)
        self.turned_from = _sum(self.turned_from, other.turned_from)
        self.unsaid = _sum(self.unsaid, other.unsaid)


def compare(
    found: Relabeled, stored: Mapping[str, StoredLabel], space: LabelSpace, ask_below: float
) -> tuple[Diff, list[Turned]]:
    """What would change, and the items that turn.

    Args:
        found: items labeled anew. stored: by id, those of them that are.
        ask_below: the score from which a label is confident.
    """
    diff, turned = Diff(), list[Turned]()
    unsaid: Counter[str] = Counter()
    turned_from: Counter[str] = Counter()
    for row, before in enumerate(_known(found, stored, unsaid)):
        if before is None:
            continue
        label, score = int(found.labels[row]), float(found.scores[row])
        was, is_ = _confident(before.score, ask_below), _confident(score, ask_below)
        diff.newly_confident += is_ and not was
        diff.no_longer_confident += was and not is_
        if label == before.label:
            diff.same += 1
            continue
        one = Turned(
            found.ids[row], space.text(before.label), space.text(label), before.score, score, before.state
        )
        turned.append(one)
        turned_from[one.state] += 1
    diff.turned, diff.turns = len(turned), _turns(turned)
    diff.turned_from, diff.unsaid = dict(turned_from), dict(unsaid)
    return diff, turned


def _known(
    found: Relabeled, stored: Mapping[str, StoredLabel], unsaid: Counter[str]
) -> Iterator[StoredLabel | None]:
    """Each item as it is stored; None, and counted, where nothing can be said of it."""
    for id_, digest in zip(found.ids, found.digests, strict=True):
        before = stored.get(id_)
        reason = _unsaid(before, digest)
        if reason is not None:
            unsaid[reason.value] += 1
        yield None if reason is not None else before


def _unsaid(before: StoredLabel | None, digest: bytes) -> Unsaid | None:
    if before is None:
        return Unsaid.NOT_STORED
    reasons = (
        (before.digest != digest, Unsaid.OTHER_CONTENT),
        (before.by_people or before.state == ItemState.HUMAN, Unsaid.PEOPLE),
        (before.by_models, Unsaid.MODELS),
        (before.state == ItemState.FROZEN, Unsaid.FROZEN),
        (before.shared, Unsaid.SUBJECT),
    )
    return next((reason for holds, reason in reasons if holds), None)


def _confident(score: float, ask_below: float) -> bool:
    """As decisions compare, at the precision in which scores are kept."""
    return bool(np.float32(score) >= np.float32(ask_below))


def _turns(turned: Sequence[Turned]) -> dict[str, dict[str, int]]:
    turns: dict[str, dict[str, int]] = {}
    for (before, after), count in Counter((one.before, one.after) for one in turned).items():
        turns.setdefault(before, {})[after] = count
    return turns


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))
