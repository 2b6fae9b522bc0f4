"""Records become items, or a reason that a person can act on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.decoding import Arrival, Rejected, decode, decode_stored
from daemon.core.wire import Record
from labeling_functions.pairs import Pair, pair_of


def record(value: bytes | None) -> Record:
    return Record("items", 0, 7, b"k", value, 1_700_000_000_000)


def said(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_text_message_becomes_an_item() -> None:
    arrival = decode(
        record(said({"id": "a", "text": "hello", "subject": "s", "created": "2026-01-01"})), 1_000
    )
    assert isinstance(arrival, Arrival)
    assert arrival.item.id == "a"
    assert arrival.item.text == "hello"
    assert arrival.item.subject == "s"
    assert len(arrival.digest) == 16


def test_fields_are_an_item_too() -> None:
    arrival = decode(record(said({"id": "a", "fields": {"title": "t", "body": "b", "n": 3}})), 1_000)
    assert isinstance(arrival, Arrival)
    assert arrival.item.plain_text == "t\nb"
    assert arrival.item.n == 3


@pytest.mark.parametrize(
    ("value", "reason", "hint"),
    [
        (None, "empty", "no value"),
        (b"x" * 2_000, "too_large", "max_message_bytes"),
        (b'{"id": "a", "text": "\xff"}', "not_utf8", "UTF-8"),
        (b"{not json", "not_json", "malformed"),
        (b"", "not_json", ""),
        (said([1, 2]), "wrong_shape", "array"),
        (said({"id": 5, "text": "x"}), "wrong_shape", "$.id"),
        (said({"text": "x"}), "wrong_shape", "id"),
        (said({"id": "", "text": "x"}), "wrong_shape", "empty"),
        (said({"id": "a\x00", "text": "x"}), "wrong_shape", "NUL"),
        (said({"id": "a" * 600, "text": "x"}), "wrong_shape", "bytes"),
        (said({"id": "a"}), "wrong_shape", "either"),
        (said({"id": "a", "text": "x", "fields": {"b": 1}}), "wrong_shape", "either"),
        (said({"id": "a", "fields": {}}), "wrong_shape", "empty"),
        (said({"id": "a", "text": "x", "subject": "\x00"}), "wrong_shape", "subject"),
    ],
)
def test_what_can_never_be_labeled_says_why(value: bytes | None, reason: str, hint: str) -> None:
    rejected = decode(record(value), 1_000)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == reason
    assert hint in rejected.detail


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ({"text": "x"}, "`left`, `right` are missing"),
        ({"fields": {"left": "x", "right": 3}}, "`right` is no text"),
    ],
)
def test_what_is_not_two_texts_says_what_it_lacks(content: dict[str, object], hint: str) -> None:
    rejected = decode(record(said({"id": "a", **content})), 1_000, "matching")
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, hint in rejected.detail) == ("wrong_shape", True)
    whole = said({"id": "a", "fields": {"left": "x", "right": "y", "shop": 3}})
    assert isinstance(decode(record(whole), 1_000, "matching"), Arrival)


PAIR = {"prompt": "Name a color.", "response_a": "Red.", "response_b": "A chair."}


def test_a_pair_is_an_item_of_a_preference_task() -> None:
    arrival = decode(record(said({"id": "a", "fields": PAIR | {"model_a": "x"}})), 1_000, "preference")
    assert isinstance(arrival, Arrival)
    assert pair_of(arrival.item) == Pair("Name a color.", "Red.", "A chair.")


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ({"text": "x"}, "`prompt`, `response_a`, `response_b` are missing"),
        ({"fields": {"prompt": "p", "response_a": "a"}}, "`response_b` is missing"),
        ({"fields": PAIR | {"response_b": None}}, "`response_b` is no text"),
        ({"fields": PAIR | {"response_a": ["a"], "response_b": 3}}, "`response_a`, `response_b` are no text"),
    ],
)
def test_what_is_no_pair_says_what_it_lacks(content: dict[str, object], hint: str) -> None:
    value = said({"id": "a", **content})
    rejected = decode(record(value), 1_000, "preference")
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "wrong_shape"
    assert hint in rejected.detail
    assert isinstance(decode(record(value), 1_000), Arrival), "other kinds take it"
    with pytest.raises(ValueError, match="item 'a'"):
        pair_of(decode_stored(value))


def test_layout_and_unknown_keys_do_not_change_the_digest() -> None:
    first = decode(record(b'{"id":"a","text":"x","metadata":{"b":1,"a":2}}'), 1_000)
    second = decode(record(b'{ "metadata": {"a":2, "b":1}, "text":"x", "id":"a", "new": 1 }'), 1_000)
    assert isinstance(first, Arrival)
    assert isinstance(second, Arrival)
    assert first.digest == second.digest


def test_other_content_has_another_digest() -> None:
    first = decode(record(said({"id": "a", "text": "x"})), 1_000)
    second = decode(record(said({"id": "a", "text": "y"})), 1_000)
    assert isinstance(first, Arrival)
    assert isinstance(second, Arrival)
    assert first.digest != second.digest


@given(st.binary(max_size=300))
def test_any_bytes_end_as_an_item_or_a_reason(value: bytes) -> None:
    assert isinstance(decode(record(value), 1_000), Arrival | Rejected)


@given(
    st.fixed_dictionaries(
        {"id": st.text(min_size=1, max_size=20), "text": st.text(max_size=50)},
        optional={"subject": st.text(max_size=5), "images": st.lists(st.text(max_size=5), max_size=3)},
    )
)
def test_accepted_payloads_can_be_read_again(message: dict[str, object]) -> None:
    value = json.dumps(message).encode()
    arrival = decode(record(value), 10_000)
    if isinstance(arrival, Arrival):
        assert decode_stored(value) == arrival.item
