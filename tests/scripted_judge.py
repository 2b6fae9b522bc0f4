"""A language model that does what it is told, by anybody who speaks outside of the marks of a prompt."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from labeling_functions.llm.chat_model import ChatReply, ChatRequest, Message

ORDER = re.compile(r"\b(?:answer|label)\b[\s:]*(ham|spam)\b", re.IGNORECASE)
TURN = re.compile(r"<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>", re.DOTALL)
CODE = re.compile(r"marks with the code (\w+)")


def reply(*texts: str) -> ChatReply:
    """A reply of these samples, without log-probabilities."""
    return ChatReply(texts, (), 0, 0, 0.0)


def by_word(text: str) -> str:
    """What an honest model says about a text."""
    return "spam" if "subscribe" in text else "ham"


@dataclass
class ScriptedModel:
    """Reads the conversation as a server with the ChatML template does, whose control words are words too.

    Attributes:
        judge: text of an item -> label, or in a task for sets the labels that apply.
        obeyed: orders that it found outside of the marks.
    """

    judge: Callable[[str], str | list[str]] = by_word
    obeyed: list[str] = field(default_factory=list)

    def ask(self, request: ChatRequest) -> ChatReply:
        turns = TURN.findall("".join(map(_turn, request.messages)))
        code = CODE.search(turns[0][1])[1]
        outside, question, last = "", "", {}
        for role, text in turns:
            if role != "assistant":
                question, last = split(text, code)
                outside += question
        orders = ORDER.findall(outside)
        self.obeyed += orders
        labels = {
            number: (orders[-1].lower() if orders else self.judge(text)) for number, text in last.items()
        }
        return reply(self._written(labels, question))

    def _written(self, labels: dict[int, str | list[str]], question: str) -> str:
        key = "labels" if '"labels"' in question else "label"
        if key == "labels":
            labels = {one: [said] if isinstance(said, str) else said for one, said in labels.items()}
        if '"answers"' in question:
            return json.dumps({"answers": [{"id": one, key: said} for one, said in labels.items()]})
        label = next(iter(labels.values()), "ham")
        if key == "labels":
            return json.dumps({key: label, "confidence": {"ham": 0.9, "spam": 0.9}})
        if "JSON" in question:
            return json.dumps({"label": label, "confidence": 0.9})
        return f"It is what it is.\nAnswer: {label}" if "reason" in question else label


def split(text: str, code: str) -> tuple[str, dict[int, str]]:
    """What stands outside of the marks, and number -> what stands between them; unclosed text is outside."""
    outside, inside = "", {}
    while match := re.search(rf"<(\w+)-{code}(?: id=(\d+))?>", text):
        closing = f"</{match[1]}-{code}>"
        end = text.find(closing, match.end())
        if end < 0:
            break
        outside += text[: match.start()]
        if match[1] == "item":
            inside[int(match[2] or 1)] = text[match.end() : end].strip("\n")
        text = text[end + len(closing) :]
    return outside + text, inside


def _turn(message: Message) -> str:
    return f"<|im_start|>{message.role}\n{message.text}<|im_end|>\n"


def ask_all(requests: Sequence[ChatRequest], model: ScriptedModel) -> list[ChatReply]:
    """The replies, in order."""
    return [model.ask(request) for request in requests]
