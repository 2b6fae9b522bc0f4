"""Tasks and items that programs outside are asked to show to people."""

from labeling_functions.task import Task

STARS = Task("stars", ("1", "2", "3", "4", "5"), kind="rating")
PAIRS = Task("pairs", ("A", "B", "tie"), kind="preference")
MATCHES = Task("match", ("same", "other"), kind="matching")

_TWO_TEXTS = {
    "preference": b'{"id":"i","fields":{"prompt":"Hi","response_a":"Ho","response_b":"Hu"}}',
    "matching": b'{"id":"i","fields":{"left":"a","right":"b"}}',
}


def payload_for(task: Task, text: bytes) -> bytes:
    """An item of the task: a short one where it has several texts, else the one given."""
    return _TWO_TEXTS.get(task.kind, text)
