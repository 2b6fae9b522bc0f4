"""The JSON of a chat completion, as OpenAI and those who follow it write it, and what it says to us."""

from typing import Annotated

import msgspec

from labeling_functions.llm.chat_model import ChatReply, ChatRequest, ChatUnknown, Token
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import answer_tokens_at_most, prompt_tokens_at_most, tokens_at_most

Count = Annotated[int, msgspec.Meta(ge=0)]
SHOWN = 300


class _Alternative(msgspec.Struct):
    token: str
    logprob: float


class _Token(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[_Alternative] = []


class _Logprobs(msgspec.Struct):
    content: list[_Token] | None = None


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    logprobs: _Logprobs | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count
    completion_tokens: Count


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_decoder = msgspec.json.Decoder(_Completion)


def read(raw: bytes, request: ChatRequest, endpoint: EndpointSettings, seconds: float) -> ChatReply:
    """The reply in the body of a successful call.

    A server that does not count tokens is believed to have used as many as it may have: the bytes of the
    texts (`prices`), for answers no more than they were allowed.

    Raises:
        ChatUnknown: it is no chat completion, or has too few or too many answers; the message shows it.
    """
    try:
        completion = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise ChatUnknown(f"the reply is no chat completion ({problem}): {_beginning(raw)}") from None
    if len(completion.choices) != request.samples:
        raise ChatUnknown(
            f"{len(completion.choices)} answers came, {request.samples} were asked for; if the endpoint"
            f" does not know `n`, set its `samples` to false: {_beginning(raw)}"
        )
    texts = tuple(choice.message.content or "" for choice in completion.choices)
    tokens_in, tokens_out = _used(completion.usage, texts, request, endpoint)
    return ChatReply(
        texts=texts,
        tokens=_tokens(completion.choices) if request.top_logprobs else (),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        seconds=seconds,
    )


def _used(
    usage: _Usage | None, texts: tuple[str, ...], request: ChatRequest, endpoint: EndpointSettings
) -> tuple[int, int]:
    if usage is not None:
        return usage.prompt_tokens, usage.completion_tokens
    ends = len(texts)
    said = sum(map(tokens_at_most, texts)) + ends
    return prompt_tokens_at_most(request, endpoint), min(said, answer_tokens_at_most(request))


def _tokens(choices: list[_Choice]) -> tuple[tuple[Token, ...], ...]:
    """Empty unless every answer has them."""
    given = [choice.logprobs.content for choice in choices if choice.logprobs and choice.logprobs.content]
    if len(given) < len(choices):
        return ()
    return tuple(tuple(map(_token, tokens)) for tokens in given)


def _token(token: _Token) -> Token:
    return Token(token.token, token.logprob, {other.token: other.logprob for other in token.top_logprobs})


def _beginning(raw: bytes) -> str:
    return repr(raw[:SHOWN].decode("utf-8", errors="replace"))
