"""Simulated reviewers: they use the REST API as any outside queue would, and answer from the truth."""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec

PAUSE_SECONDS = 0.3
LEASES = 8


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who answers one tier's questions, right with probability `accuracy`.

    `seconds` is what an answer is said to take; the simulation does not wait for it.
    """

    name: str
    tier: str
    accuracy: float
    seconds: float


class Enrolled(msgspec.Struct):
    """What registering answers."""

    id: int


class Leased(msgspec.Struct):
    """An item to be answered."""

    question: int
    item: str


class Leases(msgspec.Struct):
    """What asking for items answers."""

    leases: list[Leased]


Body = TypeVar("Body")

_enrolled = msgspec.json.Decoder(Enrolled)
_leases = msgspec.json.Decoder(Leases)


class Crew:
    """Reviewers at work in threads until they are sent home."""

    def __init__(
        self,
        reviewers: Sequence[Reviewer],
        address: str,
        truth: Mapping[str, str],
        classes: Sequence[str],
        seed: int = 0,
    ) -> None:
        self._address = address
        self._truth = truth
        self._classes = tuple(classes)
        self._home = threading.Event()
        self.errors: list[Exception] = []
        self._threads = [
            threading.Thread(target=self._work, args=(one, random.Random(seed + n)), name=one.name)
            for n, one in enumerate(reviewers)
        ]

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send them home and wait until they are gone."""
        self._home.set()
        for thread in self._threads:
            thread.join()

    def _work(self, reviewer: Reviewer, chance: random.Random) -> None:
        try:
            with httpx.Client(base_url=self._address, timeout=30.0) as client:
                wanted = {"name": reviewer.name, "tier": reviewer.tier}
                person = _post(client, "/api/reviewers", wanted, _enrolled).id
                while not self._home.is_set():
                    if not self._answer_some(client, person, reviewer, chance):
                        self._home.wait(PAUSE_SECONDS)
        except httpx.TransportError as error:
            if not self._home.is_set():
                self.errors.append(error)
        except httpx.HTTPStatusError as error:
            self.errors.append(error)

    def _answer_some(
        self, client: httpx.Client, person: int, reviewer: Reviewer, chance: random.Random
    ) -> int:
        wanted = {"reviewer": person, "tier": reviewer.tier, "count": LEASES}
        leases = _post(client, "/api/leases", wanted, _leases).leases
        for lease in leases:
            if self._home.is_set():
                break
            label = self._opinion(lease.item, reviewer.accuracy, chance)
            answer = {
                "question": lease.question,
                "reviewer": person,
                "label": label,
                "seconds": round(chance.uniform(0.5, 1.5) * reviewer.seconds, 1),
            }
            response = client.post("/api/answers", json=answer)
            if response.status_code != httpx.codes.CONFLICT:
                response.raise_for_status()
        return len(leases)

    def _opinion(self, item: str, accuracy: float, chance: random.Random) -> str:
        truth = self._truth[item]
        if chance.random() < accuracy:
            return truth
        return chance.choice([name for name in self._classes if name != truth])


def _post(
    client: httpx.Client, path: str, body: Mapping[str, object], decoder: msgspec.json.Decoder[Body]
) -> Body:
    response = client.post(path, json=body)
    response.raise_for_status()
    return decoder.decode(response.content)
