"""What a task looks like in Label Studio: its labeling config, an item's data, predictions and answers.

The forms are those of Label Studio's `Choices` and `Rating` tags
(https://labelstud.io/tags/choices, https://labelstud.io/tags/rating).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from daemon.core.decoding import decode_stored
from labeling_functions.items import Item
from labeling_functions.pairs import FIELDS, SIDES
from labeling_functions.task import MATCHING, MULTILABEL, PREFERENCE, RATING, Task

CONTROL = "label"
"""Name of the tag that people answer with."""

MOST_STARS = 10
"""Scales up to this length are stars; longer ones are choices."""

MODEL_VERSION = "labelloop"

PANELS: Mapping[str, tuple[str, ...]] = {PREFERENCE: FIELDS, MATCHING: SIDES}
"""Kind of task -> fields that are shown, each by itself; of other kinds all text is one."""


def config_of(task: Task) -> str:
    """The labeling config of a project, as XML."""
    view = ElementTree.Element("View")
    panels = _panels(task)
    if task.guidelines:
        ElementTree.SubElement(view, "Header", value=_first_line(task.guidelines), size="5")
    for name in panels:
        if len(panels) > 1:
            ElementTree.SubElement(view, "Header", value=name.replace("_", " "), size="4")
        ElementTree.SubElement(view, "Text", name=name, value=f"${name}")
    _add_control(view, task, panels[0])
    return ElementTree.tostring(view, encoding="unicode")


def data_of(payload: bytes, task: Task) -> dict[str, str]:
    """What is shown of an item: its text, or the texts of a pair."""
    item = decode_stored(payload)
    if task.kind in PANELS:
        return {name: str(item.fields[name]) for name in PANELS[task.kind]}
    return {"text": _readable(item)}


def prediction_of(task: Task, label: int, sure: float) -> dict[str, Any]:
    """A label as a prediction; `sure`: how likely it is right."""
    return {"model_version": MODEL_VERSION, "score": round(sure, 4), "result": result_of(task, label)}


def result_of(task: Task, label: int) -> list[dict[str, Any]]:
    """A label as the result that an annotation with it has; empty where no class applies."""
    said = {"from_name": CONTROL, "to_name": _panels(task)[0]}
    if _is_stars(task):
        return [{**said, "type": "rating", "value": {"rating": label + 1}}]
    names = [task.classes[place] for place in task.space.members(label)]
    return [{**said, "type": "choices", "value": {"choices": names}}] if names else []


def label_of(task: Task, result: Sequence[Mapping[str, Any]]) -> int:
    """The label that the result of an annotation says.

    Raises:
        ValueError: it says none of this task.
    """
    said = [one for one in result if one.get("from_name") == CONTROL]
    if len(said) > 1:
        raise ValueError(f"{len(said)} answers in one annotation")
    value = said[0].get("value", {}) if said else {}
    if _is_stars(task):
        stars = value.get("rating")
        if not isinstance(stars, int) or not 1 <= stars <= task.n_classes:
            raise ValueError(f"{stars!r} is no rating from 1 to {task.n_classes}")
        return stars - 1
    names = value.get("choices", [])
    if task.space.sets:
        return task.space.label_of(names)
    if len(names) != 1:
        raise ValueError(f"{names!r} is not one class")
    return task.space.label_of(names[0])


def _panels(task: Task) -> tuple[str, ...]:
    return PANELS.get(task.kind, ("text",))


def _is_stars(task: Task) -> bool:
    return task.kind == RATING and task.n_classes <= MOST_STARS


def _add_control(view: ElementTree.Element, task: Task, shown: str) -> None:
    given = {"name": CONTROL, "toName": shown}
    if _is_stars(task):
        stars = {"maxRating": str(task.n_classes), "required": "true"}
        ElementTree.SubElement(view, "Rating", given | stars)
        return
    several = task.kind == MULTILABEL
    how = {"choice": "multiple"} if several else {"choice": "single", "required": "true"}
    choices = ElementTree.SubElement(view, "Choices", given | how)
    for name in task.classes:
        hint = {"hint": task.descriptions[name]} if name in task.descriptions else {}
        ElementTree.SubElement(choices, "Choice", {"value": name} | hint)


def _readable(item: Item) -> str:
    if set(item.fields) == {"text"} and not item.images:
        return item.plain_text
    lines = [f"{name}: {value}" for name, value in item.fields.items()]
    return "\n".join([*lines, *(f"image: {address}" for address in item.images)])


def _first_line(guidelines: str) -> str:
    return guidelines.strip().splitlines()[0].lstrip("# ")
