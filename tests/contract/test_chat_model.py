"""What every chat model keeps to: the scripted server, and SmolLM2 where it is installed."""

import json
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from llm_fixtures import local_llm

from labeling_functions.llm.calls import endpoint_model
from labeling_functions.llm.chat_model import ChatModel, ChatRefused, ChatReply, ChatRequest, Message
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import answer_tokens_at_most, longest, price, prompt_tokens_at_most
from labeling_functions.llm.scripted_completion import Answer
from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer

__all__ = ["local_llm"]

EXAMPLES = [
    ("Check out my channel and subscribe please http://bit.ly/x", "spam"),
    ("This song never gets old, I love it", "ham"),
    ("Earn money at home, visit my site now", "spam"),
    ("Her voice is amazing in this video", "ham"),
]
LABEL = {
    "type": "object",
    "properties": {"label": {"enum": ["spam", "ham"]}},
    "required": ["label"],
    "additionalProperties": False,
}


def few_shot(text: str, **decoding: object) -> ChatRequest:
    """Is this comment spam?"""
    messages = [Message("system", "Classify comments on videos. Answer spam or ham.")]
    for example, label in EXAMPLES:
        messages += [Message("user", example), Message("assistant", label)]
    messages.append(Message("user", text))
    return ChatRequest("smollm2-135m-instruct", tuple(messages), **decoding)  # type: ignore[arg-type]


def script(asked: Asked) -> Answer | Fault:
    """Finds spam by its links; has a context that prompts must fit in."""
    if len(asked.prompt.split()) > 2_048:
        return Fault("status", 400, "the prompt exceeds the context")
    spam = "http" in asked.body["messages"][-1]["content"]
    label = "spam" if spam else "ham"
    chance = 0.9 if spam else 0.2
    if "response_format" in asked.body:
        return Answer(json.dumps({"label": label}))
    return Answer(label, first={"spam": chance, "ham": 1 - chance})


@pytest.fixture(params=["scripted", pytest.param("smollm2", marks=pytest.mark.llm)])
def endpoint(request: pytest.FixtureRequest) -> Iterator[EndpointSettings]:
    """Where the model under test is reached, at a price."""

    def at(base_url: str) -> EndpointSettings:
        return EndpointSettings(base_url=base_url, price_in=0.01, price_out=0.03, schema=True)

    if request.param == "smollm2":
        yield at(request.getfixturevalue("local_llm").base_url)
    else:
        with ScriptedServer(script) as server:
            yield at(server.base_url)


@pytest.fixture
def model(endpoint: EndpointSettings) -> ChatModel:
    """It, with all that stands between."""
    return endpoint_model("test", endpoint, threading.Event(), {})


def label_chance(reply: ChatReply) -> float:
    """Probability of spam against ham, by the first token: each label counts by whatever begins it."""
    mass = {"spam": 0.0, "ham": 0.0}
    for token, logprob in reply.tokens[0][0].others.items():
        for label in mass:
            if token.strip() and label.startswith(token.strip().lower()):
                mass[label] += math.exp(logprob)
    return mass["spam"] / sum(mass.values())


def test_log_probabilities_of_the_labels_are_finite_and_say_something(model: ChatModel) -> None:
    reply = model.ask(few_shot("free phones at http://win.example, subscribe", max_tokens=1, top_logprobs=20))
    (tokens,) = reply.tokens
    assert len(tokens) == 1
    for token in tokens:
        assert reply.texts[0].startswith(token.text)
        for logprob in (token.logprob, *token.others.values()):
            assert math.isfinite(logprob) and logprob <= 0
        assert sum(map(math.exp, token.others.values())) <= 1 + 1e-3
    assert 0.5 < label_chance(reply) < 1


def test_tokens_and_seconds_are_counted_within_what_was_foreseen(
    model: ChatModel, endpoint: EndpointSettings
) -> None:
    request = few_shot("so lovely ♥♥♥ 愛", max_tokens=3)
    reply = model.ask(request)
    assert 0 < reply.tokens_in <= prompt_tokens_at_most(request, endpoint)
    assert 0 < reply.tokens_out <= answer_tokens_at_most(request) == 3
    assert 0 < price(reply.tokens_in, reply.tokens_out, endpoint) <= longest(request, endpoint)
    assert reply.seconds > 0
    assert not reply.cached


def test_the_same_question_has_the_same_answer_at_temperature_0(model: ChatModel) -> None:
    request = few_shot("please visit my page", max_tokens=2, top_logprobs=20)
    first, second = model.ask(request), model.ask(request)
    assert first.texts == second.texts
    # What a server has in its cache is added up in another order; how far that goes hangs on the processor.
    assert label_chance(first) == pytest.approx(label_chance(second), abs=0.1)


def test_without_log_probabilities_there_are_no_tokens(model: ChatModel) -> None:
    reply = model.ask(few_shot("I love it", max_tokens=2))
    assert reply.tokens == ()
    assert len(reply.texts) == 1 and reply.texts[0]


def test_as_many_answers_come_as_were_asked_for(model: ChatModel) -> None:
    reply = model.ask(few_shot("I love it", max_tokens=2, samples=3, temperature=1.0, seed=1, top_logprobs=5))
    assert len(reply.texts) == len(reply.tokens) == 3


def test_an_answer_keeps_to_its_schema(model: ChatModel) -> None:
    reply = model.ask(few_shot("free phones at http://win.example", max_tokens=40, schema=LABEL))
    assert json.loads(reply.texts[0])["label"] in ("spam", "ham")


def test_many_threads_may_ask(model: ChatModel) -> None:
    def asked(text: str) -> tuple[str, ...]:
        return model.ask(few_shot(text, max_tokens=2)).texts

    texts = ["I love it", "visit http://x.example"] * 4
    with ThreadPoolExecutor(8) as pool:
        assert all(list(pool.map(asked, texts)))


def test_a_prompt_longer_than_the_context_is_refused(model: ChatModel) -> None:
    with pytest.raises(ChatRefused):
        model.ask(few_shot("I love it " * 1_000))
