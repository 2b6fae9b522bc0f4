"""Calls to language models: no cap is ever passed, and what nobody knows counts as spent."""

import random
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from rows_for_tests import add_items, add_question, all_rows

from daemon.adapters.store.calls import CallRoom, ReplyRoom
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.model_queue import ModelQueueRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import budgets, calls
from daemon.adapters.store.stream import StreamRoom
from daemon.core.call_rows import Call, CallBill, CallCaps
from daemon.core.errors import LeaseLost

DAY = 86_400
CALL = Call(tier="llm", endpoint="hosted", run="first", micros=10, seconds=60.0)
BILL = CallBill(micros=4, tokens_in=30, tokens_out=2, seconds=0.5)


def room_of(
    database: Database, tier: int | None = None, endpoint: int | None = None, run: int | None = None
) -> CallRoom:
    return CallRoom(database, CallCaps({"llm": tier}, {"hosted": endpoint}, run))


def reserved(room: CallRoom, call: Call = CALL) -> int:
    line = room.reserve(call)
    assert line is not None
    return line


def money(database: Database) -> dict[str, tuple[int, int]]:
    """Reserved and spent by the name of the book."""
    return {row.tier: (row.reserved, row.spent) for row in all_rows(database, budgets)}


def state(database: Database) -> list[tuple[str, int]]:
    return [(row.state, row.micros) for row in all_rows(database, calls)]


def test_a_call_holds_its_longest_price_and_gives_back_what_it_did_not_use(database: Database) -> None:
    room = room_of(database)
    line = reserved(room)
    assert money(database) == {"llm": (10, 0), "endpoint:hosted": (10, 0), "run:first": (10, 0)}
    room.settle(line, BILL)
    assert money(database) == {"llm": (0, 4), "endpoint:hosted": (0, 4), "run:first": (0, 4)}
    (row,) = all_rows(database, calls)
    assert (row.state, row.micros, row.tokens_in, row.tokens_out, row.cached) == ("spent", 4, 30, 2, False)
    assert row.seconds == 0.5


def test_every_line_says_where_its_call_can_be_read(database: Database) -> None:
    room = room_of(database)
    traced = [replace(CALL, trace=f"tr-{number}") for number in range(4)]
    room.settle(reserved(room, traced[0]), BILL)
    room.release(reserved(room, traced[1]))
    room.lost(reserved(room, traced[2]))
    room.hit(traced[3], BILL)
    reserved(room)
    assert [row.trace for row in all_rows(database, calls)] == ["tr-0", "tr-1", "tr-2", "tr-3", None]


def test_a_call_that_was_not_made_gives_everything_back(database: Database) -> None:
    room = room_of(database, tier=10)
    room.release(reserved(room))
    assert set(money(database).values()) == {(0, 0)}
    assert state(database) == [("released", 0)]
    reserved(room)


def test_a_call_that_nobody_knows_of_stays_spent(database: Database) -> None:
    room = room_of(database, tier=10)
    room.lost(reserved(room))
    assert set(money(database).values()) == {(0, 10)}
    assert state(database) == [("lost", 10)]
    assert room.reserve(CALL) is None


def test_a_dead_process_leaves_calls_that_are_lost_after_their_deadline(
    database: Database, clock: MovableClock
) -> None:
    reserved(room_of(database))
    reserved(room_of(database), replace(CALL, run="second", seconds=90.0))
    clock.advance(CALL.seconds - 1)
    other = room_of(database, tier=20)
    assert other.expire() == 0
    clock.advance(1)
    assert other.expire() == 1
    assert state(database) == [("lost", 10), ("reserved", 0)]
    assert money(database)["llm"] == (10, 10)
    assert other.reserve(CALL) is None, "the call of the dead process counts"
    assert other.expire() == 0


def test_an_answer_after_the_deadline_puts_the_books_right(database: Database, clock: MovableClock) -> None:
    room = room_of(database)
    answered, unsent = reserved(room), reserved(room)
    clock.advance(DAY)
    assert room.expire() == 2
    room.settle(answered, BILL)
    room.release(unsent)
    assert set(money(database).values()) == {(0, 4)}
    assert state(database) == [("spent", 4), ("released", 0)]


@pytest.mark.parametrize("ending", ["settle", "release"])
def test_what_has_ended_stays_as_it_is(database: Database, ending: str) -> None:
    room = room_of(database)
    line = reserved(room)
    room.settle(line, BILL) if ending == "settle" else room.release(line)
    before = money(database), state(database)
    room.lost(line)
    room.release(line)
    room.settle(line, replace(BILL, micros=9))
    assert (money(database), state(database)) == before


