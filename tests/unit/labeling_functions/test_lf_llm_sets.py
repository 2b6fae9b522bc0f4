"""Which of several classes apply, asked of language models: the form, the reading, the votes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_judge import ScriptedModel, ask_all, reply

from labeling_functions import ABSTAIN, Item
from labeling_functions.llm.answer_form import AnswerForm
from labeling_functions.llm.exemplars import Exemplar
from labeling_functions.llm.parsing import UNREADABLE, read, read_several
from labeling_functions.llm.settings import ExemplarSettings, LLMSettings
from labeling_functions.llm.variant import LLMVote, Variant
from labeling_functions.task import MULTILABEL, Task

NAMES = ("billing", "praise", "C", "C++")
TASK = Task("mail", NAMES, MULTILABEL, descriptions={"praise": "Somebody is happy."})
FORM = AnswerForm(NAMES, as_json=True, sets=True)
TOLD = AnswerForm(NAMES, as_json=True, confidence=True, sets=True)
SEVERAL = AnswerForm(NAMES, as_json=True, confidence=True, several=True, sets=True)
EVERY = [FORM, TOLD, AnswerForm(NAMES, as_json=True, reason_first=True, confidence=True, sets=True)]
ITEMS = [Item(name, {"text": name}) for name in "abc"]
SURE = {"billing": 0.9, "praise": 0.2, "C": 0.05, "C++": 0.6}


def variant(**settings: object) -> Variant:
    return Variant("llm/one", TASK, LLMSettings(endpoint="e", model="m", **settings))


def said(*labels: str, **more: object) -> str:
    return json.dumps({"labels": labels, **more})


@pytest.mark.parametrize("form", EVERY)
@pytest.mark.parametrize("reason", ["", 'It is {"labels": ["praise"]}.'])
def test_what_is_written_for_an_exemplar_reads_as_its_set(form: AnswerForm, reason: str) -> None:
    for label in range(1 << len(NAMES)):
        answer = read(form.written(label, reason), form)
        assert (answer.label, answer.parsed, answer.by_class) == (label, True, ())
    for label in (0, 5):
        assert [one.label for one in read_several(SEVERAL.written(label), SEVERAL, 1)] == [label]


def test_the_instruction_asks_for_all_that_apply_and_for_none() -> None:
    for form in (*EVERY, SEVERAL):
        assert '"labels": [LABEL, ...]' in form.instruction and "[] if none does" in form.instruction
        assert "billing, praise, C, C++" in form.instruction
        assert ("{LABEL: NUMBER, ...}" in form.instruction) == form.confidence
        assert '"label":' not in form.instruction


def test_the_schema_is_a_strict_list_of_the_labels() -> None:
    schema = SEVERAL.schema()["properties"]["answers"]["items"]
    assert schema["properties"]["labels"] == {
        "type": "array",
        "items": {"type": "string", "enum": list(NAMES)},
    }
    told = schema["properties"]["confidence"]
    assert told["required"] == list(told["properties"]) == list(NAMES)
    assert schema["additionalProperties"] is told["additionalProperties"] is False
    assert "confidence" not in FORM.schema()["properties"]


def test_a_set_is_in_json_alone() -> None:
    with pytest.raises(ValueError, match="only a JSON answer"):
        AnswerForm(NAMES, sets=True)


@given(st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=12, unique=True), st.booleans())
def test_the_longest_answer_has_room(names: list[str], told: bool) -> None:
    form = AnswerForm(tuple(names), as_json=True, confidence=told, sets=True)
    whole = {"labels": names, "confidence": dict.fromkeys(names, 0.95)} if told else {"labels": names}
    fewest = len(json.dumps(whole, ensure_ascii=False).encode()) / 4
    assert form.longest() >= fewest
    assert form.longest(3) == 3 * form.longest()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (said("billing", "C++"), 0b1001),
        (said("C++", "billing"), 0b1001),
        (said(), 0),
        (said(" Praise. ", "`c`"), 0b0110),
        (f"```json\n{said('C')}\n```", 0b0100),
        (f"Let me see.\n{said('C')}", 0b0100),
    ],
)
def test_lists_of_labels_parse(text: str, label: int) -> None:
    answer = read(text, FORM)
    assert (answer.label, answer.parsed) == (label, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "billing, praise",
        '["billing"]',
        '{"labels": "billing"}',
        '{"labels": {"billing": true}}',
        '{"labels": null}',
        '{"label": ["billing"]}',
        said("billing", "billing"),
        said("billing", "Billing!"),
        said("billing", "eggs"),
        said("billing, praise"),
        said("none"),
        '{"labels": [true]}',
        '{"labels": [["billing"]]}',
        '{"labels": ["billing"], "labels": ["praise"]}',
        said("billing") + said("praise"),
    ],
)
def test_what_is_no_list_of_labels_does_not_parse(text: str) -> None:
    assert read(text, FORM) == UNREADABLE


@pytest.mark.parametrize(
    ("told", "by_class"),
    [
        (SURE, (0.9, 0.2, 0.05, 0.6)),
        (dict(reversed(SURE.items())), (0.9, 0.2, 0.05, 0.6)),
        ({**SURE, "praise": "20 %"}, (0.9, 0.2, 0.05, 0.6)),
        ({"billing": 0.9}, ()),
        ({**SURE, "praise": "hardly"}, ()),
        ({**SURE, "eggs": 0.5}, ()),
        ({**SURE, "BILLING": 0.5}, ()),
        (0.9, ()),
        (None, ()),
    ],
)
def test_confidence_is_told_of_every_class_or_of_none(told: object, by_class: tuple[float, ...]) -> None:
    answer = read(said("billing", confidence=told), TOLD)
    assert (answer.label, answer.parsed, answer.by_class) == (1, True, by_class)


def test_answers_to_several_items_are_told_apart() -> None:
    entries = [
        {"id": 3, "labels": ["praise"]},
        {"id": 1, "labels": []},
        {"id": 2, "labels": ["eggs"]},
    ]
    answers = read_several(json.dumps({"answers": entries}), SEVERAL, 4)
    assert [one.label for one in answers] == [0, ABSTAIN, 2, ABSTAIN]
    assert [one.parsed for one in answers] == [True, False, True, False]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["labels", "confidence", "id", *NAMES]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_whatever_comes_is_a_label_or_unreadable(labels: object, told: object) -> None:
    answer = read(json.dumps({"labels": labels, "confidence": told}), TOLD)
    assert ABSTAIN <= answer.label < 1 << len(NAMES)
    assert answer.parsed == (answer.label != ABSTAIN)
    assert len(answer.by_class) in (0, len(NAMES))
    assert all(0 <= one <= 1 for one in answer.by_class)


def test_an_empty_list_is_an_answer_and_no_abstention() -> None:
    one = variant(confidence="none")
    votes = one.votes(ITEMS, [reply(said()), reply(said("praise", "C")), reply("praise")])
    assert votes[0] == LLMVote(0, None, said(), True)
    assert (votes[1].label, votes[1].parsed) == (0b0110, True)
    assert (votes[2].label, votes[2].parsed) == (ABSTAIN, False)
    second = one.second_try(ITEMS, votes)
    assert second.rows == (2,)
    assert one.votes_after(votes, second, [reply(said("praise"))])[2].label == 0b0010


def test_unless_told_otherwise_a_model_says_how_likely_each_class_is() -> None:
    vote = variant().votes(ITEMS[:1], [reply(said("billing", "C++", confidence=SURE))])[0]
    assert (vote.label, vote.by_class, vote.confidence) == (0b1001, (0.9, 0.2, 0.05, 0.6), None)
    request = variant().requests(ITEMS[:1])[0]
    assert (request.top_logprobs, request.samples) == (0, 1)
    assert "confidence" in request.schema["properties"]
    quiet = variant(confidence="none").votes(ITEMS[:1], [reply(said("billing", confidence=SURE))])[0]
    assert quiet.by_class == ()


def test_samples_say_how_likely_a_class_is_and_most_of_them_decide() -> None:
    one = variant(samples=5, temperature=0.7)
    assert one.requests(ITEMS[:1])[0].schema["properties"].keys() == {"labels"}
    texts = [said("billing", "C"), said("billing"), said("C", "billing"), said(), "who knows"]
    vote = one.votes(ITEMS[:1], [reply(*texts)])[0]
    assert (vote.label, vote.parsed) == (0b0001, True), "half of them is not most"
    assert vote.by_class == (0.75, 0.0, 0.5, 0.0), "what does not parse says nothing"
    silent = variant(samples=3, temperature=0.7, confidence="none")
    assert silent.votes(ITEMS[:1], [reply(*texts[:3])])[0].by_class == ()
    assert not one.votes(ITEMS[:1], [reply("a", "b")])[0].parsed


def test_samples_of_a_batch_are_counted_item_by_item() -> None:
    def both(*first: str) -> str:
        return json.dumps({"answers": [{"id": 1, "labels": first}, {"id": 2, "labels": ["praise"]}]})

    one = variant(samples=3, temperature=0.7, batch=2)
    votes = one.votes(ITEMS[:2], [reply(both("C"), both("C", "billing"), both())])
    assert [vote.label for vote in votes] == [0b0100, 0b0010]
    assert votes[0].by_class == pytest.approx((1 / 3, 0, 2 / 3, 0))


def test_probabilities_of_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match=r"llm/one: confidence: logprobs .* verbalized, or samples"):
        variant(confidence="logprobs")


def test_exemplars_show_lists_the_empty_one_too() -> None:
    one = variant(confidence="none", exemplars=ExemplarSettings(count=2))
    shown = [Exemplar(Item("x", {"text": "x"}), 0b0011), Exemplar(Item("y", {"text": "y"}), 0)]
    request = one.requests(ITEMS[:1], [shown])[0]
    written = [message.text for message in request.messages if message.role == "assistant"]
    assert written == ['{"labels": ["billing", "praise"]}', '{"labels": []}']


def test_a_multilabel_task_asks_otherwise_than_one_with_the_same_classes() -> None:
    single = Variant("llm/one", Task("mail", NAMES), LLMSettings(endpoint="e", model="m"))
    assert single.version != variant().version


def test_a_whole_conversation_with_a_model_that_names_several() -> None:
    texts = ("subscribe, lovely", "subscribe", "lovely", "hm")
    items = [Item(str(row), {"text": text}) for row, text in enumerate(texts)]

    def judge(text: str) -> list[str]:
        return [name for name, sign in (("ham", "lovely"), ("spam", "subscribe")) if sign in text]

    for settings in ({"confidence": "none"}, {"batch": 3}, {}):
        one = Variant(
            "llm/one",
            Task("t", ("ham", "spam"), MULTILABEL),
            LLMSettings(endpoint="e", model="m", **settings),
        )
        votes = one.votes(items, ask_all(one.requests(items), ScriptedModel(judge)))
        assert [vote.label for vote in votes] == [3, 2, 1, 0]
