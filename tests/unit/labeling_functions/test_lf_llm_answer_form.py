"""The form of an answer: what is told, what exemplars show and the schema agree with the reader."""

import json

import pytest

from labeling_functions.llm.answer_form import AnswerForm
from labeling_functions.llm.parsing import read, read_several

LABELS = ("ham", "spam", "not sure")
ONE = [
    AnswerForm(LABELS),
    AnswerForm(LABELS, reason_first=True),
    AnswerForm(LABELS, as_json=True),
    AnswerForm(LABELS, as_json=True, reason_first=True, confidence=True),
]
SEVERAL = [
    AnswerForm(LABELS, as_json=True, several=True),
    AnswerForm(LABELS, as_json=True, reason_first=True, confidence=True, several=True),
]


@pytest.mark.parametrize("form", ONE)
@pytest.mark.parametrize("reason", ["", "It sells.\nAnswer: ham? No."])
def test_what_is_written_for_an_exemplar_reads_as_its_label(form: AnswerForm, reason: str) -> None:
    for label in range(len(LABELS)):
        answer = read(form.written(label, reason), form)
        assert (answer.label, answer.parsed) == (label, True)


@pytest.mark.parametrize("form", SEVERAL)
def test_so_it_does_in_a_prompt_for_several(form: AnswerForm) -> None:
    assert [one.label for one in read_several(form.written(2, "so"), form, 1)] == [2]


@pytest.mark.parametrize("form", [*ONE, *SEVERAL])
def test_the_instruction_names_every_label_and_key(form: AnswerForm) -> None:
    assert "ham, spam, not sure" in form.instruction
    for key, wanted in (("label", True), ("confidence", form.confidence), ("reason", form.reason_first)):
        assert (f'"{key}":' in form.instruction) == (form.as_json and wanted)


def test_reasons_come_before_labels() -> None:
    form = AnswerForm(LABELS, as_json=True, reason_first=True, confidence=True)
    assert list(form.schema()["properties"]) == ["reason", "label", "confidence"]
    assert form.instruction.index("reason") < form.instruction.index("label")
    assert list(json.loads(form.written(1, "so"))) == ["reason", "label"]


def test_the_schema_is_strict() -> None:
    assert AnswerForm(LABELS).schema() is None
    whole = AnswerForm(LABELS, as_json=True, several=True).schema()
    entry = whole["properties"]["answers"]["items"]
    assert entry["properties"]["label"]["enum"] == list(LABELS)
    for level in (whole, entry):
        assert level["required"] == list(level["properties"])
        assert level["additionalProperties"] is False


def test_longer_answers_get_more_tokens() -> None:
    plain, reasoned = AnswerForm(LABELS), AnswerForm(LABELS, reason_first=True)
    assert plain.longest() < AnswerForm(LABELS, as_json=True).longest() < reasoned.longest()
    assert SEVERAL[0].longest(5) == 5 * SEVERAL[0].longest()
    assert AnswerForm(("x" * 400, "y")).longest() > 200


@pytest.mark.parametrize("given", [{"confidence": True}, {"several": True}])
def test_only_json_holds_more_than_a_label(given: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match="only a JSON answer"):
        AnswerForm(LABELS, **given)
