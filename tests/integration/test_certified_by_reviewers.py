"""The loop with people at four review processes, some of whom click: the certified error holds."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loop_harness import CLASSES, POLICY, Loop
from sqlalchemy import func, select

from benchmarks.reviewers import Servers
from benchmarks.reviewers_play import HABITS, Reviewer, Seen
from daemon.adapters.store.schema import answers, questions
from daemon.core.settings import TierSettings

ITEMS = 440
DOUBTFUL_EVERY = 11
WRONG_EVERY = 100
"""Of the items that heuristics are sure of, one in so many is the other class."""
WINDOW = 400
SECONDS = 150
CROWD = {"price": 0.05, "overlap": 3, "lease_seconds": 5}
RULES = {"share": 0.1, "onboarding": 6, "pause_below": 0.65, "pause_after": 6}
PEOPLE = {"steady": 6, "slow": 2, "crashing": 2, "clicking": 2, "expert": 4}


def truth(item: str) -> int:
    number = int(item)
    return (number + (number % WRONG_EVERY == 0)) % 2


def message(number: int) -> dict[str, Any]:
    if number % DOUBTFUL_EVERY == 0:
        return {"id": str(number), "text": f"maybe {number}"}
    text = "win a prize now {}" if number % 2 else "hello friend, lunch {}?"
    return {"id": str(number), "text": text.format(number)}


def configuration(url: str) -> dict[str, Any]:
    return {
        "task": {"name": "certified", "classes": list(CLASSES)},
        "encoder": None,
        "tiers": {"crowd": {**CROWD, "controls": RULES}, "expert": {"price": 0.6, "final": True}},
        "database": {"url": url},
        "state": "state",
    }


def everybody(addresses: Sequence[str], seen: Seen) -> list[Reviewer]:
    names = [(habit, f"{habit}-{number}") for habit, count in PEOPLE.items() for number in range(count)]
    return [
        Reviewer(
            name,
            HABITS[habit],
            [*addresses[place % 4 :], *addresses[: place % 4]],
            random.Random(name),
            seen,
            tier="expert" if habit == "expert" else "crowd",
            classes=CLASSES,
            truth=truth,
        )
        for place, (habit, name) in enumerate(names)
    ]


def unanswered(loop: Loop) -> int:
    with loop.database.read() as connection:
        waiting = questions.c.state.in_(("open", "leased")), questions.c.purpose != "control"
        return int(connection.execute(select(func.count()).where(*waiting)).scalar_one())


def seen_by_experts(loop: Loop) -> set[str]:
    with loop.database.read() as connection:
        theirs = questions.c.id == answers.c.question, questions.c.tier == "expert"
        return set(connection.execute(select(answers.c.item).where(*theirs)).scalars())


async def play(loop: Loop, addresses: Sequence[str]) -> Seen:
    """Until nobody is asked anything more and every window is closed."""
    seen = Seen()
    working = [asyncio.create_task(one.work()) for one in everybody(addresses, seen)]
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        await asyncio.to_thread(loop.tend)
        if broken := [one for one in working if one.done() and one.exception() is not None]:
            broken[0].result()
        if not loop.windows.open_windows() and not await asyncio.to_thread(unanswered, loop):
            break
        await asyncio.sleep(0.5)
    seen.stop.set()
    await asyncio.gather(*working)
    return seen


@pytest.mark.postgres
@pytest.mark.timeout(SECONDS + 90)
def test_the_certified_error_holds_whoever_clicks_or_crashes(postgres_url: str, tmp_path: Path) -> None:
    tiers = {"crowd": TierSettings(**CROWD), "expert": TierSettings(price=0.6, final=True, accuracy=0.98)}
    loop = Loop(
        tmp_path,
        replace(POLICY, tiers=tiers, guarantee=replace(POLICY.guarantee, window_items=WINDOW)),
        url=postgres_url,
    ).start()
    try:
        loop.send([message(number) for number in range(ITEMS)])
        loop.read()
        loop.tend()
        with Servers(tmp_path, configuration(postgres_url)) as servers:
            servers.wait()
            seen = asyncio.run(play(loop, servers.addresses))
        labels = loop.labels()
        left = unanswered(loop), loop.windows.open_windows()
        expert = seen_by_experts(loop)
    finally:
        loop.close()
    assert left == (0, []), seen.counts
    assert seen.doubles == []
    certified = {item: label for item, label in labels.items() if label["status"] == "certified"}
    wrong = sum(CLASSES.index(label["label"]) != truth(item) for item, label in certified.items())
    assert len(certified) > WINDOW / 4
    assert wrong <= 0.05 * len(certified), (
        "one in 100 labels of the heuristics is wrong, and clickers answered too"
    )
    human = [item for item, label in labels.items() if label["status"] == "human"]
    crowd_alone = set(human) - expert
    mistaken = {item for item in human if CLASSES.index(labels[item]["label"]) != truth(item)}
    assert mistaken <= crowd_alone, "an expert's answer is the label"
    assert len(mistaken) <= len(crowd_alone) / 5, "two who click may agree before they are paused"
