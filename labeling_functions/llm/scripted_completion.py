"""What a scripted server says, as the JSON of a chat completion."""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = "scripted"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said in one sample.

    Attributes:
        text: cut after `max_tokens` words.
        first: tokens that could have come first -> probability; told when log-probabilities are asked for.
    """

    text: str
    first: Mapping[str, float] = field(default_factory=dict)


def completion(body: Mapping[str, Any], answers: list[Answer]) -> dict[str, Any]:
    """The JSON of a chat completion, with log-probabilities if they were asked for."""
    limit = body.get("max_tokens") or body.get("max_completion_tokens") or math.inf
    said = [[word for at, word in enumerate(_words(answer.text)) if at < limit] for answer in answers]
    tokens_in = sum(4 + len(_words(message_text(message))) for message in body["messages"])
    tokens_out = sum(map(len, said))
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body.get("model", MODEL),
        "choices": [_choice(body, at, *pair) for at, pair in enumerate(zip(answers, said, strict=True))],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _choice(body: Mapping[str, Any], index: int, answer: Answer, words: list[str]) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": index,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": "".join(words)},
    }
    if body.get("logprobs"):
        first = [_told(word, answer.first or {word: 1.0}) for word in words[:1]]
        choice["logprobs"] = {"content": first + [_told(word, {word: 1.0}) for word in words[1:]]}
    return choice


def _told(word: str, probabilities: Mapping[str, float]) -> dict[str, Any]:
    logs = {token: math.log(chance) for token, chance in probabilities.items() if chance > 0}
    tops = [{"token": token, "logprob": logprob} for token, logprob in logs.items()]
    return {"token": word, "logprob": logs.get(word, 0.0), "top_logprobs": tops}


def _words(text: str) -> list[str]:
    """Tokens: a word with the white space before it is one."""
    return re.findall(r"\s*\S+", text)


def message_text(message: Mapping[str, Any]) -> str:
    """What a message says; pictures say nothing."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")