def test_each_cap_holds_alone(database: Database, clock: MovableClock) -> None:
    for number, room in enumerate(
        (room_of(database, tier=29), room_of(database, endpoint=29), room_of(database, run=29))
    ):
        clock.advance(DAY)
        call = replace(CALL, run=f"run {number}")
        assert reserved(room, call)
        assert reserved(room, call)
        assert room.reserve(call) is None
        assert room.reserve(replace(call, micros=9)), "a shorter call is still within it"


def test_caps_of_other_endpoints_runs_and_tiers_do_not_matter(database: Database) -> None:
    room = CallRoom(database, CallCaps({"llm": None, "other": 10}, {"hosted": None, "own": 10}, 100))
    reserved(room)
    reserved(room, replace(CALL, tier="other"))
    reserved(room, replace(CALL, endpoint="own"))
    assert room.reserve(replace(CALL, tier="other")) is None
    assert room.reserve(replace(CALL, endpoint="own")) is None
    reserved(room)


def test_a_day_begins_with_its_whole_budget_and_a_run_does_not(
    database: Database, clock: MovableClock
) -> None:
    by_day, by_run = room_of(database, tier=10, endpoint=10), room_of(database, run=20)
    by_day.settle(reserved(by_day), replace(BILL, micros=10))
    assert by_day.reserve(CALL) is None
    clock.advance(DAY)
    reserved(by_day)
    assert by_run.reserve(CALL) is None


def test_a_cap_of_a_tier_counts_whatever_else_the_tier_pays(database: Database) -> None:
    add_items(database, ["a"])
    add_question(database, "a", "llm", "settle", 15, state="leased")
    room = room_of(database, tier=34)
    reserved(room)
    assert room.reserve(CALL) is None


def test_what_costs_nothing_is_never_refused(database: Database) -> None:
    room = room_of(database, tier=0)
    assert room.reserve(CALL) is None
    assert room.reserve(replace(CALL, micros=0)) is not None


def test_an_answer_of_the_cache_is_a_line_of_price_0(database: Database) -> None:
    room = room_of(database, tier=0)
    room.hit(replace(CALL, item="a"), BILL)
    (row,) = all_rows(database, calls)
    assert (row.state, row.cached, row.reserved, row.micros, row.item) == ("spent", True, 0, 0, "a")
    assert (row.tokens_in, row.tokens_out) == (30, 2)
    assert room.expire() == 0


