"""Reads what a model answered: a label of the task, or nothing; never a guess.

Case and punctuation around a label are forgiven. An answer that names two labels where one is wanted, one
label twice, or one that is not in the form asked for, is not parsed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labeling_functions.label_space import set_of
from labeling_functions.llm.answer_form import AnswerForm
from labeling_functions.task import ABSTAIN

ANSWER_LINE = re.compile(r"\W*(?:final )?(?:answer|label)\W*?[:=]\s*(?P<label>.*)", re.IGNORECASE)
LABEL_KEY = re.compile(r'"label"\s*:\s*"?')
"""Where a label begins in JSON; a quoted one inside a text has its quotes escaped and is not found."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read.

    Attributes:
        label: index, or where labels are sets which of them apply; ABSTAIN if nothing could be read.
        confidence: as the model said, 0 to 1; None if it did not.
        parsed: whether the answer was in the form asked for.
        start: where the label begins in the answer's text, None if that is not known, or if it is a set.
        by_class: of a set, how likely each label applies, as the model said; empty if it did not say so of
            all.
    """

    label: int = ABSTAIN
    confidence: float | None = None
    parsed: bool = False
    start: int | None = None
    by_class: tuple[float, ...] = ()


UNREADABLE = Answer()


def read(text: str, form: AnswerForm) -> Answer:
    """The answer to a prompt about one item."""
    if not form.as_json:
        return _read_text(text, form)
    value = _json_object(text)
    if value is None:
        return UNREADABLE
    starts = [found.end() for found in LABEL_KEY.finditer(text)]
    return _read_entry(value, form, starts[0] if len(starts) == 1 else None)


def read_several(text: str, form: AnswerForm, n_items: int) -> list[Answer]:
    """The answers to a prompt about n items, in order; those that are missing or doubled are not parsed."""
    value = _json_object(text)
    entries = value.get("answers") if value else None
    if not isinstance(entries, list):
        return [UNREADABLE] * n_items
    starts: list[int | None] = [found.end() for found in LABEL_KEY.finditer(text)]
    if len(starts) != len(entries):
        starts = [None] * len(entries)
    answers = [UNREADABLE] * n_items
    met: set[int] = set()
    for entry, start in zip(entries, starts, strict=True):
        number = _number(entry)
        if number is None or not 1 <= number <= n_items:
            continue
        answers[number - 1] = UNREADABLE if number in met else _read_entry(entry, form, start)
        met.add(number)
    return answers


def match_label(text: str, labels: Sequence[str]) -> int:
    """Index of the label that a text consists of, but for case and punctuation around it; or ABSTAIN.

    Of labels that differ in such punctuation only (`C`, `C++`) the longest that fits is meant, of labels
    that differ in case only the very one.
    """
    if text in labels:
        return labels.index(text)
    folded = text.casefold()
    fits = {
        index: (len(label), label in text)
        for index, label in enumerate(labels)
        if _is_all_but_punctuation(folded, label.casefold())
    }
    best = [index for index, fit in fits.items() if fit == max(fits.values())]
    return best[0] if len(best) == 1 else ABSTAIN


def names(text: str, labels: Sequence[str]) -> set[int]:
    """Indices of all labels that occur in a text as words of their own, none as part of a longer one."""
    folded = text.casefold()
    found = set()
    for index in sorted(range(len(labels)), key=lambda one: -len(labels[one])):
        alone = rf"(?<!\w){re.escape(labels[index].casefold())}(?!\w)"
        folded, times = re.subn(alone, "\n", folded)
        if times:
            found.add(index)
    return found


def said_confidence(value: object) -> float | None:
    """A confidence that a model told, as 0 to 1: `0.8`, `80`, `"80 %"`; None for anything else.

    Between 1 and 10 it can be neither: percentages as low as that are told with their sign.
    """
    percent = False
    if isinstance(value, str):
        number = re.fullmatch(r"\s*(\d{1,3}(?:\.\d{1,20})?)\s*(%?)\s*", value, re.ASCII)
        if number is None:
            return None
        value, percent = float(number[1]), bool(number[2])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    if percent or value >= 10:
        return value / 100
    return float(value) if value <= 1 else None


def _read_text(text: str, form: AnswerForm) -> Answer:
    """A label alone, or the line `Answer: LABEL` that ends a chain of thought."""
    lines = [found for found in re.finditer(r"[^\n]+", text) if found.group().strip()]
    if not lines:
        return UNREADABLE
    last = _read_line(lines[-1], form, must_say_answer=form.reason_first)
    if form.reason_first:
        return last
    first = _read_line(lines[0], form, must_say_answer=False)
    answer = first if first.parsed else last
    return UNREADABLE if names(text, form.labels) - {answer.label} else answer


def _read_line(line: re.Match[str], form: AnswerForm, must_say_answer: bool) -> Answer:
    said = ANSWER_LINE.fullmatch(line.group())
    if said is None and must_say_answer:
        return UNREADABLE
    text = said["label"] if said else line.group()
    label = match_label(text.strip(), form.labels)
    if label == ABSTAIN:
        return UNREADABLE
    within = text.casefold().find(form.labels[label].casefold())
    return Answer(label, parsed=True, start=line.start() + (said.start("label") if said else 0) + within)


def _read_entry(entry: dict[str, Any], form: AnswerForm, start: int | None) -> Answer:
    said, told = entry.get(form.key), entry.get("confidence")
    if form.sets:
        return _read_set(said, told, form.labels)
    label = _label_of(said, form.labels)
    return UNREADABLE if label == ABSTAIN else Answer(label, said_confidence(told), True, start)


def _read_set(said: object, told: object, labels: Sequence[str]) -> Answer:
    places = [_label_of(one, labels) for one in said] if isinstance(said, list) else [ABSTAIN]
    if ABSTAIN in places or len(set(places)) < len(places):
        return UNREADABLE
    return Answer(set_of(places), parsed=True, by_class=_told_of_each(told, labels))


def _told_of_each(told: object, labels: Sequence[str]) -> tuple[float, ...]:
    """What was told of every label, in their order; empty if of one nothing, or two things."""
    if not isinstance(told, dict):
        return ()
    found = {match_label(name.strip(), labels): said_confidence(value) for name, value in told.items()}
    each = [found.get(place) for place in range(len(labels))]
    sure = tuple(one for one in each if one is not None)
    return sure if len(sure) == len(labels) == len(told) else ()


def _label_of(said: object, labels: Sequence[str]) -> int:
    if isinstance(said, int) and not isinstance(said, bool):
        said = str(said)
    return match_label(said.strip(), labels) if isinstance(said, str) else ABSTAIN


def _number(entry: object) -> int | None:
    number = entry.get("id") if isinstance(entry, dict) else None
    if isinstance(number, str) and re.fullmatch(r"[0-9]{1,4}", number):
        number = int(number)
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _json_object(text: str) -> dict[str, Any] | None:
    """The one JSON object of an answer: alone, in a fence, or after the words of a chain of thought."""
    _, brace, rest = text.partition("{")
    try:
        value = json.loads(brace + rest.rstrip().removesuffix("```"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Raises ValueError for an object that says something twice."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value


def _is_all_but_punctuation(text: str, label: str) -> bool:
    place = text.find(label)
    around = text[:place] + text[place + len(label) :]
    return place >= 0 and not any(one.isalnum() for one in around)
