"""How many workers, loops and disks a number of items a day takes: days simulated second by second.

    python -m benchmarks.capacity --items 1e6 1e8 1e10

Needs nothing. What one worker, one PostgreSQL and one publisher do in a second is measured elsewhere
(docs/capacity.md says where) and given here; a stream with nights, noons, bursts and outages is played
against them. Queues are fluid: figures are right to a second or so, not below. The first design that holds
is told.
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

DAY = 86_400
F8 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rates:
    """What was measured, in items a second; bytes of an item, all its rows of PostgreSQL included.

    Attributes:
        worker: of one worker process with a core of its own. database: of one PostgreSQL server.
        publisher: labels that the one process of a loop that has the duty sends.
        row_bytes: item with its labels. asked_bytes: what a question and its answer add.
        kafka_bytes: of the message of an item and of its labels together.
    """

    worker: float = 10_000
    database: float = 18_000
    publisher: float = 18_000
    row_bytes: float = 367 + 1.1 * 149
    asked_bytes: float = 238 + 150
    kafka_bytes: float = 500


MEASURED = Rates()


@dataclass(frozen=True, slots=True)
class Stream:
    """What comes, and what is asked of the design.

    Attributes:
        per_day: items. noon: the busiest minute without a burst, times the mean.
        burst: times what else would come. bursts: a day. burst_seconds: of each.
        outage_seconds: how long one worker of each loop is away once a day, at noon (a rebalance, a restart);
            how long the whole database is, at another time.
        asked: share of the items about which somebody is asked, up to `most_asked` a day of one loop, which
            is what there are people and money for.
        keep_days: `database.keep_days` and `keep_open_days`.
        most_p99: seconds of delay that 99 in 100 items may have at most. most: that any may have.
    """

    per_day: float
    noon: float = 2.5
    burst: float = 3.0
    bursts: int = 3
    burst_seconds: int = 600
    outage_seconds: int = 60
    asked: float = 0.1
    most_asked: float = 100_000
    keep_days: float = 30
    most_p99: float = 30
    most: float = 600


@dataclass(frozen=True, slots=True)
class Design:
    """`loops` that share nothing (a database, a group, a set of topics each), with `workers` each."""

    loops: int
    workers: int


@dataclass(frozen=True, slots=True)
class Played:
    """What a day did to a design: seconds that an item waits, share of the time that its workers work."""

    p50: float
    p99: float
    longest: float
    load: float
    waiting: float
    """Most items that wait at any time."""


def arrivals(stream: Stream, random: np.random.Generator) -> F8:
    """(DAY,) items that come in each second: a night and a noon, and bursts at times that nobody knows."""
    hours = np.cos((np.arange(DAY) / DAY - 0.5) * 2 * np.pi)
    shape = 1 + (stream.noon - 1) * np.maximum(hours, -0.6)
    for begin in random.integers(0, DAY - stream.burst_seconds, stream.bursts):
        shape[begin : begin + stream.burst_seconds] *= stream.burst
    mean = shape / shape.sum() * stream.per_day
    return random.poisson(mean).astype(np.float64)


def play(stream: Stream, design: Design, rates: Rates, seed: int) -> Played:
    """One day of one loop's share: read and stored by workers under the database's limit, then published."""
    random = np.random.default_rng(seed)
    came = arrivals(replace(stream, per_day=stream.per_day / design.loops), random)
    able = np.full(DAY, min(design.workers * rates.worker, rates.database))
    noon, evening = DAY // 2, 3 * DAY // 4
    one_less = min((design.workers - 1) * rates.worker, rates.database)
    able[noon : noon + stream.outage_seconds] = one_less
    able[evening : evening + stream.outage_seconds] = 0
    stored = served(came, able)
    published = served(stored, np.full(DAY, rates.publisher))
    waits = delays(came, published)
    order = np.argsort(waits)
    share = np.cumsum(came[order]) / came.sum()
    at = [float(waits[order][np.searchsorted(share, part)]) for part in (0.5, 0.99)]
    return Played(
        p50=at[0],
        p99=at[1],
        longest=float(waits.max()),
        load=float(came.sum() / able.sum()),
        waiting=float((np.cumsum(came) - np.cumsum(published)).max()),
    )


def served(came: F8, able: F8) -> F8:
    """(n,) what leaves a queue in each second that can serve `able`."""
    left, out = 0.0, np.empty_like(came)
    for second, (new, can) in enumerate(zip(came.tolist(), able.tolist(), strict=True)):
        out[second] = done = min(left + new, can)
        left += new - done
    return out


def delays(came: F8, gone: F8) -> F8:
    """(n,) seconds from coming to going, of the last item of each second, first come first served."""
    all_gone = np.cumsum(gone)
    # half an item: sums of seconds are not exact
    leaves = np.searchsorted(all_gone, np.cumsum(came) - 0.5)
    return (leaves - np.arange(len(came))).astype(np.float64)


def first_that_holds(stream: Stream, rates: Rates, days: int) -> tuple[Design, Played]:
    """The design of fewest loops, and then fewest workers, that holds on each of some days; its worst day."""
    loops = max(1, int(stream.per_day / DAY / rates.database))
    most = int(np.ceil(rates.database / rates.worker)) + 1
    while not holds(stream, worst := worst_day(stream, Design(loops, most), rates, days)):
        loops += max(1, loops // 10)
    too_few, enough = 1, most
    while enough - too_few > 1:
        workers = (too_few + enough) // 2
        day = worst_day(stream, Design(loops, workers), rates, days)
        if holds(stream, day):
            enough, worst = workers, day
        else:
            too_few = workers
    return Design(loops, enough), worst


def worst_day(stream: Stream, design: Design, rates: Rates, days: int) -> Played:
    """Of some days, which differ in their bursts."""
    played = [play(stream, design, rates, seed) for seed in range(days)]
    return max(played, key=lambda day: (holds(stream, day) is False, day.p99, day.longest))


def holds(stream: Stream, day: Played) -> bool:
    """Whether what was asked is kept."""
    return day.p99 <= stream.most_p99 and day.longest <= stream.most


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=float, nargs="+", default=[1e6, 1e8, 1e10], help="items a day")
    parser.add_argument("--worker", type=float, default=MEASURED.worker, help="items/s of one worker")
    parser.add_argument("--database", type=float, default=MEASURED.database, help="items/s of one PostgreSQL")
    parser.add_argument("--days", type=int, default=5, help="days simulated")
    given = parser.parse_args()
    rates = Rates(worker=given.worker, database=given.database)
    table = Table(
        "items a day", "loops", "workers each", "load", "p50 s", "p99 s", "longest s", "waiting", ""
    )
    for per_day in given.items:
        stream = Stream(per_day)
        design, day = first_that_holds(stream, rates, given.days)
        table.add_row(
            f"{per_day:,.0f}",
            str(design.loops),
            str(design.workers),
            f"{day.load:.0%}",
            f"{day.p50:.0f}",
            f"{day.p99:.0f}",
            f"{day.longest:.0f}",
            f"{day.waiting:,.0f}",
            _disks(stream, rates, design.loops),
        )
    Console(width=150).print(table)


def _disks(stream: Stream, rates: Rates, loops: int) -> str:
    """GB in one PostgreSQL after a year, and what Kafka is given in a day."""
    item = rates.row_bytes
    asked = min(stream.asked * stream.per_day, stream.most_asked * loops)
    kept = asked * (item + rates.asked_bytes) * 365
    short = (stream.per_day - asked) * item * stream.keep_days
    return (
        f"{(kept + short) / loops / 1e9:,.0f} GB a PostgreSQL after a year, "
        f"Kafka {rates.kafka_bytes * stream.per_day / 1e9:,.1f} GB a day"
    )


if __name__ == "__main__":
    main()
