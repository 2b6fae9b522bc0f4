"""Answers that parse, and answers that must not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling_functions import ABSTAIN
from labeling_functions.llm.answer_form import AnswerForm
from labeling_functions.llm.parsing import UNREADABLE, match_label, names, read, read_several, said_confidence

LABELS = ("ham", "spam", "not spam at all")
TEXT, REASONED = AnswerForm(LABELS), AnswerForm(LABELS, reason_first=True)
JSON = AnswerForm(LABELS, as_json=True, confidence=True)
SEVERAL = AnswerForm(LABELS, as_json=True, several=True)


@pytest.mark.parametrize(
    "text",
    [
        "spam",
        " Spam.\n",
        "**SPAM**",
        '"spam"',
        "`spam`!",
        "(spam)",
        "Answer: spam",
        "label = Spam",
        "- spam -",
        "**Answer:** spam",
        "Final answer: *spam*.",
        "spam\n\nBecause it sells something.",
        "“spam”",
        "It sells something.\nAnswer: spam",
        "Answer: spam\nIt sells something.",
    ],
)
def test_a_label_alone_parses(text: str) -> None:
    answer = read(text, TEXT)
    assert (answer.label, answer.parsed) == (1, True)
    assert text[answer.start :].casefold().startswith("spam")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "spam or ham",
        "ham, spam",
        "spam\nham",
        "spam\nIt could be ham as well.",
        "I think spam",
        "spammer",
        "spa m",
        "sp",
        "eggs",
        "This is not spam",
        "Answer:",
        "Answer: spam or ham",
        "1",
        "-1",
        "!",
        "Answer: ham\n...\nAnswer: spam",
        "not spam at all\nspam",
        "ＳＰＡＭＭ",
    ],
)
def test_anything_else_does_not(text: str) -> None:
    assert read(text, TEXT) == UNREADABLE


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("It looks like ham. But it sells.\n\nAnswer: spam", 1),
        ("Answer: ham? Let me think again.\nAnswer: Spam.  \n", 1),
        ("**Answer: not spam at all**", 2),
        ("It sells.\nspam", ABSTAIN),
        ("Answer: spam\nBut I am not sure.", ABSTAIN),
        ("It sells.\nAnswer: spam/ham", ABSTAIN),
        ("So the answer: it is spam", ABSTAIN),
        ("spam", ABSTAIN),
    ],
)
def test_a_chain_of_thought_ends_with_its_answer(text: str, label: int) -> None:
    answer = read(text, REASONED)
    assert (answer.label, answer.parsed) == (label, label != ABSTAIN)


@pytest.mark.parametrize(
    "text",
    [
        '{"label": "spam"}',
        '{"label":"Spam.","confidence":0.8}',
        '```json\n{"label": "spam"}\n```',
        '```\n{\n "label": "spam"\n}\n```\n',
        'Here it is:\n{"label": "spam"}',
        '{"label": "spam", "x": {}}',
        '{"reason": "says \\"label\\": \\"ham\\"", "label": "spam"}',
        ' {"confidence": null, "label": " spam "}',
    ],
)
def test_a_json_answer_parses(text: str) -> None:
    answer = read(text, JSON)
    assert (answer.label, answer.parsed) == (1, True)
    assert text[answer.start :].strip().casefold().startswith("spam")


@pytest.mark.parametrize(
    "text",
    [
        "spam",
        "{",
        '{"label": "spam"',
        '{"label": "spam", "label": "ham"}',
        '{"label": "spam or ham"}',
        '{"label": ["spam"]}',
        '{"label": null}',
        '{"label": true}',
        '{"labels": "spam"}',
        '["spam"]',
        '{"label": "ham"} {"label": "spam"}',
        '{"label": "spam"} and so on',
        '{"a": {"label": "spam"}}',
        '{"label": "spam", "label": "spam"}',
        "{" * 5000,
        '{"a":' * 100000,
        '{"label": ' + "9" * 5000 + "}",
    ],
)
def test_anything_but_one_json_object_with_one_label_does_not(text: str) -> None:
    assert read(text, JSON) == UNREADABLE


@pytest.mark.parametrize(
    ("value", "confidence"),
    [
        (0.8, 0.8),
        (1, 1.0),
        (0, 0.0),
        (80, 0.8),
        (100, 1.0),
        ("80%", 0.8),
        ("0.8", 0.8),
        (" 95.5 % ", 0.955),
        ("1 %", 0.01),
        (1.5, None),
        (-0.1, None),
        (101, None),
        ("high", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ("٨٠", None),
        ([0.8], None),
    ],
)
def test_a_confidence_is_read_as_a_share(value: object, confidence: float | None) -> None:
    assert said_confidence(value) == (pytest.approx(confidence) if confidence is not None else None)


def test_an_answer_tells_its_confidence() -> None:
    assert read('{"label": "ham", "confidence": "70 %"}', JSON).confidence == pytest.approx(0.7)
    assert read('{"label": "ham", "confidence": "quite"}', JSON).confidence is None


def several(*entries: object) -> list[int]:
    return [one.label for one in read_several(json.dumps({"answers": entries}), SEVERAL, 3)]


def test_several_answers_go_to_their_items() -> None:
    entries = [{"id": number, "label": label} for number, label in ((3, "spam"), (1, "ham"), (2, "SPAM"))]
    assert several(*entries) == [0, 1, 1]
    text = json.dumps({"answers": entries})
    for answer, label in zip(read_several(text, SEVERAL, 3), ("ham", "SPAM", "spam"), strict=True):
        assert text[answer.start :].startswith(label)


def test_missing_doubled_and_unknown_ids_are_not_parsed() -> None:
    ham, spam = {"label": "ham"}, {"label": "spam"}
    assert several({"id": 1, **ham}, {"id": "3", **spam}) == [0, ABSTAIN, 1]
    assert several({"id": 1, **ham}, {"id": 1, **ham}, {"id": 2, **spam}) == [ABSTAIN, 1, ABSTAIN]
    assert (
        several({"id": 0, **ham}, {"id": 4, **ham}, {"id": -1, **ham}, {"id": True, **ham}) == [ABSTAIN] * 3
    )
    assert several({"id": 1}, ham, "ham", {"id": 2, "label": "eggs"}, {"id": 3, **spam}) == [
        ABSTAIN,
        ABSTAIN,
        1,
    ]


@pytest.mark.parametrize(
    "text", ["", "ham", "{}", '{"answers": {}}', '{"answers": "ham"}', '{"answers": [', "[]"]
)
def test_without_a_list_of_answers_all_are_missing(text: str) -> None:
    assert read_several(text, SEVERAL, 2) == [UNREADABLE] * 2


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("C++", ("C", "C++"), 1),
        ("C++.", ("C", "C++"), 1),
        ("c", ("C", "C++"), 0),
        ("-1", ("1", "-1"), 1),
        ("(1)", ("1", "-1"), 0),
        ("A", ("a", "A"), 1),
        ("*a*", ("a", "A"), 0),
        ("STRASSE", ("Straße", "Weg"), 0),
        ("ja", ("да", "ja"), 1),
        ("да.", ("да", "ja"), 0),
        ("不同意", ("同意", "不同意"), 1),
        ("同意。", ("同意", "不同意"), 0),
    ],
)
def test_labels_that_are_alike_are_told_apart(text: str, labels: tuple[str, ...], label: int) -> None:
    assert match_label(text, labels) == label


def test_labels_that_differ_in_case_only_are_not_guessed() -> None:
    assert match_label("yEs", ("yes", "YES")) == ABSTAIN


def test_a_label_inside_a_longer_one_is_not_named() -> None:
    assert names("not spam at all, really", LABELS) == {2}
    assert names("Spam? Not spam at all!", LABELS) == {1, 2}
    assert names("spamming hamlets", LABELS) == set()


@given(st.text())
def test_no_text_makes_the_reader_fail(text: str) -> None:
    for form in (TEXT, REASONED, JSON):
        assert ABSTAIN <= read(text, form).label < len(LABELS)
    assert len(read_several(text, SEVERAL, 4)) == 4


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=9)
)
def test_no_json_makes_the_reader_fail(value: object) -> None:
    for shape in ({"label": value}, {"label": "ham", "confidence": value}, {"answers": value}):
        read(json.dumps(shape), JSON)
        read_several(json.dumps(shape), SEVERAL, 2)
    several({"id": value, "label": "ham"}, value)
