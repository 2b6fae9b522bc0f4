"""A run: faults happen to a house in an order drawn from a seed; all comes to rest, and is judged."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import reader
import wrong_clocks
from crashes import crashes
from faults import (
    ANNOTATE,
    FAULTS,
    REVIEWS,
    UP,
    WORKERS,
    Scene,
    first_calls,
    need_clocks,
    need_mlflow,
    need_model,
    need_up,
)
from feed import Feed
from house import START_SECONDS, TIER, House
from kafka_fixtures import kafka_home
from model import Given, scripted_model
from people import People
from private_postgres import server_binaries
from program import FUNCTIONS
from wrong_clocks import WrongClocks

from daemon.adapters.starting import free_port

REST_SECONDS = 60.0
"""Without any change, before it is said that the house never comes to rest."""
RATE = 20.0
STORE_SECONDS = 180.0
FIRST_ITEMS = 200

Command = tuple[Sequence[str], Mapping[str, str]]
"""Words after `labelloop`, and settings of this process alone."""


@dataclass(frozen=True)
class Plan:
    """What is to happen.

    Attributes:
        seed: of everything that is drawn. kinds: names of faults, each happens once at first.
        seconds: faults go on for so long, at least until each kind happened once; 0 for just that.

    The house has what its faults need: MLflow (without it the learner tells nobody of its runs), a language
    model that answers a tier by a process `annotate`, a `labelloop up` beside the other processes.
    """

    seed: int
    kinds: Sequence[str]
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        faults: name and seconds until all went on. broken: invariant -> problems.
        fallen: (process, exit code) -> times that it ended by itself.
    """

    faults: list[tuple[str, float]]
    broken: dict[str, list[str]]
    fallen: dict[tuple[str, int], int]
    counts: dict[str, int]
    seconds: float


def missing(kinds: Sequence[str] = ()) -> str | None:
    """What this machine lacks; None if a run with these faults can be made."""
    if kafka_home() is None:
        return "needs Apache Kafka: set LABELLOOP_KAFKA_HOME and have Java 17"
    if server_binaries() is None:
        return "no PostgreSQL: initdb is not there (Debian: postgresql)"
    return wrong_clocks.missing() if need_clocks(kinds) else None


def order(plan: Plan, chance: random.Random) -> Iterator[str]:
    """Each kind once, in any order, then any kinds for ever."""
    first = list(plan.kinds)
    chance.shuffle(first)
    return chain(first, (chance.choice(list(plan.kinds)) for _ in repeat(None)))


