"""The bundle of tasks where any number of the classes may apply: one bundle a class."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.archive import Arrays, DamagedBundle, pack, unpack
from models.arrays import F8, I8
from models.bundle import Bundle, about_of
from models.calibration import Calibration
from models.drift.reference import Reference
from models.gold import Gold, effective_number

APPLIES = ("no", "yes")
"""What is told apart of each class."""

FORMAT = "sets 1"
"""No format of a single `Bundle`, which are numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class SetBundle:
    """One bundle a class, and how likely it is that all of them are right about an item.

    A posterior of n items is (n, F * 2): P(no), P(yes) of the first class, then of the second, and so on.

    Attributes:
        classes: F names in order.
        parts: one a class, over `APPLIES`; all classifiers read the same encoder, or there is none.
        calibration: from the product over classes of max(P(no), P(yes)) to the probability that the whole set
            is right.
        reference: what the items looked like that it was trained on; what functions said of a class stands
            under `facet_key`.
        gold: how much it rests on; `by_class` is of the answers that name each class.
        trained_at: ISO 8601, or empty.
    """

    classes: tuple[str, ...]
    parts: tuple[Bundle, ...]
    calibration: Calibration
    reference: Reference
    gold: Gold
    trained_at: str

    def __post_init__(self) -> None:
        if len(self.parts) != len(self.classes) or not self.parts:
            raise ValueError(f"bundle: {len(self.parts)} parts for {len(self.classes)} classes")
        if wrong := [part.classes for part in self.parts if part.classes != APPLIES]:
            raise ValueError(f"bundle: a part tells {', '.join(wrong[0])} apart, not {', '.join(APPLIES)}")
        if len({(part.has_classifier, part.encoder) for part in self.parts}) > 1:
            raise ValueError("bundle: its parts' classifiers do not read the same encoder")

    @classmethod
    def from_priors(cls, classes: Sequence[str], tiers: Mapping[str, float]) -> Self:
        """What is believed before anything is learned.

        Args:
            classes: F names in order.
            tiers: tier name -> how often the whole set that it answers is right, in (0.5, 1).
        """
        part = Bundle.from_priors(APPLIES, class_accuracy(tiers, len(classes)))
        return cls(
            classes=tuple(classes),
            parts=(part,) * len(classes),
            calibration=Calibration.identity(),
            reference=Reference.from_arrays({}),
            gold=Gold.none(len(classes)),
            trained_at="",
        )

    @property
    def encoder(self) -> str | None:
        """Name of the encoder that all classifiers read."""
        return self.parts[0].encoder

    @property
    def has_classifier(self) -> bool:
        """Whether there is a classifier of each class."""
        return self.parts[0].has_classifier

    @property
    def annotators(self) -> tuple[str, ...]:
        """Keys of all that it has learned something of, for any class."""
        return tuple(dict.fromkeys(key for part in self.parts for key in part.annotators))

    @property
    def label_model(self) -> str:
        """Registry names of the models that made the tables, each once."""
        return ", ".join(dict.fromkeys(part.label_model for part in self.parts))

    def scores(self, posterior: NDArray[np.floating[Any]]) -> F8:
        """(n,) calibrated probability that the most probable set is right as a whole, from (n, F * 2)."""
        return self.calibration.apply(joint_confidence(posterior))

    def to_bytes(self) -> bytes:
        """An npz file of plain arrays, some of them JSON texts; equal bundles give equal bytes."""
        reference = self.reference.arrays()
        about = {
            "format": FORMAT,
            "classes": self.classes,
            "reference": list(reference),
            "gold": [self.gold.answers, self.gold.effective, self.gold.by_class],
            "trained_at": self.trained_at,
        }
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            "calibration": np.stack([self.calibration.x, self.calibration.y]),
        }
        arrays |= {f"reference_{i}": array for i, array in enumerate(reference.values())}
        for i, part in enumerate(self.parts):
            arrays |= {f"{_part(i)}{name}": array for name, array in part.arrays().items()}
        return pack(arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote. Raises DamagedBundle; never unpickles anything."""
        return cls.from_arrays(unpack(data))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Read the arrays of what `to_bytes` wrote. Raises DamagedBundle."""
        about = about_of(arrays)
        if about["format"] != FORMAT:
            raise DamagedBundle(f"bundle: format {about['format']}, a bundle of sets has {FORMAT!r}")
        answers, effective, by_class = about["gold"]
        reference = {name: arrays[f"reference_{i}"] for i, name in enumerate(about["reference"])}
        return cls(
            classes=tuple(about["classes"]),
            parts=tuple(Bundle.from_arrays(_of_part(arrays, _part(i))) for i in range(len(about["classes"]))),
            calibration=Calibration(*arrays["calibration"]),
            reference=Reference.from_arrays(reference),
            gold=Gold(answers, effective, tuple(by_class)),
            trained_at=about["trained_at"],
        )


def _part(place: int) -> str:
    """What the names of a part's arrays begin with."""
    return f"part_{place}_"


def _of_part(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def by_class(posterior: NDArray[np.floating[Any]]) -> F8:
    """(n, F, 2) P(no) and P(yes) of each class, from (n, F * 2)."""
    n, columns = posterior.shape
    return np.asarray(posterior, np.float64).reshape(n, columns // len(APPLIES), len(APPLIES))


def joint_confidence(posterior: NDArray[np.floating[Any]]) -> F8:
    """(n,) the product over classes of max(P(no), P(yes)), from (n, F * 2): 1 where all are certain."""
    return np.asarray(by_class(posterior).max(axis=2).prod(axis=1))


def class_accuracy(tiers: Mapping[str, float], n_classes: int) -> dict[str, float]:
    """How often each tier is right about one class if it is right about all F as often as given.

    As if an annotator erred about each class independently.
    """
    return {name: float(accuracy ** (1 / n_classes)) for name, accuracy in tiers.items()}


def facet_key(annotator: str, name: str) -> str:
    """What the reference calls an annotator's votes about one class: `function:NAME (CLASS)@VERSION`."""
    family, at, version = annotator.partition("@")
    return f"{family} ({name}){at}{version}"


def set_gold(labels: I8, groups: I8, weights: F8, n_classes: int) -> Gold:
    """Count g answers, by the classes that they name.

    Args:
        labels: (g,) bits: class k applies where bit k is set.
        groups: (g,) equal for copies of one thing. weights: (g,) items that each stands for, above 0.
        n_classes: F.
    """
    named = ((labels >> place & 1).astype(np.bool_) for place in range(n_classes))
    return Gold(
        answers=len(labels),
        effective=effective_number(groups, weights),
        by_class=tuple(effective_number(groups[own], weights[own]) for own in named),
    )
