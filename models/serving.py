"""What all served models do: read their bundle's heads, and say labels with their probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict

import numpy as np

from models.arrays import F4, F8
from models.bundles import read_bundle
from models.classifier import LinearHead


class Prediction(TypedDict):
    """What is said of one item that has one class."""

    label: str
    probabilities: dict[str, float]


class SetPrediction(TypedDict):
    """What is said of one item that has any number of classes: which apply, and how likely each does."""

    label: list[str]
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class ServedHeads:
    """The heads of a bundle that were trained on everything, for items elsewhere.

    Attributes:
        classes: names in order.
        heads: one; where any number of classes may apply, one a class.
        encoder: name of the encoder whose vectors they read.
    """

    classes: tuple[str, ...]
    heads: tuple[LinearHead, ...]
    encoder: str

    @classmethod
    def read(cls, path: str) -> Self:
        """From the file of a bundle. Raises ValueError for a bundle without a classifier, DamagedBundle."""
        return cls.of_bytes(Path(path).read_bytes())

    @classmethod
    def of_bytes(cls, data: bytes) -> Self:
        """From a bundle. Raises as `read` does."""
        bundle = read_bundle(data)
        heads = tuple(part.head for part in bundle.parts if part.head is not None)
        if bundle.encoder is None or len(heads) < len(bundle.parts):
            raise ValueError("this version's bundle has no classifier; it cannot be served")
        return cls(bundle.classes, heads, bundle.encoder)

    @property
    def head(self) -> LinearHead:
        """Of bundles whose items have one class: the only one."""
        (only,) = self.heads
        return only

    def label(self, vectors: F4) -> list[Prediction]:
        """The likeliest class of each of (n, d) vectors, and how likely every class is."""
        return [
            {"label": self.classes[int(row.argmax())], "probabilities": self.named(row)}
            for row in self.head.predict_proba(vectors)
        ]

    def label_sets(self, vectors: F4) -> list[SetPrediction]:
        """The classes that rather apply than not to each of (n, d) vectors, and how likely each one is."""
        applies = np.stack([head.predict_proba(vectors)[:, 1] for head in self.heads], axis=1)
        return [
            {
                "label": [name for name, share in zip(self.classes, row, strict=True) if share > 0.5],
                "probabilities": self.named(row),
            }
            for row in applies
        ]

    def named(self, probabilities: F8) -> dict[str, float]:
        """(K,) numbers by the classes' names."""
        return dict(zip(self.classes, map(float, probabilities), strict=True))


def odd_row(rows: Sequence[Mapping[str, str]], shapes: Sequence[Sequence[str]]) -> str | None:
    """Which row has none of these sets of fields, in words; None if all rows are as they should be."""
    for place, row in enumerate(rows):
        if not any(set(row) == set(shape) for shape in shapes):
            wanted = ", or ".join(f"{', '.join(shape[:-1])} and {shape[-1]}" for shape in shapes)
            return f"row {place} has {', '.join(sorted(row)) or 'nothing'}; a row has {wanted}"
    return None
