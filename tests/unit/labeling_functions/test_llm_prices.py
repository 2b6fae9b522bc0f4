"""Prices: exact, rounded up, and reserved prices are never below bills."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from labeling_functions.llm.chat_model import ChatRequest, Message
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import (
    answer_tokens_at_most,
    longest,
    price,
    prompt_tokens_at_most,
    tokens_at_most,
)

ENDPOINT = EndpointSettings(base_url="http://127.0.0.1/v1", price_in=0.5, price_out=1.5)
counts = st.integers(0, 100_000)


def request(*texts: str, **others: object) -> ChatRequest:
    """A request with a user's messages."""
    return ChatRequest("m", tuple(Message("user", text) for text in texts), **others)  # type: ignore[arg-type]


def test_amounts_are_millionths() -> None:
    assert price(1_000, 0, ENDPOINT) == 500_000
    assert price(0, 1_000, ENDPOINT) == 1_500_000
    assert price(3, 2, ENDPOINT) == 1_500 + 3_000
    assert price(0, 0, ENDPOINT) == 0


def test_prices_are_the_decimals_that_were_written() -> None:
    endpoint = dataclasses.replace(ENDPOINT, price_in=0.1, price_out=0.2)
    assert price(3_000, 3_000, endpoint) == 900_000  # with floats: one more


def test_a_part_of_a_millionth_counts_whole() -> None:
    assert price(1, 0, dataclasses.replace(ENDPOINT, price_in=0.000_000_1)) == 1


@given(counts, counts, counts, counts)
def test_no_smaller_bill_exceeds_the_reserved_price(a: int, b: int, more_a: int, more_b: int) -> None:
    assert price(a, b, ENDPOINT) <= price(a + more_a, b + more_b, ENDPOINT)


def test_the_longest_answer_has_all_tokens_of_all_samples() -> None:
    one = request("Is it?", max_tokens=7)
    three = dataclasses.replace(one, samples=3)
    assert answer_tokens_at_most(three) == 21
    assert longest(three, ENDPOINT) - longest(one, ENDPOINT) == 14 * 1_500


def test_the_prompt_is_billed_once_a_sample_where_each_is_a_call() -> None:
    singly = dataclasses.replace(ENDPOINT, samples=False)
    three = request("Is it?", samples=3)
    assert prompt_tokens_at_most(three, singly) == 3 * prompt_tokens_at_most(three, ENDPOINT)


@given(st.text())
def test_a_text_has_no_more_tokens_than_bytes(text: str) -> None:
    assert tokens_at_most(text) >= len(text)
    more = prompt_tokens_at_most(request(text), ENDPOINT) - prompt_tokens_at_most(request(""), ENDPOINT)
    assert more == tokens_at_most(text)


def test_half_a_surrogate_pair_is_counted_too() -> None:
    assert tokens_at_most("\ud83d") > 0


def test_every_message_picture_and_schema_counts() -> None:
    plain = prompt_tokens_at_most(request("a"), ENDPOINT)
    assert prompt_tokens_at_most(request("a", ""), ENDPOINT) > plain
    assert prompt_tokens_at_most(request("a", schema={"type": "object"}), ENDPOINT) > plain
    pictured = ChatRequest("m", (Message("user", "a", images=("https://x/1.png", "https://x/2.png")),))
    assert prompt_tokens_at_most(pictured, ENDPOINT) == plain + 2 * ENDPOINT.image_tokens
