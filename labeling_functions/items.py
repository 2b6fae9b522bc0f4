"""What a labeling function sees of one message."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, init=False)
class Item:
    """One thing to label.

    Fields can be read as attributes or by name, as snorkel's functions do (`x.text`, `x["title"]`); an
    absent field raises AttributeError or KeyError, so that a misspelt name is noticed.

    Attributes:
        id: unique name of the item.
        fields: what is to be labelled; `{"text": ...}` for plain text items.
        subject: what several observations show together, if any.
        metadata: facts about the item that are not shown to annotators.
        images: addresses of pictures that belong to the item.
        created: when the producer made it, ISO 8601, if given.
    """

    id: str
    fields: Mapping[str, Any]
    subject: str | None
    metadata: Mapping[str, Any]
    images: tuple[str, ...]
    created: str | None

    def __init__(
        self,
        id: str,
        fields: Mapping[str, Any],
        subject: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        images: tuple[str, ...] = (),
        created: str | None = None,
    ) -> None:
        # functions read fields all the time: as plain attributes that is six times faster than __getattr__
        self.__dict__.update(
            fields,
            id=id,
            fields=fields,
            subject=subject,
            metadata={} if metadata is None else metadata,
            images=images,
            created=created,
        )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"item {self.__dict__.get('id')!r} has no field {name!r}")

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    @property
    def plain_text(self) -> str:
        """All text of the item, for encoders: `text` alone, or every string field, one a line."""
        text = self.fields.get("text")
        if isinstance(text, str):
            return text
        return "\n".join(value for value in self.fields.values() if isinstance(value, str))
