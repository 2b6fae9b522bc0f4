"""What every language model is to us: one blocking question, one reply, four ways to fail.

Everything between a question and the endpoint (retries, limits, a breaker, a cache, a ledger) is a ChatModel
that wraps another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: `system`, `user` or `assistant`.
        text: what is said.
        images: pictures after the text: https or data addresses.
    """

    role: str
    text: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Everything that shapes an answer; two equal requests are the same question.

    Attributes:
        model: name that the endpoint knows.
        messages: the prompt, oldest first.
        max_tokens: longest answer, in tokens, of each sample.
        temperature: 0 for the likeliest answer.
        seed: of sampling, where the server takes one.
        samples: answers wanted (n).
        top_logprobs: alternatives told per token, 0 to 20; 0: no log-probabilities at all.
        schema: JSON schema of the answer, used where the server can hold to one.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int = 256
    temperature: float = 0.0
    seed: int | None = None
    samples: int = 1
    top_logprobs: int = 0
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer.

    Attributes:
        text: as it stands in the answer, with its leading space if it has one.
        logprob: natural logarithm of its probability, at most 0.
        others: likeliest tokens at this place -> logprob; the token itself is usually among them.
    """

    text: str
    logprob: float
    others: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What came back.

    Attributes:
        texts: one a sample.
        tokens: of each sample, in order; empty unless log-probabilities were asked for and given.
        tokens_in: tokens of the prompt, as billed.
        tokens_out: tokens of all samples, as billed.
        seconds: between sending and the whole answer.
        cached: nobody was asked; nothing is billed.
    """

    texts: tuple[str, ...]
    tokens: tuple[tuple[Token, ...], ...]
    tokens_in: int
    tokens_out: int
    seconds: float
    cached: bool = False


class ChatFailure(Exception):
    """No reply; the kind says whether to ask again and whether it cost something."""


class ChatRefused(ChatFailure):
    """The request itself is bad (4xx): asking again gives the same. Nothing is billed."""


class ChatBusy(ChatFailure):
    """The endpoint wants fewer calls (429, 503). Nothing is billed.

    Attributes:
        retry_after: seconds that it asks to wait, None if it does not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


STOOD_STILL_SECONDS = 2.0


def stood_still(meant: float, took: float) -> float:
    """Seconds for which the process, or its machine, stood still in a wait that took so long; 0 if it ran.

    A wait ends somewhat late on a busy machine, by STOOD_STILL_SECONDS at most.
    """
    late = took - meant
    return late if late > STOOD_STILL_SECONDS else 0.0


class ChatStoodStill(ChatFailure):
    """The process stood still while it waited to ask: the leases that it asks under may have ended, and
    others may be asking. Nothing was sent, nor is it sent later.
    """


class ChatDown(ChatFailure):
    """Not reachable, or broken (5xx). Nothing is billed.

    Attributes:
        retry_after: seconds that it will not be asked, after many failures (nothing was sent); None if it was
            asked just now.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ChatUnknown(ChatFailure):
    """Sent, and no answer known (timeout, connection lost, a reply without sense): it counts as spent."""


class ChatModel(Protocol):
    """Something that answers."""

    def ask(self, request: ChatRequest) -> ChatReply:
        """Blocks until there is a reply. Safe to call from many threads.

        Raises:
            ChatRefused, ChatBusy, ChatStoodStill, ChatDown, ChatUnknown: no reply; see there.
        """
