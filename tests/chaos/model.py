"""A language model that answers as the feed meant its items, and is wrong or fails now and then."""

import random
import re
import threading
from collections import Counter
from dataclasses import dataclass, field

from feed import CLASSES, truth

from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer

SECONDS = 0.05
RIGHT = 0.85
FAILS = 0.05
NUMBER = re.compile(r"(?:maybe|lunch|now) (\d+)")
FAULTS = (Fault("status", 500), Fault("status", 429, retry_after="1"), Fault("close"), Fault("garbage"))


@dataclass
class Given:
    """What the model was paid for, by its own count.

    Attributes:
        answers: item -> answers given. spoiled: item -> those that nobody could read, paid all the same.
    """

    answers: Counter[str] = field(default_factory=Counter)
    spoiled: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, item: str, said: str | Fault) -> None:
        """It says this."""
        with self._lock:
            if isinstance(said, str):
                self.answers[item] += 1
            elif said.kind != "status":
                self.spoiled[item] += 1


def scripted_model(seed: int, given: Given) -> ScriptedServer:
    """The server, to be entered; what it gives is noted."""
    chance = random.Random(f"{seed} model")

    def answer(asked: Asked) -> str | Fault:
        item = f"item-{NUMBER.findall(asked.prompt)[-1]}"
        said = _said(item)
        given.note(item, said)
        return said

    def _said(item: str) -> str | Fault:
        if chance.random() < FAILS:
            return chance.choice(FAULTS)
        return CLASSES[truth(item) if chance.random() < RIGHT else 1 - truth(item)]

    return ScriptedServer(answer, SECONDS)