def test_no_cap_is_passed_by_reservers_at_once(database: Database) -> None:
    """What stands in the books is looked at all the while: not even for a moment is it too much."""
    ready = threading.Barrier(5)
    granted: list[int] = []
    most: list[int] = []
    errors: list[Exception] = []

    def reserve(number: int) -> None:
        try:
            room = room_of(database, tier=205, endpoint=185, run=65)  # as of another process
            ready.wait(timeout=30)
            for _ in range(8):
                line = room.reserve(replace(CALL, run=f"run {number}"))
                granted.extend([] if line is None else [line])
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            errors.append(error)

    def watch() -> None:
        ready.wait(timeout=30)
        while any(thread.is_alive() for thread in threads):
            most.append(max((sum(pair) for pair in money(database).values()), default=0))

    threads = [threading.Thread(target=reserve, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    watch()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    assert len(granted) == 18
    books = money(database)
    assert (books["llm"], books["endpoint:hosted"]) == ((180, 0), (180, 0))
    assert max(sum(books[f"run:run {number}"]) for number in range(4)) <= 60
    assert max(most) <= 180


def test_books_balance_when_everything_happens_at_once(database: Database) -> None:
    errors: list[Exception] = []

    def work(number: int) -> None:
        room, choose = room_of(database, tier=400), random.Random(number)
        ends: list[Callable[[int], None]] = [room.release, room.lost, lambda line: room.settle(line, BILL)]
        try:
            for _ in range(12):
                line = room.reserve(
                    replace(CALL, run=f"run {number % 2}", seconds=choose.choice([0.0, 60.0]))
                )
                if line is not None:
                    choose.choice(ends)(line)
                room.expire()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    spent = sum(row.micros for row in all_rows(database, calls))
    books = money(database)
    assert (books["llm"], books["endpoint:hosted"]) == ((0, spent), (0, spent))
    assert sum(books[f"run:run {number}"][1] for number in range(2)) == spent


def test_a_tier_is_passed_over_while_its_calls_are_refused(database: Database, clock: MovableClock) -> None:
    room, stream = room_of(database, tier=25), StreamRoom(database, {"llm": 25})
    prices = {"llm": 1}
    for _ in range(2):
        room.settle(reserved(room), replace(BILL, micros=8))
    assert stream.spent_tiers(prices) == set()
    assert room.reserve(CALL) is None
    assert stream.spent_tiers(prices) == {"llm"}, "money is left, but not for a call"
    line = reserved(room, replace(CALL, micros=5))
    assert stream.spent_tiers(prices) == set(), "calls are granted again"
    room.release(line)
    assert room.reserve(CALL) is None
    clock.advance(61)
    assert stream.spent_tiers(prices) == set(), "nobody has tried for a minute"


@pytest.mark.parametrize("caps", [{"tier": 20}, {"endpoint": 20}, {"run": 20}])
def test_money_that_calls_under_way_hold_is_not_gone(database: Database, caps: dict[str, int]) -> None:
    room, stream = room_of(database, **caps), StreamRoom(database, {"llm": caps.get("tier")})
    lines = [reserved(room), reserved(room)]
    assert room.reserve(CALL) is None, "the cap is as hard as ever"
    assert stream.spent_tiers({"llm": 1}) == set()
    for line in lines:
        room.settle(line, BILL)
    room.settle(reserved(room), replace(BILL, micros=5))
    assert room.reserve(CALL) is None
    assert stream.spent_tiers({"llm": 1}) == {"llm"}, "13 are spent, and nothing comes back"


def test_money_that_a_dead_process_holds_is_not_waited_for(database: Database, clock: MovableClock) -> None:
    room, stream = room_of(database, tier=20), StreamRoom(database, {"llm": 20})
    long = replace(CALL, seconds=900.0)
    reserved(room, long)
    reserved(room, long)
    clock.advance(61)
    assert room.reserve(long) is None
    assert stream.spent_tiers({"llm": 1}) == {"llm"}


def test_a_tier_is_passed_over_when_its_endpoint_has_no_money(database: Database) -> None:
    room, stream = room_of(database, endpoint=5), StreamRoom(database, {})
    assert room.reserve(CALL) is None
    assert stream.spent_tiers({"llm": 1, "expert": 1}) == {"llm"}


def test_reports_show_what_calls_of_a_tier_cost(database: Database) -> None:
    room, reports = room_of(database, tier=25), ReportRoom(database, {"llm": 25, "expert": 100})
    room.settle(reserved(room), BILL)
    room.lost(reserved(room))
    room.hit(CALL, BILL)
    room.release(reserved(room))
    spending = {one.tier: one for one in reports.overview().spending}
    assert set(spending) == {"llm", "expert"}, "neither endpoints nor runs"
    llm = spending["llm"]
    assert (llm.spent, llm.today_spent, llm.today_reserved) == (14, 14, 0)
    assert (llm.calls, llm.lost_calls, llm.capped, llm.reached) == (2, 1, False, False)
    reserved(room)
    assert room.reserve(replace(CALL, micros=12)) is None
    llm, expert = sorted(reports.overview().spending, key=lambda one: one.tier, reverse=True)
    assert (llm.today_reserved, llm.capped, llm.reached) == (10, True, True)
    assert not expert.reached


def test_replies_are_kept_by_key(database: Database) -> None:
    cache = ReplyRoom(database)
    assert cache.get("a") is None
    cache.put("a", b"\x00one")
    cache.put("b", b"two")
    assert (cache.get("a"), cache.get("b")) == (b"\x00one", b"two")
    cache.put("a", b"three")
    assert ReplyRoom(database).get("a") == b"three"


def test_no_call_is_made_under_a_lease_that_is_somebody_elses(
    database: Database, clock: MovableClock
) -> None:
    queue, room = ModelQueueRoom(database), room_of(database)
    add_items(database, ["a", "b"])
    for item in "ab":
        add_question(database, item, "llm")
    annotator = queue.enroll("llm/short", "v1", "llm").id
    held = queue.lease(annotator, "llm", 2, 60.0)
    call = replace(CALL, leases=tuple(lease.key for lease in held))
    reserved(room, call)
    clock.advance(61.0)
    with pytest.raises(LeaseLost):
        room.reserve(call)
    (first,) = queue.lease(annotator, "llm", 1, 60.0)
    with pytest.raises(LeaseLost):
        room.reserve(call)
    reserved(room, replace(CALL, leases=(first.key,)))
    assert [row.reserved for row in all_rows(database, budgets)] == [20, 20, 20], "the refused ones took none"


def test_what_is_said_twice_of_a_call_counts_once(database: Database) -> None:
    """The first time was committed, and the database went away before it could say so."""
    room = room_of(database)
    line = reserved(room)
    for _ in range(2):
        room.settle(line, BILL)
    assert money(database)["llm"] == (0, 4)
    for close in (room.release, room.lost):
        line = reserved(room)
        close(line)
        close(line)
    assert money(database)["llm"] == (0, 14)
