"""What pages make of guidelines and items."""

import pytest

from daemon.review.rendering import class_name, fields_of, guidelines_html, moment, snippet


def test_guidelines_are_markdown() -> None:
    html = guidelines_html("# Rules\n\nIs it **spam**?\n\n- a\n- b")
    assert "<h3>Rules</h3>" in html, "headings stand below those of the page"
    assert "<strong>spam</strong>" in html
    assert html.count("<li>") == 2


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,AAAA)",
        "![x](http://elsewhere.example/pixel.png)",
    ],
)
def test_guidelines_bring_no_script_and_nothing_from_elsewhere(hostile: str) -> None:
    html = guidelines_html(hostile)
    for mark in ("<script", "<img", 'href="javascript', 'href="data', "src="):
        assert mark not in html.replace("&lt;img src=x", "")


def test_fields_without_metadata() -> None:
    payload = b'{"id": "a", "fields": {"title": "T", "facts": {"n": 1}}, "metadata": {"hint": "spam"}}'
    assert fields_of(payload) == [("title", "T"), ("facts", '{\n  "n": 1\n}')]


def test_a_snippet_is_one_short_line() -> None:
    payload = b'{"id": "a", "text": "one\\n two   three"}'
    assert snippet(payload) == "one two three"
    assert snippet(payload, 8) == "one two…"


def test_moments_are_utc() -> None:
    assert moment(1_767_225_599_999) == "2025-12-31 23:59:59"
    assert moment(None) == ""


def test_a_class_that_the_task_lost_has_a_number() -> None:
    assert class_name(1, ("ham", "spam")) == "spam"
    assert class_name(2, ("ham", "spam")) == "class 2"
