"""How far the people of a tier agree: what is read for it, and the figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.agreement import Agreement


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """A standing answer of a person. `labels`: one byte a facet; `at`: milliseconds since 1970, UTC."""

    tier: str
    item: str
    name: str
    labels: bytes
    at: int


class AnswerStore(Protocol):
    """Where answers are read."""

    def newest_answers(self, limit: int) -> Sequence[GivenAnswer]:
        """The newest standing answers of people, newest first; control questions are not among them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people who answered `items` in common; `kappa` is Cohen's, NaN where it says nothing."""

    one: str
    other: str
    items: int
    kappa: float


@dataclass(frozen=True, slots=True)
class WithOthers:
    """Somebody's answers beside those of others on the same items: `same` of `pairs` say the same."""

    name: str
    pairs: int
    same: int


@dataclass(frozen=True, slots=True)
class TierAgreement:
    """How far the people of a tier agree on the items that several of them answered.

    Attributes:
        all: on whole labels. by_class: class -> on whether it is this one (or applies) or not.
        by_day: UTC day, 'YYYY-MM-DD', of an item's last answer -> on the items of that day.
        pairs: those with most items in common first. people: by name.
    """

    tier: str
    all: Agreement
    by_class: dict[str, Agreement]
    by_day: dict[str, Agreement]
    pairs: Sequence[Pair]
    people: Sequence[WithOthers]
