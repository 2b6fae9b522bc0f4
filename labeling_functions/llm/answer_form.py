"""The form in which a model is told to answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TOKENS_PER_LABEL = 16
TOKENS_PER_NUMBER = 16
TOKENS_PER_REASON = 384
"""What parts of an answer take at most, generously; an answer that is cut off does not parse."""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """One label, alone or in JSON, with what else is wanted.

    Attributes:
        labels: names that an answer may give, in the order of their indices.
        as_json: whether the answer is a JSON object; else it is the label alone.
        reason_first: chain of thought (Wei et al. 2022, arXiv 2201.11903): a reason, then the label.
        confidence: whether the answer tells its confidence; in JSON alone.
        several: whether one prompt holds several items, whose answers are told apart by their numbers; in
            JSON alone.
    """

    labels: tuple[str, ...]
    as_json: bool = False
    reason_first: bool = False
    confidence: bool = False
    several: bool = False

    def __post_init__(self) -> None:
        if (self.confidence or self.several) and not self.as_json:
            raise ValueError("as_json: only a JSON answer holds a confidence or several labels")

    @property
    def is_plain(self) -> bool:
        """Whether an answer is a label and nothing else, as every exemplar shows."""
        return not (self.as_json or self.reason_first)

    @property
    def instruction(self) -> str:
        """What ends the prompt."""
        choice = ", ".join(self.labels)
        if self.several:
            lead = "Answer with one JSON object and nothing else, one entry for each item, by its id"
            entry = f'{{"id": ID, {self._keys}}}'
            return f'{lead}: {{"answers": [{entry}, ...]}}\n{self._meanings(choice)}'
        if self.as_json:
            lead = "Answer with one JSON object and nothing else"
            return f"{lead}: {{{self._keys}}}\n{self._meanings(choice)}"
        if self.reason_first:
            lead = "First reason in a few short sentences. Then end with a line"
            return f"{lead} `Answer: LABEL`, where LABEL is one of: {choice}"
        return f"Answer with one of these labels and nothing else: {choice}"

    @property
    def _keys(self) -> str:
        reason = '"reason": REASON, ' if self.reason_first else ""
        return reason + '"label": LABEL' + (', "confidence": NUMBER' if self.confidence else "")

    def _meanings(self, choice: str) -> str:
        lines = ["REASON: your reasoning in a few short sentences"] if self.reason_first else []
        lines.append(f"LABEL: one of: {choice}")
        if self.confidence:
            lines.append("NUMBER: how likely it is that this label is right, from 0 to 1")
        return "\n".join(lines)

    def written(self, label: int, reason: str = "") -> str:
        """An exemplar's answer in this form, without a confidence, which nobody told."""
        if self.several:
            return _json({"answers": [{"id": 1, **self._entry(label, reason)}]})
        if self.as_json:
            return _json(self._entry(label, reason))
        name = self.labels[label]
        return f"{reason}\nAnswer: {name}".lstrip() if self.reason_first else name

    def _entry(self, label: int, reason: str) -> dict[str, Any]:
        told = {"reason": reason} if self.reason_first and reason else {}
        return {**told, "label": self.labels[label]}

    def schema(self) -> dict[str, Any] | None:
        """JSON schema of the answer, strict as endpoints want it; None where the answer is no JSON."""
        if not self.as_json:
            return None
        properties: dict[str, Any] = {"id": {"type": "integer"}} if self.several else {}
        if self.reason_first:
            properties["reason"] = {"type": "string"}
        properties["label"] = {"type": "string", "enum": list(self.labels)}
        if self.confidence:
            properties["confidence"] = {"type": "number"}
        entry = _closed_object(properties)
        if not self.several:
            return entry
        return _closed_object({"answers": {"type": "array", "items": entry}})

    def longest(self, n_items: int = 1) -> int:
        """Tokens that the answers to so many items take at most."""
        name = max(len(name.encode()) for name in self.labels) // 2
        one = TOKENS_PER_LABEL + name + (TOKENS_PER_NUMBER if self.as_json else 0)
        one += (TOKENS_PER_NUMBER if self.confidence else 0) + (TOKENS_PER_REASON if self.reason_first else 0)
        return one * n_items


def _closed_object(properties: dict[str, Any]) -> dict[str, Any]:
    required: Sequence[str] = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