def play(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Outcome:
    """Do it. Raises when the house does not recover from a fault, or never comes to rest."""
    home, binaries = kafka_home(), server_binaries()
    assert home is not None and binaries is not None
    chance, began = random.Random(plan.seed), time.monotonic()
    commands, ports = _commands(plan)
    with ExitStack() as stack:
        given = Given()
        model = stack.enter_context(scripted_model(plan.seed, given)) if need_model(plan.kinds) else None
        house = stack.enter_context(
            House(
                folder,
                home,
                binaries,
                FUNCTIONS,
                commands,
                with_mlflow=need_mlflow(plan.kinds),
                model_url=None if model is None else model.base_url,
                clocks=WrongClocks(folder / "clocks") if need_clocks(plan.kinds) else None,
            )
        )
        feed = Feed(house.bootstrap, random.Random(chance.random()), RATE)
        people = People([f"http://127.0.0.1:{port}" for port in ports], plan.seed)
        scene = Scene(house, feed, people, chance, tell)
        try:
            _disturb(plan, scene)
            _come_to_rest(scene)
        finally:
            feed.stop()
            people.stop()
        found = reader.read(house.url, house.bootstrap, _sent(house, feed, people, given))
        return Outcome(
            scene.done,
            reader.broken(found),
            dict(house.fallen),
            _counts(found, feed, people),
            time.monotonic() - began,
        )


def _commands(plan: Plan) -> tuple[dict[str, Command], list[int]]:
    """Name -> command and environment of each process; and the ports where people answer."""
    pages = [*REVIEWS, UP] if need_up(plan.kinds) else [*REVIEWS]
    ports = {name: free_port() for name in pages}
    found: dict[str, Command] = {name: (("run",), {}) for name in WORKERS}
    for name, port in ports.items():
        found[name] = (("up" if name == UP else "review",), {"LABELLOOP_REVIEW__PORT": str(port)})
    found["learn"] = (("learn",), {})
    if need_model(plan.kinds):
        found[ANNOTATE] = (("annotate", TIER), {})
    return found, list(ports.values())


def _disturb(plan: Plan, scene: Scene) -> None:
    house = scene.house
    house.wait(lambda: _has_topic(house), START_SECONDS, "topics")
    scene.feed.start()
    scene.feed.burst(FIRST_ITEMS)
    scene.people.start()
    house.wait(lambda: house.stored() >= FIRST_ITEMS, START_SECONDS, "first items")
    if need_model(plan.kinds):
        first_calls(scene)
    scene.tell(f"{house.stored()} items stored; faults begin")
    until = time.monotonic() + plan.seconds
    for number, kind in enumerate(order(plan, scene.chance)):
        if number >= len(plan.kinds) and time.monotonic() >= until:
            return
        scene.play(kind)


_ENDED = "SELECT count(*) FROM questions WHERE state NOT IN ('open', 'leased')"


def _has_topic(house: House) -> bool:
    return house.count("SELECT count(*) FROM positions") > 0


def _come_to_rest(scene: Scene) -> None:
    """Nothing new comes; wait until all that was begun has ended, twice in a row."""
    scene.feed.stop()
    house, wanted = scene.house, scene.feed.sent
    house.wait(lambda: house.stored() >= wanted, STORE_SECONDS, f"all {wanted} items")
    scene.tell(f"all {wanted} items stored; waiting until nothing is left to do")
    quiet, moved, done = 0, time.monotonic(), -1
    while quiet < 2:
        scene.people.check()
        left = {what: house.count(sql) for what, sql in reader.LEFT.items()}
        quiet = 0 if any(left.values()) else quiet + 1
        if (ended := house.count(_ENDED)) != done:
            done, moved = ended, time.monotonic()
        if time.monotonic() > moved + REST_SECONDS:
            raise TimeoutError(f"nothing moves any more, but {left} are left; {house.program.logs()}")
        time.sleep(0.2)


def _sent(house: House, feed: Feed, people: People, given: Given) -> reader.Sent:
    config = house.program.config
    return reader.Sent(
        items={f"item-{number}" for number in range(feed.sent)},
        spoiled=feed.spoiled,
        acknowledged=people.seen.acknowledged,
        prices={name: tier["price"] for name, tier in config["tiers"].items() if name != TIER},
        target=0.05,
        model_answers=given.answers,
        model_spoiled=given.spoiled,
        cut_calls=house.cut_calls.ids,
        crashed=crashes(house.fallen, house.program.logs_of_all("up")),
    )


def _counts(found: reader.Found, feed: Feed, people: People) -> dict[str, int]:
    states = [state for state, _ in found.items.values()]
    return {
        "items": feed.sent,
        "doubled": feed.doubled,
        "spoiled": len(feed.spoiled),
        "published": len(found.published),
        "answers acknowledged": len(people.seen.acknowledged),
        "calls to the model": len(found.made_calls),
        "of them cut off by a fault": len(found.sent.cut_calls),
        "answers of the model paid again": sum(n - 1 for n in found.sent.model_answers.values()),
        "certified": states.count("certified"),
        "human": states.count("human"),
        **{what: count for what, count in sorted(people.seen.counts.items()) if what != "answered"},
    }


def report(plan: Plan, outcome: Outcome) -> str:
    """What is told at the end."""
    kinds = {name: [s for one, s in outcome.faults if one == name] for name in FAULTS}
    lines = [f"seed {plan.seed}: {len(outcome.faults)} faults in {outcome.seconds:.0f} s"]
    lines += [f"  {len(s):>4} x {name}, longest {max(s):.1f} s" for name, s in kinds.items() if s]
    lines += [f"  {count:>8,} {what}" for what, count in outcome.counts.items()]
    lines += [f"  {n} x {name} ended by itself with {code}" for (name, code), n in outcome.fallen.items()]
    for name in reader.CHECKS:
        problems = outcome.broken.get(name)
        lines.append(f"  {'BROKEN' if problems else 'holds '} {name}")
        lines += [f"         {problem}" for problem in problems or ()]
    return "\n".join(lines)
