"""The page of a HIT: items are text there, it fits, and it shows what the tier wants."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from daemon.adapters.outside.mturk.page import MOST_BYTES, Page, html_question
from daemon.core.errors import SetupProblem
from daemon.core.pair_order import is_turned
from daemon.core.rows import Lease
from labeling_functions.task import PREFERENCE_CLASSES, Task

MAIL = Task("mail", ("ham", "spam"), guidelines="# Rules\n\n<script>alert(1)</script> *read*")
PAIRS = Task("pairs", PREFERENCE_CLASSES, kind="preference")
SUBMIT = "https://workersandbox.mturk.com/mturk/externalSubmit"


class Seen(HTMLParser):
    """Elements, and the text outside of scripts and styles."""

    def __init__(self, shown: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(shown)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of each element of this name."""
        return [attrs for name, attrs in self.tags if name == tag]


def lease(question: int = 7, blind: bool = False, label: int | None = 1, **item: object) -> Lease:
    payload = json.dumps({"id": "i", **item}).encode()
    return Lease(question, "i", "crowd", payload, blind, 0, label, 0.873)


def shown(task: Task, asked: Lease, suggest: bool = False) -> str:
    xml = Page(task, "Is it <spam>?", SUBMIT, suggest).question(asked)
    assert len(xml.encode()) <= MOST_BYTES
    root = ElementTree.fromstring(xml)
    assert root.tag.endswith("}HTMLQuestion")
    return root.findtext("{*}HTMLContent", "")


def test_nothing_of_an_item_is_more_than_text() -> None:
    evil = "<script>alert(2)</script><img src=x onerror=alert(3)> ]]> \"'& &lt;b&gt; \x01 \U0001f600"
    images = ["https://x/'\"><script>", "javascript:alert(4)", "data:text/html,<script>"]
    page = shown(MAIL, lease(text=evil, images=images))
    seen = Seen(page)
    assert len(seen.named("script")) == 1
    assert [image["src"] for image in seen.named("img")] == ["https://x/'\"><script>"]
    assert evil.replace("\x01", "\ufffd") in seen.text
    assert "2 more of the item's pictures cannot be shown" in seen.text
    assert not any(name.startswith("on") for _, attrs in seen.tags for name in attrs)


def test_the_policy_names_this_script_and_this_style_alone() -> None:
    policy = Seen(shown(MAIL, lease(text="hi"))).named("meta")[1]["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(re.findall(r"(?:script|style)-src 'sha256-[A-Za-z0-9+/]{43}='(?:;|$)", policy)) == 2


def test_guidelines_are_markdown_without_html() -> None:
    seen = Seen(shown(MAIL, lease(text="hi")))
    assert "Rules" in seen.text
    assert "<script>alert(1)</script>" in seen.text
    assert len(seen.named("em")) == 1


def test_the_form_has_what_mechanical_turk_needs() -> None:
    seen = Seen(shown(MAIL, lease(text="hi")))
    (form,) = seen.named("form")
    assert (form["method"], form["action"]) == ("post", SUBMIT)
    names = [one["name"] for one in seen.named("input")]
    assert names == ["assignmentId", "form", "label", "label"]
    assert [one.get("value") for one in seen.named("input")[2:]] == ["ham", "spam"]


def test_a_pair_is_shown_in_its_order_and_answered_in_terms_of_a_and_b() -> None:
    fields = {"prompt": "P?", "response_a": "first-text", "response_b": "second-text"}
    turned, straight = (next(n for n in range(1, 99) if is_turned(n) is wanted) for wanted in (True, False))
    for question, values, order in (
        (straight, ["A", "B", "tie"], ("first-text", "second-text")),
        (turned, ["B", "A", "tie"], ("second-text", "first-text")),
    ):
        seen = Seen(shown(PAIRS, lease(question, fields=fields)))
        assert [one["value"] for one in seen.named("input")[2:]] == values
        assert seen.text.index(order[0]) < seen.text.index(order[1])
        assert seen.text.index("Response 1 is better") < seen.text.index("Response 2 is better")
    suggested = Seen(shown(PAIRS, lease(turned, label=1, fields=fields), suggest=True))
    assert "Suggested: Response 1 is better (87%)" in " ".join(suggested.text.split())


def test_suggestions_are_shown_where_wanted_and_never_of_blind_questions() -> None:
    assert "spam (87%)" in Seen(shown(MAIL, lease(text="hi"), suggest=True)).text
    assert "87%" not in shown(MAIL, lease(text="hi"))
    assert "87%" not in shown(MAIL, lease(text="hi", blind=True), suggest=True)
    assert "Suggested" not in shown(MAIL, lease(text="hi", label=None), suggest=True)


@pytest.mark.parametrize("unit", ["word ", "&", "\n", "\u05e9", "]]>"])
def test_a_long_text_is_cut_so_that_the_hit_can_be_made_and_the_page_says_so(unit: str) -> None:
    seen = Seen(shown(MAIL, lease(text=unit * 100_000)))
    assert "The text was longer and is cut here" in seen.text
    assert "cut here" not in Seen(shown(MAIL, lease(text=unit * 1_000))).text


def test_a_page_that_ends_a_section_of_xml_is_the_same_when_it_is_read() -> None:
    shown = "a ]]> b ]]]]>> \r\n c \x00"
    root = ElementTree.fromstring(html_question(shown))
    assert root.findtext("{*}HTMLContent", "") == "a ]]> b ]]]]>> \n c \ufffd"


def test_every_item_fits() -> None:
    images = ["https://x/" + "&" * 280 for _ in range(20)]
    long = Task("t", ("a", "b"), guidelines="word " * 8_600)
    assert "cut here" in Seen(shown(long, lease(text="&" * 9_000, images=images))).text
    images = [f"https://example.com/{'&' * 5_000}{n}" for n in range(200)]
    fields = {f"f{n}": "&" * 1_000 for n in range(300)}
    seen = Seen(shown(MAIL, lease(fields=fields, images=images)))
    assert "more of the item's pictures cannot be shown" in seen.text
    pair = dict.fromkeys(("prompt", "response_a", "response_b"), "&\n" * 90000)
    assert "cut here" in Seen(shown(PAIRS, lease(fields=pair))).text


def test_guidelines_that_leave_no_room_are_said_plainly() -> None:
    with pytest.raises(SetupProblem, match="shorten them for Mechanical Turk"):
        Page(Task("t", ("a", "b"), guidelines="word " * 12_000), "t", SUBMIT, suggest=False)


def test_multilabel_classes_are_boxes_with_fields_of_their_own() -> None:
    task = Task("t", ("late", "broken"), kind="multilabel", descriptions={"late": "It <came> late."})
    seen = Seen(shown(task, lease(text="hi", label=0)))
    boxes = seen.named("input")[2:]
    assert [(one["type"], one["name"], one["value"]) for one in boxes] == [
        ("checkbox", "label.0", "late"),
        ("checkbox", "label.1", "broken"),
    ]
    assert not any("required" in one for one in boxes)
    assert "It <came> late." in seen.text
