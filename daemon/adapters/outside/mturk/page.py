"""What a worker sees of a question: a page of its own, as Mechanical Turk's HTMLQuestion.

All that comes from an item stands in it as text. The page's policy allows this one script and this one style,
named by their digests, and nothing else to run.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from daemon.adapters.outside.mturk.answers import FIELD, FORM
from daemon.core.decoding import decode_stored
from daemon.core.errors import SetupProblem
from daemon.core.pair_order import is_turned
from daemon.core.rows import Lease
from labeling_functions.items import Item
from labeling_functions.pairs import FIELDS, SIDES
from labeling_functions.task import MATCHING, MULTILABEL, PREFERENCE, RATING, Task

MOST_BYTES = 65_535
"""Of a question, as XML (https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/ApiReference_CreateHITOperation.html)."""

ROOM = 16_000
"""Bytes that guidelines and classes must leave to an item."""

CUTS = (None, 32_000, 16_000, 8_000, 4_000, 2_000, 1_000, 300)
"""Characters of each text and address that are shown at most, tried in this order until the page fits."""

MOST_IMAGES = 10

TURNED = {"A": "B", "B": "A"}

LEGENDS: Mapping[str, str] = {
    PREFERENCE: "Which response is better?",
    MATCHING: "How do the two texts belong together?",
    MULTILABEL: "Choose everything that applies. Nothing is an answer, too.",
    RATING: "Your rating",
}

_STATIC = Path(__file__).parent / "static"
_NO_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IMAGE = re.compile(r"https?://|data:image/(png|jpeg|gif|webp|avif);base64,", re.IGNORECASE)
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


@dataclass(frozen=True, slots=True)
class Panel:
    """A text of an item."""

    title: str
    text: str
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that can be chosen. `value` is sent under `field`."""

    kind: str
    field: str
    value: str
    title: str
    hint: str


