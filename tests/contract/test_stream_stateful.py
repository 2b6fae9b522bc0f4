"""Whatever workers, people and publishers do in whatever order, the stream's books agree; on both databases.

Two workers read one log of two partitions. Either may look at records, sleep, and save too late; die and
start again; lose its duty while it sleeps, or die between sending and writing down that it sent.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
import numpy as np
from decisions_for_tests import arrivals, ask, decision, span, start
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from rows_for_tests import all_rows
from sqlalchemy import delete
from window_harness import TERMS, Coins, closing

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import (
    budgets,
    items,
    labels,
    metadata,
    positions,
    questions,
    spend,
    windows,
)
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.core.errors import DutyLost, FenceLost, ItemsRaced
from daemon.core.rows import Arrivals, Asked, Compose, Decision, Duty, OpenItem
from daemon.core.states import ItemState
from daemon.core.window_rows import Closing, OpenWindow
from daemon.core.wire import OutMessage, Span

PARTITIONS = (0, 1)
WORKERS = ("run-1", "run-2")
DUTY_SECONDS = 10.0
STATES = st.sampled_from([ItemState.ASKING, ItemState.READY, ItemState.READY, ItemState.HUMAN])

Sent = tuple[str, int]
"""An item and a revision."""


@dataclass(frozen=True)
class Looked:
    """What a worker holds between its look at the records and its transaction."""

    spans: Sequence[Span]
    fresh: Sequence[tuple[int, int, str, int]]
    """Partition, offset, id and content of what was new when it looked."""


class Stream(RuleBasedStateMachine):
    """Workers at a stream; beside the tables it keeps the log and what was sent."""

    database: Database
    clock: MovableClock

    def __init__(self) -> None:
        super().__init__()
        self.log: dict[int, list[tuple[str, int]]] = {partition: [] for partition in PARTITIONS}
        self.reads: dict[str, dict[int, int]] = {}
        self.looked: dict[str, Looked] = {}
        self.saved: dict[int, int] = dict.fromkeys(PARTITIONS, 0)
        self.first: dict[str, int] = {}
        self.sent: list[Sent] = []
        self.duties: dict[str, Duty] = {}

    @initialize()
    def open(self) -> None:
        with self.database.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
        self.coins = Coins()
        self.room = StreamRoom(self.database, {})
        self.windows = WindowRoom(self.database, {}, self.coins)
        self.learning = LearningRoom(self.database)
        self.people = QuestionRoom(self.database)
        self.expert = self.people.enroll("ann", "expert").id
        for worker in WORKERS:
            self.begin(worker)

    @rule(worker=st.sampled_from(WORKERS))
    def begin(self, worker: str) -> None:
        """It dies and starts again, or is given its partitions anew."""
        self.looked.pop(worker, None)
        found = self.room.locate([start(partition) for partition in PARTITIONS])
        self.reads[worker] = dict(zip(PARTITIONS, found, strict=True))

    @rule(
        partition=st.sampled_from(PARTITIONS),
        ids=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4),
        content=st.sampled_from([0, 0, 0, 1]),
    )
    def produce(self, partition: int, ids: list[str], content: int) -> None:
        self.log[partition] += [(id_, content) for id_ in ids]

    @rule(
        worker=st.sampled_from(WORKERS), which=st.sampled_from([(0,), (1,), (0, 1)]), count=st.integers(1, 5)
    )
    def look(self, worker: str, which: Sequence[int], count: int) -> None:
        """Poll, and leave out what is stored."""
        spans, records = [], []
        for partition in which:
            place = self.reads[worker][partition]
            some = self.log[partition][place : place + count]
            if some:
                spans.append(span(place, place + len(some), partition))
                records += [(partition, place + n, id_, content) for n, (id_, content) in enumerate(some)]
        if not spans:
            return
        known = self.room.digests([record[2] for record in records])
        assert known.keys() == {record[2] for record in records} & self.first.keys()
        fresh = {}
        for record in records:
            if record[2] not in known:
                fresh.setdefault(record[2], record)
        self.looked[worker] = Looked(spans, list(fresh.values()))

    @rule(worker=st.sampled_from(WORKERS), state=STATES, publish=st.booleans(), asked=st.booleans())
    def save(self, worker: str, state: ItemState, publish: bool, asked: bool) -> None:
        """Save what was looked at, perhaps long ago."""
        looked = self.looked.pop(worker, None)
        if looked is None:
            return
        stale = any(one.first != self.saved[one.partition] for one in looked.spans)
        raced = any(id_ in self.first for _, _, id_, _ in looked.fresh)
        new, made = _arrivals(looked), None
        if new is not None:
            asks = [ask(row) for row in range(len(new.ids))] if asked else []
            made = decision(len(new.ids), state, publish=publish, asks=asks)
        try:
            self.room.save_batch(
                looked.spans, new, made, _composed(new.ids if new else (), [0] * 9, made), {}
            )
        except FenceLost:
            assert stale
            self.begin(worker)
            return
        except ItemsRaced:
            assert raced
            assert not stale
            return
        assert not stale
        assert not raced
        for one in looked.spans:
            self.saved[one.partition] = self.reads[worker][one.partition] = one.next
        self.first |= {id_: content for _, _, id_, content in looked.fresh}

    @rule(which=st.sampled_from([(0,), (1,), (0, 1)]), count=st.integers(1, 5), state=STATES)
    def both_at_once(self, which: Sequence[int], count: int, state: ItemState) -> None:
        """Both look at the same records; the first one saves while the second one sleeps."""
        for worker in WORKERS:
            self.begin(worker)
            self.look(worker, which, count)
        for worker in WORKERS:
            self.save(worker, state, publish=True, asked=False)

    @rule(label=st.integers(0, 1))
    def answer(self, label: int) -> None:
        for lease in self.people.lease(self.expert, "expert", 1, 60):
            self.people.answer(lease.question, self.expert, label, 1.0)

    @rule()
    def undo(self) -> None:
        self.people.undo(self.expert, 60)

    @rule(
        limit=st.integers(1, 4),
        state=STATES,
        label=st.integers(0, 1),
        publish=st.booleans(),
        withdraw=st.booleans(),
        asked=st.booleans(),
    )
    def look_again(
        self, limit: int, state: ItemState, label: int, publish: bool, withdraw: bool, asked: bool
    ) -> None:
        """The desk takes rechecks."""

        def decide(some: Sequence[OpenItem]) -> tuple[Decision, Compose]:
            assert len({item.id for item in some}) == len(some)
            assert all(item.state != ItemState.FROZEN for item in some)
            asks = [ask(row) for row, item in enumerate(some) if asked and not item.wanted]
            made = decision(len(some), state, label, publish=publish, withdraw=withdraw, asks=asks)
            return made, _composed([item.id for item in some], [item.revision for item in some], made)

        assert self.room.work_rechecks(limit, decide) >= 0

    @rule(released=st.integers(0, 3))
    def promote(self, released: int) -> None:
        """A new model has everything looked at again."""
        self.learning.look_again("bundle", released)

    @rule(worker=st.sampled_from(WORKERS), rows=st.integers(1, 4), dies=st.booleans())
    def publish(self, worker: str, rows: int, dies: bool) -> None:
        """Send the oldest rows and write it down, or die in between."""
        duty = self.room.take_duty("publishing", worker, DUTY_SECONDS)
        if duty is None:
            return
        self.duties[worker] = duty
        oldest = self.room.outbox(rows)
        self.sent += [_told(message) for row in oldest for message in row.messages]
        if not dies:
            self.room.published(duty, [row.seq for row in oldest])

    @rule(worker=st.sampled_from(WORKERS))
    def wake_late(self, worker: str) -> None:
        """Somebody slept after sending; if the duty passed on meanwhile nothing may be written down."""
        mine = self.duties.get(worker)
        (row,) = all_rows(self.database, metadata.tables["duties"], _is("publishing")) or (None,)
        if mine is None or row is None or (row.holder, row.epoch) == (mine.holder, mine.epoch):
            return
        try:
            self.room.published(mine, [row.seq for row in self.room.outbox(9)])
        except DutyLost:
            return
        raise AssertionError(f"{mine} was lost, and wrote")

    @rule(picks=st.sets(st.integers(0, 5)), worker=st.sampled_from(WORKERS))
    def freeze(self, picks: set[int], worker: str) -> None:
        duty = self.room.take_duty("windows", worker, DUTY_SECONDS)
        if duty is not None:
            self.coins.picks = tuple(picks)
            self.windows.freeze(duty, 5, lambda _: TERMS, lambda made: ())

    @rule(
        back=st.sets(st.sampled_from("abcdefgh")),
        picks=st.sets(st.integers(0, 5)),
        worker=st.sampled_from(WORKERS),
    )
    def close(self, back: set[str], picks: set[int], worker: str) -> None:
        duty = self.room.take_duty("windows", worker, DUTY_SECONDS)
        if duty is None:
            return
        self.coins.picks = tuple(picks)
        for window in self.windows.open_windows():
            self.windows.close(duty, window, _judge(sorted(back)), lambda made: ())
        self.windows.settle_ledger(duty, lambda made: ())

    @rule(seconds=st.sampled_from([1, 11, 61, 700]))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def every_record_before_the_positions_is_an_item_once(self) -> None:
        found = {row.partition: (row.next_offset, row.stored) for row in all_rows(self.database, positions)}
        assert {partition: place for partition, (place, _) in found.items()} == self.saved
        stored = all_rows(self.database, items)
        read = {id_ for partition in PARTITIONS for id_, _ in self.log[partition][: self.saved[partition]]}
        assert {row.id for row in stored} == read == set(self.first)
        assert {row.id: bytes(row.digest) for row in stored} == {
            id_: _digest(id_, content) for id_, content in self.first.items()
        }
        assert Counter(row.partition for row in stored) == Counter(
            {partition: count for partition, (_, count) in found.items()}
        )

    @invariant()
    def revisions_have_no_hole_and_the_highest_is_told_last(self) -> None:
        stored = {row.id: row.revision for row in all_rows(self.database, items)}
        kept = defaultdict(list)
        for row in all_rows(self.database, labels):
            kept[row.item].append(row.revision)
        assert kept == {id_: list(range(1, n + 1)) for id_, n in stored.items() if n}
        waiting = [_told(message) for row in self.room.outbox(10_000) for message in row.messages]
        told = defaultdict(list)
        for id_, revision in (*self.sent, *waiting):
            told[id_].append(revision)
        assert {id_: set(said) for id_, said in told.items()} == {id_: set(n) for id_, n in kept.items()}
        assert all(said[-1] == max(said) for said in told.values()), "an old label is the last one told"

    @invariant()
    def items_and_windows_agree(self) -> None:
        open_ones = {row.id for row in all_rows(self.database, windows, windows.c.state == "open")}
        for row in all_rows(self.database, items):
            assert (row.state == "frozen") == (row.window is not None)
            assert row.window is None or row.window in open_ones
            assert (row.state == "ready") == (row.ready_since is not None)

    @invariant()
    def questions_and_money_agree(self) -> None:
        asked = all_rows(self.database, questions)
        assert {row.item for row in asked} <= set(self.first)
        lines, days = all_rows(self.database, spend), all_rows(self.database, budgets)
        for state in ("reserved", "spent"):
            booked = sum(row.micros for row in lines if row.state == state)
            assert booked == sum(getattr(row, state) for row in days), state
        ended = {row.id for row in asked if row.state in ("cancelled", "expired")}
        assert not [row for row in lines if row.question in ended and row.state == "reserved"]


def _is(name: str) -> Any:
    return metadata.tables["duties"].c.name == name


def _digest(id_: str, content: int) -> bytes:
    return f"{id_}{content}".encode().ljust(16, b"\0")


def _arrivals(looked: Looked) -> Arrivals | None:
    if not looked.fresh:
        return None
    parts, offsets, ids, contents = zip(*looked.fresh, strict=True)
    digests = [_digest(id_, content) for id_, content in zip(ids, contents, strict=True)]
    return replace(arrivals(ids), partitions=parts, offsets=offsets, digests=digests)


def _composed(ids: Sequence[str], revisions: Sequence[int], made: Decision | None) -> Compose:
    """One message for each label that is published."""
    rows = [] if made is None else np.flatnonzero(made.publish).tolist()

    def compose(_: Sequence[Asked]) -> list[OutMessage]:
        told = [json.dumps([ids[row], revisions[row] + 1]).encode() for row in rows]
        return [OutMessage("labels", value[2] % 2, b"", value, ()) for value in told]  # by the id's letter

    return compose


def _told(message: OutMessage) -> Sent:
    id_, revision = json.loads(message.value)
    return id_, revision


def _judge(back: Sequence[str]) -> Callable[[OpenWindow], Closing]:
    def judge(window: OpenWindow) -> Closing:
        verdict = closing(window, back)
        ids, revisions = [item.id for item in window.items], [item.revision for item in window.items]
        return replace(verdict, compose=_composed(ids, revisions, verdict.decision))

    return judge


def test_the_stream_in_any_order(database: Database, clock: MovableClock) -> None:
    machine = type("OnThisDatabase", (Stream,), {"database": database, "clock": clock})
    examples = 40 if database.is_sqlite else 25
    run_state_machine_as_test(
        machine, settings=hypothesis.settings(max_examples=examples, stateful_step_count=40)
    )
