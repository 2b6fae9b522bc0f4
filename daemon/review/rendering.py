"""Turns guidelines and items into what pages may show."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

from daemon.core.decoding import decode_stored
from labeling_functions.items import Item
from labeling_functions.label_space import LabelSpace

HEADINGS_ABOVE = 2

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def guidelines_html(text: str) -> Markup:
    """Markdown as HTML; HTML inside it is shown as text, and only harmless links stay links.

    Its headings stand below those of the page that it is shown on.
    """
    tokens = _markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + HEADINGS_ABOVE, 6)}"
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))


def fields_of(payload: bytes) -> list[tuple[str, str]]:
    """(name, text) of each field of an item, for people to read; metadata is not shown to annotators."""
    return fields_of_item(decode_stored(payload))


def fields_of_item(item: Item) -> list[tuple[str, str]]:
    """The same of an item that was read already."""
    return [(name, _text(value)) for name, value in item.fields.items()]


def snippet(payload: bytes, length: int = 120) -> str:
    """The beginning of an item's text on one line."""
    joined = " ".join(" ".join(text for _, text in fields_of(payload)).split())
    return joined if len(joined) <= length else joined[: length - 1] + "…"


def class_name(index: int, classes: Sequence[str]) -> str:
    """Name of a class; a number where the task has lost a class that was used before."""
    return classes[index] if 0 <= index < len(classes) else f"class {index}"


def label_name(label: int, space: LabelSpace) -> str | list[str]:
    """A label by the name of its class, or by the names of all that apply."""
    names = [class_name(place, space.classes) for place in space.members(label)]
    return names if space.sets else names[0]


def moment(milliseconds: int | None) -> str:
    """A time in UTC, to the second."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2)
