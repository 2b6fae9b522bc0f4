"""The form in which a model is told to answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labeling_functions.label_space import LabelSpace

TOKENS_PER_LABEL = 16
TOKENS_PER_NUMBER = 16
TOKENS_PER_REASON = 384
TOKENS_PER_MEMBER = 6
TOKENS_PER_TOLD = 12
"""What parts of an answer take at most, generously; an answer that is cut off does not parse."""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """One label, alone or in JSON, or a list of labels, with what else is wanted.

    Attributes:
        labels: names that an answer may give, in the order of their indices.
        as_json: whether the answer is a JSON object; else it is the label alone.
        reason_first: chain of thought (Wei et al. 2022, arXiv 2201.11903): a reason, then the label.
        confidence: whether the answer tells its confidence; in JSON alone.
        several: whether one prompt holds several items, whose answers are told apart by their numbers; in
            JSON alone.
        sets: whether an answer is the list of all labels that apply, in any number; in JSON alone. Its
            confidence is then told of each label.
    """

    labels: tuple[str, ...]
    as_json: bool = False
    reason_first: bool = False
    confidence: bool = False
    several: bool = False
    sets: bool = False

    def __post_init__(self) -> None:
        if (self.confidence or self.several or self.sets) and not self.as_json:
            raise ValueError("as_json: only a JSON answer holds a confidence or several labels")

    @property
    def space(self) -> LabelSpace:
        """The labels that answers give."""
        return LabelSpace(self.labels, self.sets)

    @property
    def key(self) -> str:
        """Where a JSON answer gives its label, or labels."""
        return "labels" if self.sets else "label"

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
        label, number = ("[LABEL, ...]", "{LABEL: NUMBER, ...}") if self.sets else ("LABEL", "NUMBER")
        reason = '"reason": REASON, ' if self.reason_first else ""
        return f'{reason}"{self.key}": {label}' + (f', "confidence": {number}' if self.confidence else "")

    def _meanings(self, choice: str) -> str:
        lines = ["REASON: your reasoning in a few short sentences"] if self.reason_first else []
        lines.append(f"LABEL: one of: {choice}")
        if self.sets:
            lines.append('"labels": all that apply, each once; [] if none does')
        if self.confidence and self.sets:
            lines.append("NUMBER: for every label, also if it does not apply, how likely it applies, 0 to 1")
        elif self.confidence:
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
        return {**told, self.key: self.space.said(label)}

    def schema(self) -> dict[str, Any] | None:
        """JSON schema of the answer, strict as endpoints want it; None where the answer is no JSON."""
        if not self.as_json:
            return None
        properties: dict[str, Any] = {"id": {"type": "integer"}} if self.several else {}
        if self.reason_first:
            properties["reason"] = {"type": "string"}
        label = {"type": "string", "enum": list(self.labels)}
        # No uniqueItems: strict endpoints refuse a schema that has it; whoever reads an answer counts.
        properties[self.key] = {"type": "array", "items": label} if self.sets else label
        if self.confidence:
            number = {"type": "number"}
            each = _closed_object(dict.fromkeys(self.labels, number)) if self.sets else number
            properties["confidence"] = each
        entry = _closed_object(properties)
        if not self.several:
            return entry
        return _closed_object({"answers": {"type": "array", "items": entry}})

    def longest(self, n_items: int = 1) -> int:
        """Tokens that the answers to so many items take at most."""
        names = [len(name.encode()) // 2 for name in self.labels]
        said, told = max(names), TOKENS_PER_NUMBER
        if self.sets:
            said, told = (sum(names) + each * len(names) for each in (TOKENS_PER_MEMBER, TOKENS_PER_TOLD))
        told = told if self.confidence else 0
        one = TOKENS_PER_LABEL + said + told + (TOKENS_PER_NUMBER if self.as_json else 0)
        return (one + (TOKENS_PER_REASON if self.reason_first else 0)) * n_items


def _closed_object(properties: dict[str, Any]) -> dict[str, Any]:
    required: Sequence[str] = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
