"""A variant's requests, what their replies mean, and what changes its version."""

import json
import math
from dataclasses import replace

import pytest
from scripted_judge import ScriptedModel, ask_all, reply

from labeling_functions import ABSTAIN, Item
from labeling_functions.llm.chat_model import ChatReply, Token
from labeling_functions.llm.exemplars import Exemplar
from labeling_functions.llm.settings import ExemplarSettings, LLMSettings
from labeling_functions.llm.templates import PromptError
from labeling_functions.llm.variant import LLMVote, Variant
from labeling_functions.task import Task

TASK = Task("comments", ("ham", "spam"), guidelines="Advertising is spam.")
ITEMS = [Item(name, {"text": f"{name} subscribe" if name in "bd" else name}) for name in "abcde"]


def variant(**settings: object) -> Variant:
    return Variant("llm/one", TASK, LLMSettings(endpoint="e", model="m", **settings))


def answers(*labels: tuple[int, str]) -> ChatReply:
    return reply(json.dumps({"answers": [{"id": number, "label": label} for number, label in labels]}))


def with_tokens(text: str, **shares: float) -> ChatReply:
    logs = {name: math.log(share) for name, share in shares.items()}
    return ChatReply((text,), ((Token(text, logs[text], logs),),), 0, 0, 0.0)


def test_each_item_is_a_request_and_a_vote() -> None:
    one = variant(confidence="none", temperature=0.3, max_tokens=7)
    requests = one.requests(ITEMS)
    assert [request.model for request in requests] == ["m"] * 5
    assert {(request.temperature, request.max_tokens, request.samples) for request in requests} == {
        (0.3, 7, 1)
    }
    votes = one.votes(ITEMS, ask_all(requests, ScriptedModel()))
    assert [vote.label for vote in votes] == [0, 1, 0, 1, 0]
    assert votes[1] == LLMVote(1, None, "spam", True)


def test_a_batch_is_a_request_and_a_vote_for_each_item() -> None:
    one = variant(batch=2)
    requests = one.requests(ITEMS)
    assert len(requests) == 3
    votes = one.votes(ITEMS, ask_all(requests, ScriptedModel()))
    assert [vote.label for vote in votes] == [0, 1, 0, 1, 0]


def test_items_with_pictures_are_asked_about_alone() -> None:
    items = [*ITEMS[:2], Item("p", {"text": "p"}, images=("https://a/1.png",)), *ITEMS[2:]]
    one = variant(batch=5)
    requests = one.requests(items)
    assert [request.messages[-1].images for request in requests] == [(), ("https://a/1.png",), ()]
    votes = one.votes(items, ask_all(requests, ScriptedModel()))
    assert [vote.label for vote in votes] == [0, 1, 0, 0, 1, 0]


def test_replies_must_fit_the_requests() -> None:
    with pytest.raises(ValueError, match="llm/one: 2 replies to 3 requests"):
        variant(batch=2).votes(ITEMS, [reply("")] * 2)


def test_what_did_not_parse_is_asked_to_be_repaired_once() -> None:
    one = variant(confidence="none")
    votes = one.votes(ITEMS[:3], [reply("ham"), reply("I would say spam"), reply("ham")])
    assert votes[1] == LLMVote(ABSTAIN, None, "I would say spam", False)
    second = one.second_try(ITEMS[:3], votes)
    assert second.rows == (1,)
    assert "I would say spam" in second.requests[0].messages[-1].text
    assert [vote.label for vote in one.votes_after(votes, second, [reply("spam")])] == [0, 1, 0]
    assert [vote.parsed for vote in one.votes_after(votes, second, [reply("eh")])] == [True, False, True]


def test_missing_items_of_a_batch_are_asked_about_alone() -> None:
    one = variant(batch=3)
    votes = one.votes(ITEMS, [answers((1, "ham"), (3, "spam")), answers((1, "spam"))])
    assert [vote.label for vote in votes] == [0, ABSTAIN, 1, 1, ABSTAIN]
    second = one.second_try(ITEMS, votes)
    assert second.rows == (1, 4)
    assert list(second.requests) == [one.requests([ITEMS[row]])[0] for row in second.rows]
    after = one.votes_after(votes, second, ask_all(second.requests, ScriptedModel()))
    assert [vote.label for vote in after] == [0, 1, 1, 1, 0]


def test_nothing_is_asked_again_when_everything_parsed() -> None:
    one = variant(confidence="none")
    votes = one.votes(ITEMS[:1], [reply("ham")])
    assert one.second_try(ITEMS[:1], votes).requests == ()


def test_confidence_comes_from_tokens_first() -> None:
    voted = variant(confidence="logprobs").votes(ITEMS[:1], [with_tokens("spam", spam=0.6, ham=0.2)])
    assert voted[0].confidence == pytest.approx(0.75)
    assert (
        variant(confidence="none").votes(ITEMS[:1], [with_tokens("spam", spam=0.6, ham=0.2)])[0].confidence
        is None
    )


