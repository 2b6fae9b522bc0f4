"""Everything that goes wrong, each fault from its beginning until the house has recovered from it."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from feed import Feed
from house import House
from people import People

from daemon.core.errors import SetupProblem

WORKERS = ("run-1", "run-2")
REVIEWS = ("review-1", "review-2")
ANNOTATE = "annotate"
RECOVERY_SECONDS = 90.0
BURST = 150
STORM = 2_500
FLOOD = 3_000
OUTAGE_SECONDS = (0.5, 4.0)


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


def kill_annotate(scene: Scene) -> None:
    """SIGKILL the process that asks the language model, calls under way."""
    scene.at_work()
    scene.house.kill(ANNOTATE)


def freeze_annotate(scene: Scene) -> None:
    """It stands still for so long that its leases end."""
    scene.at_work()
    process = scene.house.freeze(ANNOTATE)
    time.sleep(scene.chance.uniform(1.0, 15.0))
    process.send_signal(signal.SIGCONT)


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
    house, feed = scene.house, scene.feed
    house.rest(WORKERS)
    feed.storm(STORM)
    house.wait(
        lambda: all(house.processes[name].poll() is not None for name in WORKERS),
        RECOVERY_SECONDS,
        "workers stopped by the dead-letter limit",
    )
    for name in WORKERS:
        code, said = house.processes[name].returncode, house.log_of(name)
        if code != SetupProblem.exit_code or "dead_letter_limit" not in said or "Traceback" in said:
            raise AssertionError(f"{name} ended with {code} in a storm of spoiled messages: {said[-3_000:]}")
    house.wake(WORKERS, LABELLOOP_STREAM__DEAD_LETTER_LIMIT="1")
    feed.flush()
    house.wait(
        lambda: house.count(_TAKEN_AS_DEAD) >= len(feed.spoiled),
        RECOVERY_SECONDS,
        "dead letters of the storm",
    )
    house.wake(WORKERS)


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
}
