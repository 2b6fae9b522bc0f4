"""A language model that fails in every way for half of a run: the stream goes on, nothing is paid twice.

At full length, with figures: LABELLOOP_TEST_FAULT_SECONDS=60 pytest -s tests/acceptance/test_llm_faults.py
"""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from database_fixtures import blank_sqlite
from kafka_fixtures import KafkaForTests, wait_until
from patience import PATIENCE
from program import Program, item, migrated, worker_program

from benchmarks.past_the_program import query
from daemon.core.doubts import MOST_FAILURES
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.prices import price
from labeling_functions.llm.scripted_server import Fault, ScriptedServer

FAULT_SECONDS = float(os.environ.get("LABELLOOP_TEST_FAULT_SECONDS", "9"))

FAULTS = (
    Fault("hang"),
    Fault("status", 500),
    Fault("status", 429, retry_after="1"),
    Fault("garbage"),
    Fault("close"),
    Fault("shape"),
)

DOUBTFUL_EVERY = 50
BURST = 20 * DOUBTFUL_EVERY if FAULT_SECONDS > 30 else 4 * DOUBTFUL_EVERY
PAUSE_SECONDS = 0.5
DRAIN_SECONDS = 200.0
"""A breaker that has opened several times may take a minute or two to ask again."""

START_SECONDS = 120.0

PRICES = {"price_in": 0.1, "price_out": 0.1}


@dataclass
class Burst:
    """Items sent at once: how many a second were stored, and whether the model failed meanwhile."""

    rate: float
    failing: bool


@dataclass
class Run:
    """A worker and a language model's tier at work, and what was sent to them."""

    kafka: KafkaForTests
    program: Program
    server: ScriptedServer
    sent: int = 0
    bursts: list[Burst] = field(default_factory=list)

    def through(self, fault: Fault | None, seconds: float) -> None:
        """Send one burst after another for so long, one at least, while the model fails like this."""
        self.server.heal()
        if fault is not None:
            self.server.inject(fault)
        until = time.monotonic() + seconds
        while True:
            self.bursts.append(Burst(self._burst(), fault is not None))
            if time.monotonic() + PAUSE_SECONDS >= until:
                return
            time.sleep(PAUSE_SECONDS)

    def _burst(self) -> float:
        """Items a second, from sending to all of them being stored."""
        numbers = range(self.sent, self.sent + BURST)
        self.sent += BURST
        began = time.monotonic()
        self.kafka.produce(self.program.topics["items"], [item(number, DOUBTFUL_EVERY) for number in numbers])
        wait_until(lambda: self.program.stored == self.sent, 60, "the burst")
        return BURST / (time.monotonic() - began)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database past the program."""
        return query(self.program.url, sql)

    def rates(self, failing: bool) -> list[float]:
        """Of the bursts while the model failed, or while it did not; the first one finds all cold."""
        return [burst.rate for burst in self.bursts[1:] if burst.failing is failing]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda _: "spam", seconds=0.1) as made:
        yield made


@pytest.fixture
def program(kafka: KafkaForTests, server: ScriptedServer, tmp_path: Path) -> Iterator[Program]:
    made = worker_program(kafka, tmp_path, blank_sqlite(tmp_path / "labelloop.db"))
    made.config["guarantee"] = {"cold_start_gold": 0, "window_items": 100_000}
    made.config["tiers"] = {
        "llm": {"backend": "llm", "price": 0.01, "accuracy": 0.95},
        "expert": {"price": 0.6, "final": True},
    }
    made.config["endpoints"] = {"scripted": {"base_url": server.base_url, "timeout_seconds": 2, **PRICES}}
    made.config["llm"] = {"llm": {"endpoint": "scripted", "model": "scripted", "confidence": "none"}}
    kafka.create(made.topics["items"], 2)
    made.write()
    yield made
    made.stop()


@pytest.mark.timeout(4 * FAULT_SECONDS + 2 * DRAIN_SECONDS)
def test_a_model_that_fails_holds_up_nothing_and_is_not_paid_twice(
    kafka: KafkaForTests, server: ScriptedServer, program: Program
) -> None:
    worker = program.start("run")
    wait_until(lambda: migrated(program.url), START_SECONDS, "a database")
    annotator = program.start("annotate", "llm")
    run = Run(kafka, program, server)
    run.through(None, 0)
    wait_until(lambda: not waiting(run), START_SECONDS, "first answers")
    run.through(None, FAULT_SECONDS / 2)
    for fault in FAULTS:
        run.through(fault, FAULT_SECONDS / len(FAULTS))
    run.through(None, FAULT_SECONDS / 2)
    healed = time.monotonic()
    program.until(lambda: not waiting(run), "an empty queue", DRAIN_SECONDS)
    drained = time.monotonic() - healed
    for process in (annotator, worker):
        process.send_signal(signal.SIGTERM)
        assert process.wait(30 * PATIENCE) == 0
    check(run, server)
    report(run, server, drained)


def waiting(run: Run) -> bool:
    """Whether there are questions that the model has neither answered nor passed on."""
    return bool(run.ask("select 1 from questions where tier = 'llm' and state in ('open', 'leased') limit 1"))


def check(run: Run, server: ScriptedServer) -> None:
    """Every item is there once, every doubtful one was asked about, and what was paid has its line."""
    doubtful = {f"item-{number}" for number in range(0, run.sent, DOUBTFUL_EVERY)}
    assert run.ask("select count(distinct id) from items") == [(run.sent,)]
    ended = run.ask("select item, state from questions where tier = 'llm'")
    answered = [name for (name,) in run.ask("select item from answers")]
    passed = [name for name, state in ended if state == "passed"]
    assert sorted(name for name, _ in ended) == sorted(doubtful)
    assert sorted([*answered, *passed]) == sorted(doubtful), "each is answered once, or passed on"
    paid, lost = lines(run, "'spent', 'lost'"), lines(run, "'lost'")
    assert all(paid[name] <= 1 + lost[name] for name in doubtful), "again only where no answer is known"
    assert all(lost[name] >= MOST_FAILURES for name in passed)
    assert server.bill.billed <= paid.total()
    endpoint = EndpointSettings(base_url=server.base_url, **PRICES)
    bill = price(server.bill.tokens_in, server.bill.tokens_out, endpoint)
    ((booked,),) = run.ask("select sum(reserved + spent) from budgets where tier = 'llm'")
    assert bill <= booked


def lines(run: Run, states: str) -> Counter[str]:
    """Item -> lines of the ledger in these states."""
    where = f"state in ({states}) and not cached"
    return Counter(dict(run.ask(f"select item, count(*) from calls where {where} group by 1")))


def report(run: Run, server: ScriptedServer, drained: float) -> None:
    """What was measured, for people."""
    asked = Counter(re.findall(r"maybe \d+", str(body["messages"]))[0] for body in server.requests)
    lost = lines(run, "'lost'").total()
    states = dict(run.ask("select state, count(*) from questions where tier = 'llm' group by 1"))
    well, failing = run.rates(failing=False), run.rates(failing=True)
    print(
        f"\n{run.sent} items, {states}; {server.bill.calls} requests, {server.bill.billed} billed,"
        f" {lost} calls lost, {server.bill.billed - len(asked)} billed again;"
        f" queue empty {drained:.0f} s after the end"
        f"\nitems a second: {median(well):.0f} ({len(well)} bursts) while the model answered,"
        f" {median(failing):.0f} ({len(failing)} bursts) while it failed"
    )
