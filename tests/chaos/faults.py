"""Everything that goes wrong, each fault from its beginning until the house has recovered from it."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from feed import Feed
from house import TIER, House, is_alive
from people import People

from daemon.core.errors import SetupProblem

WORKERS = ("run-1", "run-2")
REVIEWS = ("review-1", "review-2")
ANNOTATE = "annotate"
UP = "up"
OF_UP = ("run", "review", "learn", "annotate")
RECOVERY_SECONDS = 90.0
LEARNING_SECONDS = 600.0
"""The learner comes after all others, also on a busy machine."""
BURST = 150
STORM = 2_500
FLOOD = 3_000
OUTAGE_SECONDS = (0.5, 4.0)
GONE_SECONDS = 15.0


@dataclass
class Scene:
    """Where faults happen.

    Attributes:
        tell: is given a line of progress.
        done: what happened, in order, with the seconds that it took until the house went on.
    """

    house: House
    feed: Feed
    people: People
    chance: random.Random
    tell: Callable[[str], None]
    done: list[tuple[str, float]] = field(default_factory=list)

    def play(self, name: str) -> None:
        """Let this go wrong and wait until items are stored again; raises if they are not."""
        began = time.monotonic()
        FAULTS[name](self)
        self.goes_on(name)
        self.people.check()
        self.house.cut_calls.look()
        self.done.append((name, time.monotonic() - began))
        self.tell(f"{name}: {self.done[-1][1]:.1f} s until all went on; {self.house.stored()} items stored")

    def goes_on(self, after: str) -> None:
        """Wait until more is stored than now."""
        before = max(self.house.stored(), 0)
        self.house.wait(lambda: self.house.stored() > before, RECOVERY_SECONDS, f"more items after {after}")

    def at_work(self) -> None:
        """Put work in and wait until it has begun, so that what follows hits it in the middle."""
        self.feed.burst(BURST)
        self.goes_on("a burst")
        time.sleep(self.chance.uniform(0.0, 0.3))  # a draw of the moment, not a wait for anything

    def outage(self) -> None:
        """Let time go by, as long as is drawn."""
        time.sleep(self.chance.uniform(*OUTAGE_SECONDS))

    @property
    def workers(self) -> list[str]:
        """All that work on the stream, by themselves or with others below them."""
        return [name for name in (*WORKERS, UP) if name in self.house.commands]

    def draw(self, names: Sequence[str]) -> str:
        """One of them."""
        return self.chance.choice(list(names))


def kill_worker(scene: Scene) -> None:
    """SIGKILL in the middle of a batch."""
    scene.at_work()
    scene.house.kill(scene.draw(WORKERS))


def freeze_worker(scene: Scene) -> None:
    """SIGSTOP until another has taken its partitions and its duties; then it wakes, in the past."""
    scene.at_work()
    house = scene.house
    name = scene.draw(WORKERS)
    process = house.freeze(name)
    try:
        sent, sleeper = scene.feed.sent, f"run-{socket.gethostname()}-{process.pid}"
        held = f"SELECT count(*) FROM duties WHERE holder = '{sleeper}'"
        house.wait(
            lambda: house.stored() >= sent and house.count(held) == 0, RECOVERY_SECONDS, "others take over"
        )
    finally:
        process.send_signal(signal.SIGCONT)


def freeze_both(scene: Scene) -> None:
    """One worker sleeps while the other is killed."""
    scene.at_work()
    process = scene.house.freeze(WORKERS[0])
    try:
        scene.house.kill(WORKERS[1])
        scene.goes_on("the other worker was started")
    finally:
        process.send_signal(signal.SIGCONT)


def kill_review(scene: Scene) -> None:
    """SIGKILL one of the servers that people answer at."""
    scene.house.kill(scene.draw(REVIEWS))


def freeze_review(scene: Scene) -> None:
    """One of those servers stands still for a while, with connections open."""
    process = scene.house.freeze(scene.draw(REVIEWS))
    scene.outage()
    process.send_signal(signal.SIGCONT)


def kill_broker(scene: Scene) -> None:
    """SIGKILL the broker; it comes back after a while with what it had acknowledged."""
    scene.at_work()
    scene.house.break_broker()
    scene.outage()
    scene.house.mend_broker()


def freeze_broker(scene: Scene) -> None:
    """The broker stands still, longer than a session of the consumer group now and then."""
    scene.at_work()
    group = scene.house.broker.process.pid
    os.killpg(group, signal.SIGSTOP)
    time.sleep(scene.chance.uniform(0.5, 9.0))
    os.killpg(group, signal.SIGCONT)


def crash_database(scene: Scene) -> None:
    """Immediate stop of PostgreSQL in the middle of everything, and a start after a while."""
    scene.at_work()
    scene.house.crash_database()
    scene.outage()
    scene.house.mend_database()


def kill_learner(scene: Scene) -> None:
    """SIGKILL the learner, whatever it does."""
    scene.house.kill("learn")


def freeze_learner(scene: Scene) -> None:
    """The learner stands still for a while."""
    process = scene.house.freeze("learn")
    scene.outage()
    process.send_signal(signal.SIGCONT)


_CALLS = "SELECT count(*) FROM calls"
_TO_ASK = f"SELECT count(*) FROM questions WHERE tier = '{TIER}' AND state IN ('open', 'leased')"


def first_calls(scene: Scene) -> None:
    """Wait until the model is asked at all: nobody but the final tier is before anything was learned."""
    scene.house.wait(lambda: scene.house.count(_CALLS) > 0, LEARNING_SECONDS, "a first call to the model")


def _asks_again(scene: Scene, calls: int) -> None:
    """Wait until there are more calls to the model than these, or none is wanted."""
    house = scene.house
    house.wait(
        lambda: house.count(_CALLS) > calls or house.count(_TO_ASK) == 0,
        RECOVERY_SECONDS,
        "calls to the model",
    )


def kill_annotate(scene: Scene) -> None:
    """SIGKILL the process that asks the language model, calls under way."""
    scene.at_work()
    before = scene.house.count(_CALLS)
    scene.house.kill(ANNOTATE)
    _asks_again(scene, before)


def freeze_annotate(scene: Scene) -> None:
    """It stands still for so long that its leases end."""
    scene.at_work()
    process = scene.house.freeze(ANNOTATE)
    under_way = scene.house.cut_calls.freeze(process.pid)
    time.sleep(scene.chance.uniform(1.0, 15.0))
    before = scene.house.count(_CALLS)
    scene.house.cut_calls.wake(under_way)
    process.send_signal(signal.SIGCONT)
    _asks_again(scene, before)


def kill_mlflow(scene: Scene) -> None:
    """SIGKILL MLflow's server with its children; it comes back after a while."""
    scene.house.stop_mlflow()
    scene.outage()
    scene.house.start_mlflow()


