"""Simulated reviewers: over HTTP, each as its page would call; good, slow, crashing and clicking ones."""

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import aiohttp

from benchmarks.reviewers_world import CLASSES, LEASE_SECONDS, truth

RIGHT = 0.97
"""How often somebody who reads is right."""
PREFETCH = 3
EMPTY_SECONDS = 1.5
"""Before somebody who got nothing asks again, as the page does."""
TRIES = 600
SECONDS = 30.0
"""To wait for a reply."""
AFTER_LEASE = 2.0
"""Seconds past the end of a lease."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How somebody works.

    Attributes:
        right: share of right answers; others are drawn from all classes.
        seconds: mean time to think. held: items leased at once.
        late: share of answers that come when the lease has run out.
        crashes: share of leases after which the page is lost, with what it held, for longer than a lease.
        cuts: share of answers whose connection breaks before the reply; they are sent again.
    """

    right: float = RIGHT
    seconds: float = 2.0
    held: int = PREFETCH
    late: float = 0.0
    crashes: float = 0.0
    cuts: float = 0.0


HABITS = {
    "steady": Habit(),
    "slow": Habit(seconds=4.0, late=0.15),
    "crashing": Habit(crashes=0.03, cuts=0.1),
    "expert": Habit(right=1.0, seconds=0.5),
    "quick": Habit(seconds=0.5),
    "clicking": Habit(right=0.0, seconds=0.5, held=1),
}


@dataclass
class Seen:
    """What the reviewers saw, all together.

    Attributes:
        seconds: by call, of each reply. doubles: leases of a question that somebody else held.
        held: question -> who holds it, and until when (ms).
        paused: names. counts: of other things that happened.
        acknowledged: answers whose 200 came back: question, item, reviewer's id and class.
        stop: set when nothing is left to do.
    """

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    doubles: list[tuple[int, str, str]] = field(default_factory=list)
    held: dict[int, tuple[str, int]] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    acknowledged: list[tuple[int, str, int, int]] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def leased(self, name: str, leases: Sequence[dict[str, Any]]) -> None:
        """Note who holds what; a lease of somebody else must have ended by now."""
        now = time.time() * 1000
        for lease in leases:
            holder, until = self.held.get(lease["question"], (name, 0))
            if holder != name and now < until:
                self.doubles.append((lease["question"], holder, name))
            self.held[lease["question"]] = (name, lease["until"])

    def lets_go(self, name: str, question: int) -> None:
        """From now on somebody else may get this question."""
        if self.held.get(question, ("", 0))[0] == name:
            del self.held[question]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    content: bytes

    def read(self) -> dict[str, Any]:
        """The JSON in it; raises if the call was refused."""
        if self.status >= 400:
            raise RuntimeError(f"status {self.status}: {self.content.decode(errors='replace')}")
        said: dict[str, Any] = json.loads(self.content)
        return said


