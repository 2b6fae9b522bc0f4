"""Whatever a producer sends, a worker goes on: an item, or a dead letter that can be published and read."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from daemon.core.decoding import MAX_DEPTH, Arrival, Rejected, decode, decode_stored
from daemon.core.messages import dead_letter, held_question
from daemon.core.outside import OutsideVote
from daemon.core.policy import Outputs
from daemon.core.rows import Lease
from daemon.core.vote_decoding import decode_vote
from daemon.core.wire import Record
from labeling_functions.label_space import LabelSpace
from labeling_functions.task import KINDS

OUTPUTS = Outputs("labels", "questions", "dead-letters", lambda topic, keys: [len(key) % 3 for key in keys])
MOST_BYTES = 100_000

TEXTS = st.one_of(
    st.text(max_size=8).map(json.dumps),
    st.sampled_from(
        [r'"\ud800"', r'"a\udc00\ud800b"', r'"\u0000"', r'"\ud83d\ude00"', '"\x7f"', '"' + "x" * 600 + '"']
    ),
)
NUMBERS = st.sampled_from(
    [
        "0",
        "-0",
        "1e999",
        "-1e999",
        "1" * 30,
        "-" + "9" * 400,
        "9" * 5_000,
        "0." + "0" * 400 + "1",
        "1.5",
        "NaN",
    ]
)
SCALARS = TEXTS | NUMBERS | st.sampled_from(["null", "true", "false", "", "[", '"', "//"])
VALUES = st.recursive(
    SCALARS,
    lambda below: (
        st.lists(below, max_size=3).map(lambda some: f"[{', '.join(some)}]")
        | st.lists(st.tuples(TEXTS, below), max_size=3).map(
            lambda some: "{" + ", ".join(f"{name}: {value}" for name, value in some) + "}"
        )
    ),
    max_leaves=6,
)
DEEP = st.builds(
    lambda n, opened, closed: opened * n + "1" + closed * n,
    st.integers(1, 30_000),
    st.just("["),
    st.sampled_from(["]", ""]),
)


def objects(names: list[str], usual: dict[str, str]) -> st.SearchStrategy[bytes]:
    """JSON objects that are nearly right: some of these names, most with their usual value."""
    odd = st.dictionaries(st.sampled_from(names), VALUES | DEEP, max_size=2)
    left_out = st.sets(st.sampled_from(names), max_size=1)
    return st.builds(
        lambda wrong, without: (
            "{"
            + ", ".join(
                f'"{name}": {value}' for name, value in {**usual, **wrong}.items() if name not in without
            )
            + "}"
        ).encode(errors="surrogatepass"),
        odd,
        left_out,
    )


ITEM_NAMES = ["id", "text", "fields", "images", "subject", "metadata", "created", "else"]
PAIR = '{"prompt": "p", "response_a": "a", "response_b": "b"}'
ITEMS = objects(ITEM_NAMES, {"id": '"a"', "text": '"t"'}) | objects(ITEM_NAMES, {"id": '"a"', "fields": PAIR})
VOTES = objects(
    ["question", "annotator", "label", "labels", "probabilities", "seconds", "external", "else"],
    {"question": "3", "annotator": '"ann"', "label": '"ham"'},
)
TIMES = st.sampled_from([0, -1, 1_700_000_000_000, 253_402_300_800_000, 2**62, -(2**62)])


def published(rejected: Rejected) -> None:
    letter = dead_letter(rejected, OUTPUTS)
    assert rejected.reason
    assert rejected.detail
    assert dict(letter.headers)["time"].startswith((b"19", b"20", b"99"))


@given(value=ITEMS | st.binary(max_size=60), kind=st.sampled_from(KINDS), timestamp=TIMES)
@example(value=b'{"id": "a", "fields": {"n": ' + b"[" * 60_000 + b"}}", kind="classification", timestamp=0)
def test_any_message_ends_as_an_item_or_a_dead_letter(value: bytes, kind: str, timestamp: int) -> None:
    found = decode(Record("items", 0, 7, b"\xff", value, timestamp), MOST_BYTES, kind)
    if isinstance(found, Rejected):
        published(found)
        return
    item = decode_stored(value)
    assert (item, len(found.digest)) == (found.item, 16)
    assert "\x00" not in item.id + (item.subject or "")
    item.plain_text.encode()
    question = held_question(Lease(1, item.id, "crowd", value, False, 0), 0, OUTPUTS)
    assert json.loads(question.value)["content"]["id"] == item.id


@given(value=VOTES | st.binary(max_size=60), timestamp=TIMES, sets=st.booleans())
def test_any_vote_can_be_stored_or_is_a_dead_letter(value: bytes, timestamp: int, sets: bool) -> None:
    found = decode_vote(Record("votes", 0, 7, None, value, timestamp), LabelSpace(("ham", "spam"), sets))
    if isinstance(found, Rejected):
        published(found)
        return
    assert isinstance(found, OutsideVote)
    for text in (found.annotator, found.external or ""):
        assert "\x00" not in text, "no column of PostgreSQL takes it"
        text.encode()


def nested(levels: int, name: str = "fields") -> bytes:
    """An item with so many objects and lists in each other."""
    inner = "[" * (levels - 2) + "]" * (levels - 2)
    content = {"fields": '"x": ' + inner, "else": '"x": ' + inner}[name]
    text = "" if name == "fields" else '"text": "t", '
    return f'{{"id": "a", {text}"{name}": {{{content}}}}}'.encode()


@pytest.mark.parametrize("name", ["fields", "else"])
def test_how_deep_an_item_may_be_does_not_depend_on_who_reads_it(name: str) -> None:
    """A worker that takes what a page, with more calls below it, cannot read would leave it unanswered."""
    assert isinstance(decode(Record("items", 0, 0, None, nested(MAX_DEPTH, name), 0), MOST_BYTES), Arrival)
    rejected = decode(Record("items", 0, 0, None, nested(MAX_DEPTH + 1, name), 0), MOST_BYTES)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "wrong_shape"
    assert "in each other" in rejected.detail


def test_brackets_in_texts_nest_nothing() -> None:
    texts: dict[str, Any] = {"a": "[" * 500, "b": '\\"[{' * 500, "c": [[]] * 500}
    value = msgspec.json.encode({"id": "a", "fields": texts})
    assert isinstance(decode(Record("items", 0, 0, None, value, 0), MOST_BYTES), Arrival)