class Page:
    """Makes the page of each question of a task."""

    def __init__(self, task: Task, title: str, submit_url: str, suggest: bool) -> None:
        """Read the templates.

        Args:
            title: of the work.
            submit_url: where the form is sent, unless the page's address says otherwise.
            suggest: whether what the votes at hand say is shown; of blind questions it never is.

        Raises:
            SetupProblem: guidelines and classes leave no room for an item.
        """
        self._task = task
        self._suggest = suggest
        environment = Environment(
            loader=FileSystemLoader(_STATIC), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._template = environment.get_template("page.html")
        style, script = (Markup((_STATIC / name).read_text(encoding="utf-8")) for name in _FILES)
        self._fixed = {
            "title": title,
            "submit_url": submit_url,
            "style": style,
            "script": script,
            "policy": _policy(style, script),
            "guidelines": Markup(_markdown.render(task.guidelines)),
            "legend": LEGENDS.get(task.kind, "Your answer"),
            "form_field": FORM,
        }
        bare = len(self._xml(0, [], [], 0, "").encode())
        if bare > MOST_BYTES - ROOM:
            raise SetupProblem(
                f"task.guidelines: with classes and their descriptions they take {bare} bytes of a HIT, and "
                f"{MOST_BYTES - ROOM} at most leave room for an item; shorten them for Mechanical Turk"
            )

    def question(self, lease: Lease, workers: Collection[str] = ()) -> str:
        """The XML of a question. What does not fit into a HIT is cut, and the page says so.

        `workers` have answered the item: to them the page says so, and takes no second answer. It holds
        salted digests of their ids alone.
        """
        item, salt = decode_stored(lease.payload), secrets.token_hex(8)
        done = {"salt": salt, "done": " ".join(sorted(digest_of(salt, worker) for worker in workers))}
        suggestion = self._suggestion(lease)
        for most in CUTS:
            panels, shown = self._panels(item, lease.question, most), _images(item, most)
            hidden = len(item.images) - len(shown)
            xml = self._xml(lease.question, panels, shown, hidden, suggestion, **done)
            if len(xml.encode()) <= MOST_BYTES:
                break
        return xml

    def _suggestion(self, lease: Lease) -> str:
        """What the votes at hand say and how surely; empty where nothing is suggested."""
        if not self._suggest or lease.blind or lease.label is None:
            return ""
        return f"{self._named(lease.label, lease.question)} ({lease.sure:.0%})"

    def _xml(
        self,
        question: int,
        panels: Sequence[Panel],
        images: Sequence[str],
        hidden: int,
        suggestion: str,
        salt: str = "",
        done: str = "",
    ) -> str:
        shown = self._template.render(
            **self._fixed,
            panels=panels,
            images=images,
            hidden_images=hidden,
            suggestion=suggestion,
            salt=salt,
            done=done,
            choices=self._choices(question),
        )
        return html_question(shown)

    def _panels(self, item: Item, question: int, most: int | None) -> list[Panel]:
        if self._task.kind == PREFERENCE:
            prompt, *responses = (str(item.fields[name]) for name in FIELDS)
            ordered = reversed(responses) if is_turned(question) else responses
            titles = ("Prompt", "Response 1", "Response 2")
            return [_panel(title, text, most) for title, text in zip(titles, (prompt, *ordered), strict=True)]
        if self._task.kind == MATCHING:
            sides = enumerate((str(item.fields[name]) for name in SIDES), 1)
            return [_panel(f"Text {number}", text, most) for number, text in sides]
        return [_panel("", readable(item), most)]

    def _choices(self, question: int) -> list[Choice]:
        task = self._task
        if task.kind == PREFERENCE:
            values = [TURNED.get(one, one) if is_turned(question) else one for one in task.classes]
            return [Choice("radio", FIELD, value, self._title(value, question), "") for value in values]
        several = task.kind == MULTILABEL
        kind = "checkbox" if several else "radio"
        return [
            Choice(kind, f"{FIELD}.{at}" if several else FIELD, name, name, task.descriptions.get(name, ""))
            for at, name in enumerate(task.classes)
        ]

    def _named(self, label: int, question: int) -> str:
        if self._task.kind == PREFERENCE:
            return self._title(self._task.classes[label], question)
        return self._task.space.text(label)

    def _title(self, value: str, question: int) -> str:
        """A class of a pair in terms of the order on the page."""
        placed = TURNED.get(value, value) if is_turned(question) else value
        return {"A": "Response 1 is better", "B": "Response 2 is better"}.get(placed, "Neither is better")


_FILES = ("page.css", "page.js")


def html_question(shown: str) -> str:
    """A page as the XML that a HIT takes; characters that XML cannot hold are replaced."""
    plain = _NO_XML.sub("\ufffd", shown.replace("\r\n", "\n").replace("\r", "\n"))
    inside = plain.replace("]]>", "]]]]><![CDATA[>")
    name = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2011-11-11/HTMLQuestion.xsd"
    return (
        f'<HTMLQuestion xmlns="{name}"><HTMLContent><![CDATA[{inside}]]></HTMLContent>'
        "<FrameHeight>0</FrameHeight></HTMLQuestion>"
    )


def digest_of(salt: str, worker: str) -> str:
    """Stands for a worker on a page, where the script makes the same of the id in the page's address."""
    return hashlib.sha256(f"{salt}:{worker}".encode()).hexdigest()


def readable(item: Item) -> str:
    """All fields of an item as one text."""
    if set(item.fields) == {"text"}:
        return item.plain_text
    return "\n".join(f"{name}: {value}" for name, value in item.fields.items())


def _images(item: Item, most: int | None) -> list[str]:
    """Addresses of those that a page can show where texts are cut at `most`; none at the shortest cut."""
    if most == CUTS[-1]:
        return []
    images = [one for one in item.images if _IMAGE.match(one) and len(one) <= (most or MOST_BYTES)]
    return images[:MOST_IMAGES]


def _panel(title: str, text: str, most: int | None) -> Panel:
    return Panel(title, text if most is None else text[:most], most is not None and len(text) > most)


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src http: https: data:; base-uri 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