@dataclass
class Reviewer:
    """One person in front of a page.

    Attributes:
        addresses: of the review processes; the first that answers is kept.
        slower: how many times longer than their habit everybody thinks, and leases last.
        tier: where they answer. classes: of the task. truth: the class of an item, by its id.
        patient: whether a server that fails (5xx), or says nothing in time, is called again, as one that is
            gone is.
    """

    name: str
    habit: Habit
    addresses: list[str]
    chance: random.Random
    seen: Seen
    _: KW_ONLY
    slower: float = 1.0
    tier: str = "crowd"
    classes: Sequence[str] = CLASSES
    truth: Callable[[str], int] = truth
    patient: bool = False
    id: int = 0

    async def work(self) -> None:
        """Answer until everything is done or this person is paused."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(SECONDS)) as client:
            made = await self._call(client, "reviewers", {"name": self.name, "tier": self.tier})
            self.id = made.read()["id"]
            while not self.seen.stop.is_set():
                wish = {"reviewer": self.id, "tier": self.tier, "count": self.habit.held}
                reply = await self._call(client, "leases", wish)
                if reply.status == 403:
                    self.seen.paused.add(self.name)
                    return
                leases = reply.read()["leases"]
                self.seen.leased(self.name, leases)
                if not leases:
                    self.seen.counts["empty-handed"] += 1
                    await self._pass(EMPTY_SECONDS)
                elif self.chance.random() < self.habit.crashes:
                    self.seen.counts["crashed"] += 1
                    await self._pass(self._late)
                else:
                    await self._answer(client, leases[0])

    @property
    def _late(self) -> float:
        return self.slower * LEASE_SECONDS + AFTER_LEASE

    async def _answer(self, client: aiohttp.ClientSession, lease: dict[str, Any]) -> None:
        late = self.chance.random() < self.habit.late
        thought = self.chance.expovariate(1 / (self.slower * self.habit.seconds))
        await self._pass(self._late if late else thought)
        label = self.truth(lease["item"])
        if self.chance.random() >= self.habit.right:
            label = self.chance.randrange(len(self.classes))
        body = {
            "question": lease["question"],
            "reviewer": self.id,
            "label": self.classes[label],
            "seconds": 1.0,
        }
        self.seen.lets_go(self.name, lease["question"])
        if self.chance.random() < self.habit.cuts:
            await self._cut(client, body)
        reply = await self._call(client, "answers", body)
        if reply.status == 403:
            return
        if reply.status == 409:
            self.seen.counts["too late"] += 1
            return
        reply.read()
        self.seen.acknowledged.append((lease["question"], lease["item"], self.id, label))
        self.seen.counts["late, taken" if late else "answered"] += 1

    async def _cut(self, client: aiohttp.ClientSession, body: dict[str, Any]) -> None:
        """Send an answer and lose the connection at once, or a moment later."""
        self.seen.counts["cut off"] += 1
        sending = asyncio.create_task(_post(client, f"{self.addresses[0]}/api/answers", body))
        await asyncio.sleep(self.chance.random() * 0.02)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)

    async def _call(self, client: aiohttp.ClientSession, call: str, body: dict[str, Any]) -> Reply:
        """Call the first process that answers."""
        for _ in range(TRIES):
            began = time.perf_counter()
            try:
                reply = await _post(client, f"{self.addresses[0]}/api/{call}", body)
            except aiohttp.ClientConnectionError:
                self.seen.counts["went to another process"] += 1
                self.addresses.append(self.addresses.pop(0))
                await asyncio.sleep(0.2)
                continue
            except TimeoutError:
                if not self.patient:
                    raise
                self.seen.counts["got no reply in time"] += 1
                continue
            if self.patient and reply.status >= 500:
                self.seen.counts[f"was told {reply.status}"] += 1
                await asyncio.sleep(0.2)
                continue
            self.seen.seconds[call].append(time.perf_counter() - began)
            return reply
        raise RuntimeError(f"no review process answers {self.name}")

    async def _pass(self, seconds: float) -> None:
        """Let time go by, or everything end."""
        try:
            await asyncio.wait_for(self.seen.stop.wait(), seconds)
        except TimeoutError:
            return


async def _post(client: aiohttp.ClientSession, address: str, body: dict[str, Any]) -> Reply:
    async with client.post(address, json=body) as reply:
        return Reply(reply.status, await reply.read())


def people(
    counts: dict[str, int], addresses: Sequence[str], seen: Seen, seed: int, slower: float = 1.0
) -> list[Reviewer]:
    """So many of each habit, spread over the processes; a name begins with the habit."""
    names = [(habit, f"{habit}-{number}") for habit, count in counts.items() for number in range(count)]
    return [
        Reviewer(
            name,
            HABITS[habit],
            [*addresses[place % len(addresses) :], *addresses[: place % len(addresses)]],
            random.Random(f"{seed} {name}"),
            seen,
            slower=slower,
        )
        for place, (habit, name) in enumerate(names)
    ]
