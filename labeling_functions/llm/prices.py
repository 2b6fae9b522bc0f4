"""What a call costs at most, before it is made, and what it cost, after it.

Prices are per 1,000 tokens in the ledger's currency; amounts are whole millionths of it, rounded up.
"""

import json
import math
from fractions import Fraction

from labeling_functions.llm.chat_model import ChatRequest
from labeling_functions.llm.endpoint import EndpointSettings

TEMPLATE_TOKENS = 256
"""What a server may write around the messages: its own preamble and the opening of the answer."""

MESSAGE_TOKENS = 16
"""What marks the beginning and end of one message."""


def prompt_tokens_at_most(request: ChatRequest, endpoint: EndpointSettings) -> int:
    """Tokens of the prompt, never fewer than are billed.

    Every token of a byte-level vocabulary stands for at least one byte, so that a text has at most as many
    tokens as bytes in UTF-8; English has about a quarter of that. The answer's schema, which servers may
    write into the prompt, is counted in the same way; pictures count as the endpoint's `image_tokens` each.
    """
    total = TEMPLATE_TOKENS
    for message in request.messages:
        total += MESSAGE_TOKENS + tokens_at_most(message.text)
        total += endpoint.image_tokens * len(message.images)
    if request.schema is not None:
        total += MESSAGE_TOKENS + tokens_at_most(json.dumps(request.schema))
    return total if endpoint.samples else total * request.samples


def tokens_at_most(text: str) -> int:
    """Tokens of a text in any byte-level vocabulary: its bytes in UTF-8."""
    return len(text.encode("utf-8", errors="replace"))


def answer_tokens_at_most(request: ChatRequest) -> int:
    """Tokens of all answers together, at most."""
    return request.max_tokens * request.samples


def price(tokens_in: int, tokens_out: int, endpoint: EndpointSettings) -> int:
    """What so many tokens cost, in millionths, rounded up."""
    thousandths = tokens_in * _exact(endpoint.price_in) + tokens_out * _exact(endpoint.price_out)
    return math.ceil(thousandths * 1_000)


def longest(request: ChatRequest, endpoint: EndpointSettings) -> int:
    """What this call costs if every answer is as long as it may be, in millionths; never below the bill."""
    return price(prompt_tokens_at_most(request, endpoint), answer_tokens_at_most(request), endpoint)


def _exact(amount: float) -> Fraction:
    """The decimal number that somebody wrote: 0.1 is a tenth, not the float beside it."""
    return Fraction(repr(amount))