def flood(scene: Scene) -> None:
    """More at once than comes in a minute otherwise."""
    scene.feed.burst(FLOOD)


_TAKEN_AS_DEAD = "SELECT sum(value) FROM counters WHERE name LIKE 'dead_letter:%'"


def poison_storm(scene: Scene) -> None:
    """Messages that can never be labeled stop every worker; somebody lets them pass, then works as before."""
    house, feed, workers = scene.house, scene.feed, scene.workers
    house.rest(workers)
    feed.storm(STORM)
    house.wait(
        lambda: all(house.processes[name].poll() is not None for name in workers),
        RECOVERY_SECONDS,
        "workers stopped by the dead-letter limit",
    )
    for name in workers:
        code, said = house.processes[name].returncode, house.log_of(name)
        if code != SetupProblem.exit_code or "dead_letter_limit" not in said or "Traceback" in said:
            raise AssertionError(f"{name} ended with {code} in a storm of spoiled messages: {said[-3_000:]}")
    house.wake(workers, LABELLOOP_STREAM__DEAD_LETTER_LIMIT="1")
    feed.flush()
    house.wait(
        lambda: house.count(_TAKEN_AS_DEAD) >= len(feed.spoiled),
        RECOVERY_SECONDS,
        "dead letters of the storm",
    )
    house.wake(workers)


