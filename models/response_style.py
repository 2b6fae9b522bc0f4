"""What can be seen of a response without understanding it: length, repetition, form, refusal."""

import re
from collections.abc import Sequence

import numpy as np

from models.arrays import F8

STYLE = (
    "words",
    "sentences",
    "lines",
    "distinct_words",
    "repeated_trigrams",
    "from_prompt",
    "digits",
    "list_items",
    "ended",
    "refusal",
    "empty",
)
"""Columns of `style_features`. To add one: its name here, its value in `_style`, its test."""

_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?]+(?:\s|$)")
_LIST_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.MULTILINE)
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|not able)|i (?:cannot|can't|won't)|as an ai\b|i apologi[sz]e)",
    re.IGNORECASE,
)
_ENDS = tuple(".!?:;)]}\"'`")


def style_features(prompts: Sequence[str], responses: Sequence[str]) -> F8:
    """Length and style of responses.

    Args:
        prompts, responses: n texts each.

    Returns:
        (n, len(STYLE)): counts as log(1 + count), shares and flags in [0, 1].

    Raises:
        ValueError: not as many prompts as responses.
    """
    rows = [_style(prompt, response) for prompt, response in zip(prompts, responses, strict=True)]
    return np.array(rows, np.float64).reshape(-1, len(STYLE))


def _style(prompt: str, response: str) -> tuple[float, ...]:
    words = [word.lower() for word in _WORD.findall(response)]
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    asked = {word.lower() for word in _WORD.findall(prompt)}
    stripped = response.strip()
    return (
        float(np.log1p(len(words))),
        float(np.log1p(len(_SENTENCE_END.findall(response)))),
        float(np.log1p(stripped.count("\n"))),
        _share(len(set(words)), len(words)),
        _share(len(trigrams) - len(set(trigrams)), len(trigrams)),
        _share(sum(word in asked for word in words), len(words)),
        _share(sum(letter.isdigit() for letter in stripped), len(stripped)),
        float(np.log1p(len(_LIST_ITEM.findall(response)))),
        float(stripped.endswith(_ENDS)),
        float(bool(_REFUSAL.search(response))),
        float(not words),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
