"""Samples from an endpoint that gives one a call."""

import dataclasses

import pytest
from llm_models_for_tests import REPLY, REQUEST, Told

from labeling_functions.llm.chat_model import ChatBusy, ChatReply, ChatUnknown, Token
from labeling_functions.llm.one_by_one import OneByOne

THREE = dataclasses.replace(REQUEST, samples=3, seed=10)
TOKENS = ((Token("yes", -0.1, {"yes": -0.1}),),)


def reply(text: str, tokens: tuple[tuple[Token, ...], ...] = TOKENS) -> ChatReply:
    """One answer."""
    return ChatReply((text,), tokens, tokens_in=5, tokens_out=2, seconds=0.5)


def test_each_sample_is_a_call_of_its_own_with_a_seed_of_its_own() -> None:
    model = Told([reply("a"), reply("b"), reply("c")])
    got = OneByOne(model).ask(THREE)
    assert got == ChatReply(("a", "b", "c"), TOKENS * 3, tokens_in=15, tokens_out=6, seconds=1.5)
    assert model.requests == [dataclasses.replace(REQUEST, seed=seed) for seed in (10, 11, 12)]


def test_without_a_seed_there_is_none() -> None:
    model = Told()
    OneByOne(model).ask(dataclasses.replace(REQUEST, samples=2))
    assert [request.seed for request in model.requests] == [None, None]


def test_log_probabilities_of_some_samples_only_are_none() -> None:
    assert OneByOne(Told([reply("a"), reply("b", ()), reply("c")])).ask(THREE).tokens == ()


def test_a_failure_before_anything_was_paid_stays_what_it_is() -> None:
    with pytest.raises(ChatBusy):
        OneByOne(Told([ChatBusy("busy")])).ask(THREE)


def test_a_failure_after_something_was_paid_counts_as_spent() -> None:
    with pytest.raises(ChatUnknown, match="1 of 3 answers came, then: busy"):
        OneByOne(Told([REPLY, ChatBusy("busy")])).ask(THREE)
