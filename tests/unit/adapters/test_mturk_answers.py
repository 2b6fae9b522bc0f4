"""Answers of workers: read strictly, and safely whatever somebody sends."""

from datetime import UTC, datetime, timedelta

import pytest

from daemon.adapters.outside.mturk.answers import NAMES, label_of, seconds_of
from labeling_functions.task import Task

MAIL = Task("mail", ("ham", "spam"))
SETS = Task("topics", ("late", "broken"), kind="multilabel")


def answer(*fields: tuple[str, str], names: str = NAMES.strip("{}")) -> str:
    inside = "".join(
        f"<Answer><QuestionIdentifier>{name}</QuestionIdentifier><FreeText>{text}</FreeText></Answer>"
        for name, text in fields
    )
    return f'<?xml version="1.0"?><QuestionFormAnswers xmlns="{names}">{inside}</QuestionFormAnswers>'


SENT = ("form", "labelloop")


def test_a_class_is_read_by_its_name() -> None:
    assert label_of(MAIL, answer(SENT, ("label", "spam"), ("more", "x"))) == 1


def test_a_set_is_read_and_an_empty_one_is_an_answer() -> None:
    assert label_of(SETS, answer(SENT, ("label.0", "late"), ("label.1", "broken"))) == 0b11
    assert label_of(SETS, answer(SENT)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "no xml",
        answer(SENT),
        answer(SENT, ("label", "eggs")),
        answer(("label", "spam")),
        answer(SENT, ("label", "spam"), names="http://example.com/other"),
        answer(SENT, ("label", "spam")).replace("</QuestionFormAnswers>", ""),
    ],
)
def test_what_names_no_class_is_no_answer(wrong: str) -> None:
    with pytest.raises(ValueError):
        label_of(MAIL, wrong)


def test_entities_are_never_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY e "spam">]>' + answer(SENT, ("label", "&e;")).partition("?>")[2]
    outside = '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + answer(SENT).partition("?>")[2]
    for text in (bomb, outside):
        with pytest.raises(ValueError, match="no XML that can be read"):
            label_of(MAIL, text)


def test_seconds_go_from_accepting_to_handing_in() -> None:
    accepted = datetime(2026, 1, 1, tzinfo=UTC)
    given = {"AcceptTime": accepted, "SubmitTime": accepted + timedelta(seconds=12.5)}
    assert seconds_of(given) == 12.5
    assert seconds_of({"AcceptTime": accepted, "SubmitTime": accepted - timedelta(seconds=1)}) == 0
    assert seconds_of({"AcceptTime": accepted}) == 0
