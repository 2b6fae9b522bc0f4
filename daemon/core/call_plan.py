"""What a way of asking a language model will cost, how long it will take and how right it is, before a call
is made: from real prompts about recent items, and from what the calls so far have shown; pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from daemon.core.settings import MICROS
from labeling_functions.analysis import wilson
from labeling_functions.llm.chat_model import ChatRequest
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import answer_tokens_at_most, longest, prompt_tokens_at_most

BYTES_PER_TOKEN = 4.0
"""Of English text in the vocabularies in use; a guess that the first calls replace."""

ANSWER_SHARE = 0.5
"""Of the longest answer; a guess in the same way."""

LEAST_CALLS = 20
"""Calls from which on their means are believed."""

CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class Seen:
    """Sums over the paid calls of one way of asking so far.

    Attributes:
        calls: number. tokens_in, tokens_out: billed. seconds: until the answers were there.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers on items that experts answered blind: how many, and how many agree with the expert."""

    answers: int = 0
    right: int = 0

    @property
    def share(self) -> float:
        """Of the answers that agree; NaN without answers."""
        return self.right / self.answers if self.answers else float("nan")

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval of the share that agrees, at CONFIDENCE; None without answers."""
        return wilson(self.right, self.answers, CONFIDENCE) if self.answers else None


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What one way of asking is expected to take.

    Attributes:
        calls: an item; a try to repair an answer is not counted.
        tokens_in, tokens_out: an item.
        money: an item, in currency. most: if every answer is as long as it may be, as calls are reserved.
        seconds: an item, one process working all the time; None where nothing tells.
        measured: whether tokens and seconds are means of calls made, not guesses.
    """

    calls: float
    tokens_in: float
    tokens_out: float
    money: float
    most: float
    seconds: float | None
    measured: bool


def plan_calls(
    requests: Sequence[ChatRequest], n_items: int, endpoint: EndpointSettings, seen: Seen
) -> CallPlan:
    """The plan of one way of asking.

    Args:
        requests: what it would ask about a sample of items, at least one.
        n_items: items of the sample.
        endpoint: prices and limits.
        seen: its calls so far.
    """
    count = len(requests)
    measured = seen.calls >= LEAST_CALLS
    if measured:
        tokens_in, tokens_out = seen.tokens_in / seen.calls, seen.tokens_out / seen.calls
    else:
        tokens_in = sum(prompt_tokens_at_most(one, endpoint) for one in requests) / count / BYTES_PER_TOKEN
        tokens_out = ANSWER_SHARE * sum(answer_tokens_at_most(one) for one in requests) / count
    calls = count / n_items
    return CallPlan(
        calls=calls,
        tokens_in=calls * tokens_in,
        tokens_out=calls * tokens_out,
        money=calls * (tokens_in * endpoint.price_in + tokens_out * endpoint.price_out) / 1_000,
        most=sum(longest(one, endpoint) for one in requests) / n_items / MICROS,
        seconds=_seconds(tokens_in + tokens_out, endpoint, seen if measured else None, calls),
        measured=measured,
    )


def _seconds(tokens: float, endpoint: EndpointSettings, seen: Seen | None, calls: float) -> float | None:
    """The slowest of the answers themselves and the limits decides."""
    bounds = [
        60.0 / endpoint.requests_per_minute if endpoint.requests_per_minute else 0.0,
        60.0 * tokens / endpoint.tokens_per_minute if endpoint.tokens_per_minute else 0.0,
        seen.seconds / seen.calls / endpoint.concurrency if seen else 0.0,
    ]
    return calls * max(bounds) if max(bounds) > 0 else None
