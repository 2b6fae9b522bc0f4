"""What a function sees of a message, and the definition of a task."""

import pickle

import pytest

from labeling_functions import Item
from labeling_functions.task import Task


def test_fields_are_attributes_and_entries():
    item = Item("1", {"title": "Win", "n": 3}, subject="s", metadata={"source": "a"})
    assert (item.title, item["title"], item.n, item.subject) == ("Win", "Win", 3, "s")


def test_an_absent_field_is_named_with_the_item():
    item = Item("sms-1", {"text": "x"})
    with pytest.raises(AttributeError, match="item 'sms-1' has no field 'txet'"):
        _ = item.txet
    with pytest.raises(KeyError, match="txet"):
        item["txet"]


def test_a_field_named_like_an_attribute_hides_nothing():
    item = Item("1", {"id": "other", "fields": 1, "metadata": 2, "plain_text": 3, "text": "x"})
    assert (item.id, item.metadata, item.plain_text, item.fields["id"], item["id"]) == (
        "1",
        {},
        "x",
        "other",
        "other",
    )


def test_items_cannot_be_changed_and_can_be_pickled():
    item = Item("1", {"text": "x"})
    with pytest.raises(AttributeError):
        item.text = "y"  # type: ignore[misc]
    copy = pickle.loads(pickle.dumps(item))
    assert copy == item
    assert copy.text == "x"


def test_plain_text_is_the_text_or_every_string():
    assert Item("1", {"text": "a", "title": "b"}).plain_text == "a"
    assert Item("1", {"title": "b", "n": 1, "body": "c"}).plain_text == "b\nc"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("a",)}, "1 given; a task has 2 to 127 classes"),
        ({"classes": ("a", "b", "a")}, "has a name twice"),
        ({"kind": "guess"}, "'guess' is not one of classification"),
        ({"descriptions": {"c": "?"}}, "c is not among the classes"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Task(**{"name": "t", "classes": ("a", "b"), **changes})
