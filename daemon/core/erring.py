"""Who errs how: confusion matrices of people as the models that decide have learned them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from daemon.core.answer_votes import tier_key
from models.arrays import F8
from models.bundles import AnyBundle
from models.people import right_by_class
from models.set_bundle import SetBundle
from models.votes import is_person, person_key, tier_of


@dataclass(frozen=True, slots=True, eq=False)
class Erring:
    """How one person, or those of a tier who are not told apart, answers on items of each class.

    Attributes:
        annotator: id of the person; None for the others of the tier.
        tier: name.
        about: of multilabel tasks, the class; its options are that it does not apply, or that it does.
        options: K names.
        expected: (K, K) answers, said by true class.
        right: (K, 3) share of them that name the class, and its 95 % interval; NaN where nothing is known.
    """

    annotator: int | None
    tier: str
    about: str
    options: Sequence[str]
    expected: F8
    right: F8

    @property
    def key(self) -> str:
        """As votes name it."""
        return tier_key(self.tier) if self.annotator is None else person_key(self.tier, self.annotator)


class ErringStore(Protocol):
    """What the models that decide now have learned of people."""

    def erring(self) -> Sequence[Erring]:
        """As `erring_of` tells it; nobody before the first promotion."""


def erring_of(bundle: AnyBundle) -> list[Erring]:
    """All who have answered, by tier and id, those not told apart last; of each every facet in order."""
    abouts = bundle.classes if isinstance(bundle, SetBundle) else ("",)
    found = [
        Erring(
            annotator=int(key.partition("@")[2]) if is_person(key) else None,
            tier=tier_of(key),
            about=about,
            options=part.classes,
            expected=expected,
            right=right_by_class(expected),
        )
        for about, part in zip(abouts, bundle.parts, strict=True)
        for key, expected in part.people.items()
    ]
    return sorted(found, key=lambda one: (one.tier, one.annotator is None, one.annotator or 0))