def test_auto_takes_what_the_model_says_where_there_are_no_tokens() -> None:
    one = variant()
    assert one.votes(ITEMS[:1], [reply('{"label": "spam", "confidence": 0.9}')])[0].confidence == 0.9
    texts = ['{"label": "', "spam", '", "confidence": 0.9}']
    logs = {"spam": math.log(0.3), "ham": math.log(0.2)}
    tokens = tuple(Token(text, logs.get(text, 0.0), logs if text == "spam" else {}) for text in texts)
    both = ChatReply(("".join(texts),), (tokens,), 0, 0, 0.0)
    assert one.votes(ITEMS[:1], [both])[0].confidence == pytest.approx(0.6)
    assert variant(confidence="logprobs").votes(ITEMS[:1], [reply("spam")])[0].confidence is None


def test_only_what_reads_tokens_asks_for_them() -> None:
    wanted = {
        how: variant(confidence=how).requests(ITEMS[:1])[0]
        for how in ("auto", "logprobs", "verbalized", "none")
    }
    assert {how: request.top_logprobs for how, request in wanted.items()} == {
        "auto": 5,
        "logprobs": 5,
        "verbalized": 0,
        "none": 0,
    }
    assert [how for how, request in wanted.items() if request.schema] == ["auto", "verbalized"]


def test_samples_are_put_to_the_vote() -> None:
    one = variant(samples=5, temperature=0.7)
    assert one.requests(ITEMS[:1])[0].samples == 5
    vote = one.votes(ITEMS[:1], [reply("spam", "ham", "spam", "who knows", "spam")])[0]
    assert (vote.label, vote.confidence, vote.parsed) == (1, pytest.approx(0.6), True)
    even = one.votes(ITEMS[:1], [reply("spam", "ham")])[0]
    assert (even.label, even.confidence, even.parsed) == (ABSTAIN, None, True)
    assert not one.votes(ITEMS[:1], [reply("a", "b")])[0].parsed
    assert not one.votes(ITEMS[:1], [reply()])[0].parsed


def test_samples_of_a_batch_are_put_to_the_vote_item_by_item() -> None:
    one = variant(samples=3, temperature=0.7, batch=2)
    texts = [answers((1, first), (2, "ham")).texts[0] for first in ("spam", "ham", "spam")]
    votes = one.votes(ITEMS[:2], [reply(*texts)])
    assert [(vote.label, vote.confidence) for vote in votes] == [(1, pytest.approx(2 / 3)), (0, 1.0)]


def test_exemplars_are_each_items_own_and_as_many_as_set() -> None:
    one = variant(confidence="none", exemplars=ExemplarSettings(count=2))
    chosen = [
        [Exemplar(Item(f"{item.id}{row}", {"text": f"{item.id}-{row}"}), 1) for row in range(3)]
        for item in ITEMS
    ]
    requests = one.requests(ITEMS, chosen)
    for item, request in zip(ITEMS, requests, strict=True):
        shown = [one.text for one in request.messages if one.role == "user"]
        assert len(shown) == 3
        assert f"\n{item.id}-0\n" in shown[0]
        assert f"\n{item.id}-1\n" in shown[1]


def test_no_exemplar_shows_an_item_of_the_prompt() -> None:
    one = variant(confidence="none", exemplars=ExemplarSettings(count=5))
    chosen = [[Exemplar(ITEMS[0], 1), Exemplar(Item("z", {"text": " A"}), 1), Exemplar(ITEMS[1], 1)]]
    assert [message.role for message in one.requests(ITEMS[:1], chosen)[0].messages].count("assistant") == 1


def test_equal_questions_are_equal_requests() -> None:
    assert variant().requests(ITEMS) == variant().requests(ITEMS)


def test_bad_templates_are_refused_at_once() -> None:
    with pytest.raises(PromptError, match="template llm/one: block item: variable 'txt'"):
        variant(template="{% block item %}{{ txt }}{% endblock %}")
    with pytest.raises(ValueError, match=r"llm/one: template_file: a\.j2 was not read"):
        variant(template_file="a.j2")


BASE = variant()
CHANGED = {
    "model": replace(BASE, settings=replace(BASE.settings, model="n")),
    "template": variant(template="{% block item %}It: {{ item }}{% endblock %}"),
    "exemplars": variant(exemplars=ExemplarSettings(count=1)),
    "choice of exemplars": variant(exemplars=ExemplarSettings(count=1, how="similar")),
    "chain of thought": variant(chain_of_thought=True),
    "samples": variant(samples=3, temperature=0.5),
    "temperature": variant(temperature=0.5),
    "longest answer": variant(max_tokens=5),
    "batch": variant(batch=2),
    "confidence": variant(confidence="none"),
    "guidelines": replace(BASE, task=replace(TASK, guidelines="Other.")),
    "classes": replace(BASE, task=replace(TASK, classes=("spam", "ham"))),
    "descriptions": replace(BASE, task=replace(TASK, descriptions={"spam": "advertising"})),
}


def test_what_shapes_answers_changes_the_version() -> None:
    versions = {name: one.version for name, one in CHANGED.items()} | {"base": BASE.version}
    assert len(set(versions.values())) == len(versions)


def test_what_does_not_shape_them_leaves_it() -> None:
    assert replace(BASE, name="llm/two").version == BASE.version
    assert replace(BASE, settings=replace(BASE.settings, endpoint="f")).version == BASE.version
    assert variant().version == BASE.version
