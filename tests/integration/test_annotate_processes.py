"""`labelloop annotate`: money, crashes, outages and the end, with real processes and calls over HTTP."""

from pathlib import Path

import pytest
from annotate_house import House, house_of

from daemon.adapters.store.engine import Database
from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer

ONE = 1_000_000
IN_FLIGHT = 4
"""Calls under way at once in one process, by default."""


def answer(asked: Asked) -> str:
    return "spam" if "7" in asked.prompt.rsplit("message number", 1)[1] else "ham"


def test_two_processes_and_a_kill_spend_no_more_than_the_budget(database: Database, tmp_path: Path) -> None:
    tier = "budget_per_day: 1.0"
    with (
        ScriptedServer(answer, seconds=0.02) as server,
        house_of(tmp_path, database, server, tier=tier, price_in=0.1) as house,
    ):
        house.ask(200)  # all of them would cost about twice the budget
        first, second = house.start(), house.start()
        house.until(lambda: server.bill.calls >= 20)
        first.kill()
        third = house.start()
        house.until(lambda: house.was_refused(second) and house.booked > 0.8 * ONE)
        house.until(lambda: house.has_tried(third))
        house.until(lambda: house.states().get("leased", 0) <= IN_FLIGHT)  # those of the killed one
        house.end(third)
        told = f"billed {house.billed}, booked {house.booked}, {house.states()}, {house.lines()}"
        assert 0.5 * ONE < house.billed <= house.booked <= ONE, told
        assert len(set(house.answered())) == len(house.answered()) > 20, told
        assert house.states().get("open", 0) > 20, told
        asked_twice = server.bill.calls - len({str(body["messages"]) for body in server.requests})
        assert asked_twice <= IN_FLIGHT, told


def test_an_outage_loses_nothing_and_the_queue_drains_afterwards(database: Database, tmp_path: Path) -> None:
    with ScriptedServer(answer) as server, house_of(tmp_path, database, server) as house:
        house.ask(40)
        for fault in (Fault("status", 500), Fault("garbage"), Fault("status", 429, "0")):
            server.inject(fault, 2)
        process = house.start()
        house.until(lambda: len(house.answered()) == 40)
        assert house.states() == {"answered": 40}
        assert house.billed <= house.booked
        assert house.lines()["lost"] == 2
        house.end(process)


def test_told_to_stop_it_waits_for_no_call_that_hangs_and_gives_its_questions_back(
    database: Database, tmp_path: Path
) -> None:
    with ScriptedServer(answer) as server, house_of(tmp_path, database, server, timeout=600.0) as house:
        house.ask(10)
        server.inject(Fault("hang"))
        process = house.start()
        house.until(lambda: server.bill.calls == IN_FLIGHT)
        house.end(process)
        assert house.states() == {"open": 10}
        assert house.lines() == {"reserved": IN_FLIGHT}, "nobody knows what became of these"


@pytest.mark.parametrize(
    ("database", "options"), [("sqlite", ()), ("postgresql", ("--run", "night"))], indirect=["database"]
)
def test_a_run_has_a_cap_of_its_own(database: Database, tmp_path: Path, options: tuple[str, ...]) -> None:
    with (
        ScriptedServer(answer) as server,
        house_of(tmp_path, database, server, tier="budget_per_run: 0.2", price_in=0.05) as house,
    ):
        house.ask(40)
        _work_until_refused(house, *options)
        first = house.booked
        assert 0 < house.billed <= first <= 0.2 * ONE
        _work_until_refused(house, *options)
        if options:
            assert house.booked <= 0.2 * ONE, "the same run, begun again"
        else:
            assert first < house.booked <= 0.4 * ONE


def _work_until_refused(house: House, *options: str) -> None:
    process = house.start(*options)
    house.until(lambda: house.was_refused(process))
    house.end(process)