def kill_up(scene: Scene) -> None:
    """SIGKILL `labelloop up`: all that it had started ends with it, and the next one goes on."""
    scene.at_work()
    house = scene.house
    house.wait(lambda: set(house.family(UP)) >= set(OF_UP), RECOVERY_SECONDS, "the family of `up`")
    before = house.family(UP)
    house.kill(UP)
    house.wait(lambda: not any(map(is_alive, before.values())), GONE_SECONDS, "the end of its family")
    house.wait(lambda: set(house.family(UP)) >= set(OF_UP), RECOVERY_SECONDS, "a new family")


def freeze_up(scene: Scene) -> None:
    """`labelloop up` stands still, and one of its children is killed meanwhile: the others work on."""
    house = scene.house
    house.wait(lambda: set(house.family(UP)) >= set(OF_UP), RECOVERY_SECONDS, "the family of `up`")
    process = house.freeze(UP)
    try:
        before = house.family(UP)
        killed = before[scene.draw(OF_UP)]
        house.kill_below(killed)
        scene.at_work()
        scene.outage()
        assert all(is_alive(one) for one in before.values() if one != killed), "who works on"
    finally:
        process.send_signal(signal.SIGCONT)
    house.wait(lambda: set(house.family(UP)) >= set(OF_UP), RECOVERY_SECONDS, "a new child of `up`")


def kill_child_of_up(scene: Scene) -> None:
    """SIGKILL one of the processes below `labelloop up`, which starts it again."""
    scene.at_work()
    house = scene.house
    house.wait(lambda: set(house.family(UP)) >= set(OF_UP), RECOVERY_SECONDS, "the family of `up`")
    name = scene.draw(OF_UP)
    killed = house.family(UP)[name]
    house.kill_below(killed)
    house.wait(
        lambda: house.family(UP).get(name, killed) != killed, RECOVERY_SECONDS, f"a new {name} of `up`"
    )


def wrong_clock(scene: Scene) -> None:
    """The clock of a process, or of `labelloop up` with all below it, jumps by up to two hours, and back.

    Now and then it is started again meanwhile, so that it knows no other time.
    """
    house = scene.house
    assert house.clocks is not None
    name = scene.draw(list(house.commands))
    house.clocks.set(name, scene.chance.choice((-1, 1)) * scene.chance.uniform(60, 7_200))
    try:
        if scene.chance.random() < 0.5:
            house.kill(name)
        scene.at_work()
        scene.outage()
        scene.goes_on(f"the clock of {name} was set")
    finally:
        house.clocks.set(name, 0)


FAULTS: dict[str, Callable[[Scene], None]] = {
    "worker killed": kill_worker,
    "worker frozen": freeze_worker,
    "one frozen, one killed": freeze_both,
    "review killed": kill_review,
    "review frozen": freeze_review,
    "broker killed": kill_broker,
    "broker frozen": freeze_broker,
    "database crashed": crash_database,
    "learner killed": kill_learner,
    "learner frozen": freeze_learner,
    "annotate killed": kill_annotate,
    "annotate frozen": freeze_annotate,
    "MLflow killed": kill_mlflow,
    "flood": flood,
    "poison storm": poison_storm,
    "up killed": kill_up,
    "up frozen": freeze_up,
    "child of up killed": kill_child_of_up,
    "clock wrong": wrong_clock,
}
_OF_UP = frozenset({"up killed", "up frozen", "child of up killed"})


def need_up(kinds: Sequence[str]) -> bool:
    """Whether one of these faults wants a `labelloop up` in the house."""
    return not _OF_UP.isdisjoint(kinds)


def need_clocks(kinds: Sequence[str]) -> bool:
    """Whether one of these faults wants clocks that can be wrong."""
    return "clock wrong" in kinds


def need_mlflow(kinds: Sequence[str]) -> bool:
    """Whether one of these faults wants MLflow's server."""
    return "MLflow killed" in kinds


def need_model(kinds: Sequence[str]) -> bool:
    """Whether one of these faults wants a language model that answers a tier."""
    return not (_OF_UP | {"annotate killed", "annotate frozen"}).isdisjoint(kinds)
