"""A language model that answers as the feed meant its items, and is wrong or fails now and then."""

import random
import re

from feed import CLASSES, truth

from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer

SECONDS = 0.05
RIGHT = 0.85
FAILS = 0.05
NUMBER = re.compile(r"(?:maybe|lunch|now) (\d+)")
FAULTS = (Fault("status", 500), Fault("status", 429, retry_after="1"), Fault("close"), Fault("garbage"))


def scripted_model(seed: int) -> ScriptedServer:
    """The server, to be entered."""
    chance = random.Random(f"{seed} model")

    def answer(asked: Asked) -> str | Fault:
        if chance.random() < FAILS:
            return chance.choice(FAULTS)
        number = int(NUMBER.findall(asked.prompt)[-1])
        label = truth(f"item-{number}")
        return CLASSES[label if chance.random() < RIGHT else 1 - label]

    return ScriptedServer(answer, SECONDS)
