"""Where in an item's fields heuristics found something."""

from labeling_functions.function import labeling_function
from labeling_functions.heuristics import Span, keywords, longer_response, matches, spans
from labeling_functions.items import Item


@labeling_function
def shouts(item: Item) -> int | None:
    return 1 if item.text.isupper() else None


def test_every_find_of_every_pattern_is_told_in_order() -> None:
    item = Item("a", {"text": "Win £100 now, win more"})
    found = spans([matches("money", r"£\d+", 1), keywords("prize", ["win"], 1)], item)
    assert found == [
        Span("prize", "text", 0, 3),
        Span("money", "text", 4, 8),
        Span("prize", "text", 14, 17),
    ]
    assert item.text[4:8] == "£100"


def test_places_count_characters_and_not_bytes() -> None:
    item = Item("a", {"text": "🎉🎉 مبروك win"})
    (found,) = spans([keywords("prize", ["win"], 1)], item)
    assert item.text[found.start : found.end] == "win"


def test_a_function_of_one_field_marks_no_other() -> None:
    item = Item("a", {"title": "win", "body": "win", "price": 3})
    assert spans([keywords("prize", ["win"], 1, field="body")], item) == [Span("prize", "body", 0, 3)]
    assert [one.field for one in spans([keywords("prize", ["win"], 1)], item)] == ["body", "title"]


def test_what_found_nothing_to_point_at_is_left_out() -> None:
    item = Item("a", {"text": "WIN"})
    assert spans([shouts, longer_response(), matches("empty", r"x*", 1)], item) == []


def test_spans_are_limited() -> None:
    item = Item("a", {"text": "win " * 1_000})
    found = spans([keywords("prize", ["win"], 1)], item)
    assert len(found) == 200
    assert found[-1].start == 199 * 4
