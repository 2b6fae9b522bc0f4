"""Windows: terms before seed before coins, blind audits, one verdict, nothing rewritten."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from decisions_for_tests import always, decision, message, silent
from numpy.typing import NDArray
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows, count
from sqlalchemy import delete, insert, update

from daemon.adapters.store.coins import most_picked
from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.schema import budgets, items, labels, questions, recheck, spend, windows
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.windows import WindowRoom
from daemon.core.errors import DutyLost
from daemon.core.rows import Decision, Duty
from daemon.core.states import ItemState, LabelStatus
from daemon.core.window_rows import Closing, Frozen, OpenWindow, WindowPlan
from models.guarantee.window import tie_coin

IDS = ["a", "b", "c", "d"]
SCORES = [0.9, 0.5, 0.75, 0.6]


class Coins:
    """Every coin of `picks` falls on 'audit'; remembers what it was asked."""

    def __init__(self, *picks: int) -> None:
        self.picks = picks
        self.tossed: list[tuple[int, list[float]]] = []

    def __call__(self, seed: int, n: int, p: NDArray[np.float64]) -> NDArray[np.bool_]:
        self.tossed.append((seed, p.tolist()))
        return np.isin(np.arange(n), self.picks)


def _terms(frozen: Frozen, price: int = 10) -> WindowPlan:
    return WindowPlan(
        p=0.5,
        alpha=0.05,
        delta=0.1,
        lambdas=np.array([0.8, 0.55]),
        start=1,
        tier="expert",
        price=price,
        priority=3.0,
        deadline_seconds=600,
    )


@pytest.fixture
def coins() -> Coins:
    return Coins(0, 3)


@pytest.fixture
def room(database: Database, coins: Coins) -> WindowRoom:
    return WindowRoom(database, {"expert": None}, coins)


@pytest.fixture
def duty(database: Database) -> Duty:
    taken = StreamRoom(database, {}).take_duty("windows", "me", 1e6)
    assert taken is not None
    return taken


@pytest.fixture
def ready(database: Database, clock: MovableClock) -> list[str]:
    """Four items, the first ready longest."""
    for number, (id_, score) in enumerate(zip(IDS, SCORES, strict=True)):
        add_items(database, [id_], state="ready", ready_since=1_000 + number, score=score, bundle=number)
    return IDS


def _closing(window: OpenWindow, sent_back: Sequence[str] = (), tau: float | None = 0.55) -> Closing:
    back = np.array([item.id in sent_back for item in window.items])
    n = len(window.items)
    made = decision(n, window=window.id, label=0)
    return Closing(
        accepted=np.array([1, 3]),
        errors=np.array([0, 1]),
        tau=tau,
        decision=Decision(
            posterior=made.posterior,
            labels=made.labels,
            scores=window.scores,
            classifier=None,
            bundle=None,
            states=[ItemState.ASKING if gone else ItemState.CERTIFIED for gone in back],
            publish=~back,
            status=[LabelStatus.CERTIFIED] * n,
            withdraw=np.zeros(n, np.bool_),
            window=window.id,
        ),
        sent_back=back,
        compose=lambda asked: [message("closed")],
    )


def _answer_audits(database: Database, label: int) -> int:
    person = add_annotator(database, "auditor")
    for row in all_rows(database, questions, questions.c.purpose == "audit"):
        add_answer(database, row.item, person, label, row.id, "audit")
    return person


def test_a_window_freezes_those_that_waited_longest(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str], coins: Coins
) -> None:
    seen: list[Frozen] = []

    def plan(frozen: Frozen) -> WindowPlan:
        assert coins.tossed == []
        seen.append(frozen)
        return _terms(frozen)

    window = room.freeze(duty, 3, plan, silent)

    (frozen,) = seen
    assert frozen.ids == ["a", "b", "c"]
    assert frozen.scores.tolist() == pytest.approx(SCORES[:3])
    assert frozen.labels.tolist() == [[1], [1], [1]]
    states = {row.id: (row.state, row.window, row.ready_since) for row in all_rows(database, items)}
    assert states["a"] == ("frozen", window, None)
    assert states["d"] == ("ready", None, 1_003)
    assert room.open_windows() == [window]
    (row,) = all_rows(database, windows)
    assert (row.state, row.n, row.p, row.alpha, row.delta, row.start) == ("open", 3, 0.5, 0.05, 0.1, 1)
    assert row.deadline - row.frozen_at == 600_000
    assert coins.tossed == [(int(row.seed, 16), [0.5] * 3)]
    (question,) = all_rows(database, questions)
    assert (question.item, question.purpose, question.window, question.tier) == (
        "a",
        "audit",
        window,
        "expert",
    )
    assert (question.price, question.priority, question.state) == (10, 3.0, "open")
    assert question.chance == 0.5
    assert [row.micros for row in all_rows(database, spend)] == [10]


def test_each_window_draws_its_own_seed(room: WindowRoom, duty: Duty, ready: list[str], coins: Coins) -> None:
    room.freeze(duty, 2, _terms, silent)
    room.freeze(duty, 2, _terms, silent)
    (first, _), (second, _) = coins.tossed
    assert first != second
    assert max(first, second) > 2**64


def test_coins_are_rarer_below_the_last_threshold(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str], coins: Coins
) -> None:
    coins.picks = (0, 1)
    window = room.freeze(duty, 4, lambda frozen: replace(_terms(frozen), rest=0.01), silent)
    ((_, shares),) = coins.tossed
    assert shares == [0.5, 0.01, 0.5, 0.5], "only the second item has a score below .55"
    asked = all_rows(database, questions, questions.c.window == window)
    assert [(row.item, row.chance) for row in asked] == [("a", 0.5), ("b", 0.01)]
    _answer_audits(database, 1)
    chances = {answer.chance for _, answer in LearningRoom(database).training_rows(9).answers}
    assert chances == {0.5, 0.01}, "whoever learns from audits must know how they were drawn"


def test_terms_come_back_as_they_were_fixed_and_the_tie_is_the_seed_s(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str], coins: Coins
) -> None:
    window = room.freeze(
        duty, 4, lambda frozen: replace(_terms(frozen), rest=0.01, limits=np.array([1, 2])), silent
    )
    assert window is not None
    _answer_audits(database, 1)
    seen: list[OpenWindow] = []
    room.close(duty, window, seen.append, silent)
    (found,) = seen
    assert found.plan.limits is not None
    assert (found.plan.rest, found.plan.limits.tolist()) == (0.01, [1, 2])
    assert found.tie == tie_coin(coins.tossed[0][0], 4)
    with database.write() as connection:
        connection.execute(update(windows).values(rest=None, limits=None))
    room.close(duty, window, seen.append, silent)
    assert (seen[1].plan.rest, seen[1].plan.limits, seen[1].tie) == (None, None, 1.0)


def test_money_is_asked_for_what_uneven_coins_may_pick() -> None:
    assert most_picked(np.full(10_000, 0.06)) == 600 + math.ceil(6 * (math.sqrt(564) + 1))
    uneven = np.concatenate([np.full(2_000, 0.27), np.full(8_000, 0.0075)])
    assert 600 + 6 * math.sqrt(394) < most_picked(uneven) < most_picked(np.full(10_000, 0.06))
    assert most_picked(np.ones(7)) == 7


def test_nothing_ready_is_no_window(database: Database, room: WindowRoom, duty: Duty) -> None:
    assert room.freeze(duty, 3, _terms, silent) is None
    assert count(database, windows) == 0


def test_items_that_a_person_answered_are_never_candidates(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    add_answer(database, "a", add_annotator(database, "ann"), 1)
    add_answer(database, "b", add_annotator(database, "gpt", tier="llm", kind="llm"), 1)
    with database.write() as connection:
        connection.execute(delete(recheck))
    assert room.ready().count == 3
    room.freeze(duty, 9, _terms, silent)
    assert {row.id for row in all_rows(database, items, items.c.state == "frozen")} == {"b", "c", "d"}


def test_what_is_about_to_be_looked_at_again_waits_for_it(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    """After a promotion the scores of what waits are old ones."""
    with database.write() as connection:
        connection.execute(insert(recheck).values(item=ready[0], reason="bundle", due=0))
    assert room.ready().count == len(ready) - 1
    room.freeze(duty, 9, _terms, silent)
    assert {row.id for row in all_rows(database, items, items.c.state == "frozen")} == set(ready[1:])


def test_a_budget_that_cannot_pay_leaves_everything_as_it_was(
    database: Database, duty: Duty, ready: list[str], coins: Coins
) -> None:
    room = WindowRoom(database, {"expert": 39}, coins)
    before = all_rows(database, items)
    assert room.freeze(duty, 4, _terms, silent) is None
    assert all_rows(database, items) == before
    assert [count(database, table) for table in (windows, questions, spend, recheck)] == [0, 0, 0, 0]
    assert coins.tossed == [], "the seed must not be drawn before the money is sure"
    assert WindowRoom(database, {"expert": 40}, coins).freeze(duty, 4, _terms, silent) is not None
    (money,) = all_rows(database, budgets)
    assert money.reserved == 20


def test_only_the_holder_of_the_duty_freezes_and_closes(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    window = room.freeze(duty, 2, _terms, silent)
    assert window is not None
    stale = Duty(duty.name, duty.holder, duty.epoch - 1)
    with pytest.raises(DutyLost):
        room.freeze(stale, 2, _terms, silent)
    with pytest.raises(DutyLost):
        room.close(stale, window, _closing, silent)
    assert room.open_windows() == [window]


def test_a_window_waits_for_its_audits(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    window = room.freeze(duty, 4, _terms, silent)
    assert window is not None
    assert not room.close(duty, window, _closing, silent)
    _answer_audits(database, 1)
    assert not room.close(duty, window, lambda found: None, silent)
    assert room.close(duty, window, _closing, silent)
    assert not room.close(duty, window, _closing, silent)
    assert not room.close(duty, 999, _closing, silent)
    assert room.open_windows() == []


def test_the_judge_sees_the_window_as_it_was_frozen(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    window = room.freeze(duty, 4, _terms, silent)
    assert window is not None
    _answer_audits(database, 0)
    with database.write() as connection:
        connection.execute(update(items).values(score=0.01))
    seen: list[OpenWindow] = []
    room.close(duty, window, seen.append, silent)
    (found,) = seen
    assert found.id == window
    assert [item.id for item in found.items] == IDS
    assert {item.state for item in found.items} == {ItemState.FROZEN}
    assert found.scores.tolist() == pytest.approx(SCORES)
    assert found.labels.tolist() == [[1]] * 4
    assert found.audited.tolist() == [0, 3]
    assert found.audits.tolist() == [0, 0]
    assert [len(item.answers) for item in found.items] == [1, 0, 0, 1]
    assert not found.overdue
    assert found.plan.lambdas.tolist() == [0.8, 0.55]
    assert (found.plan.start, found.plan.tier, found.plan.price) == (1, "expert", 10)
    assert found.plan.deadline_seconds == 600


def test_an_overdue_window_is_judged_without_its_audits(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str], clock: MovableClock
) -> None:
    window = room.freeze(duty, 4, _terms, silent)
    assert window is not None
    (first, second) = all_rows(database, questions)
    add_answer(database, first.item, add_annotator(database, "auditor"), 1, first.id, "audit")
    clock.advance(601)
    seen: list[OpenWindow] = []

    def judge(found: OpenWindow) -> Closing:
        seen.append(found)
        return _closing(found)

    assert room.close(duty, window, judge, silent)
    assert (seen[0].overdue, seen[0].audits.tolist()) == (True, [1, -1])
    states = {row.id: row.state for row in all_rows(database, questions)}
    assert states == {first.id: "answered", second.id: "expired"}
    (money,) = all_rows(database, budgets)
    assert (money.reserved, money.spent) == (0, 10)
    (record,) = room.closed_windows(9)
    assert record.wrong.tolist() == [False, True]


def test_closing_writes_labels_states_and_history(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    window = room.freeze(duty, 4, _terms, silent)
    assert window is not None
    (before,) = all_rows(database, windows)
    _answer_audits(database, 0)
    assert room.close(duty, window, lambda found: _closing(found, sent_back=["b"]), silent)

    rows = {row.id: row for row in all_rows(database, items)}
    assert [rows[id_].state for id_ in IDS] == ["certified", "asking", "certified", "certified"]
    assert [rows[id_].sent_back for id_ in IDS] == [0, 1, 0, 0]
    assert [rows[id_].revision for id_ in IDS] == [2, 1, 2, 2]
    assert [rows[id_].bundle for id_ in IDS] == [0, 1, 2, 3]
    assert {rows[id_].window for id_ in IDS} == {None}
    written = all_rows(database, labels)
    assert [(row.item, row.status, row.window, row.bundle) for row in written] == [
        ("a", "certified", window, 0),
        ("c", "certified", window, 2),
        ("d", "certified", window, 3),
    ]
    assert "b" in [row.item for row in all_rows(database, recheck, recheck.c.reason == "window")]
    assert [row.messages[0].value for row in StreamRoom(database, {}).outbox(9)] == [b"closed"]

    (after,) = all_rows(database, windows)
    assert (after.state, after.tau, after.certified) == ("closed", 0.55, 3)
    assert np.frombuffer(after.accepted, "<i8").tolist() == [1, 3]
    assert np.frombuffer(after.errors, "<i8").tolist() == [0, 1]
    unchanged = ("frozen", "audited", "seed", "lambdas", "start", "p", "alpha", "delta", "deadline", "n")
    assert [getattr(after, name) for name in unchanged] == [getattr(before, name) for name in unchanged]


def test_history_is_newest_first(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str], coins: Coins
) -> None:
    coins.picks = (1,)
    for label in (1, 0):
        window = room.freeze(duty, 2, _terms, silent)
        assert window is not None
        person = add_annotator(database, f"auditor {label}")
        (question,) = all_rows(database, questions, questions.c.window == window)
        add_answer(database, question.item, person, label, question.id, "audit")
        assert room.close(duty, window, _closing, silent)
    newest, oldest = room.closed_windows(9)
    assert newest.id > oldest.id
    assert (oldest.scores.tolist(), oldest.wrong.tolist()) == ([0.5], [False])
    assert (newest.scores.tolist(), newest.wrong.tolist()) == ([pytest.approx(0.6)], [True])
    assert (newest.n, newest.p, newest.tau, newest.certified) == (2, 0.5, 0.55, 2)
    assert newest.closed_at >= oldest.closed_at
    assert [record.id for record in room.closed_windows(1)] == [newest.id]


def test_answers_that_came_while_frozen_are_looked_at_after_closing(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    stream = StreamRoom(database, {})
    window = room.freeze(duty, 4, _terms, silent)
    assert window is not None
    add_answer(database, "b", add_annotator(database, "outsider", tier="crowd"), 0)
    _answer_audits(database, 1)
    assert stream.work_rechecks(99, always(decision(1))) == 0
    assert count(database, recheck) == 0
    assert room.close(duty, window, _closing, silent)
    assert [row.item for row in all_rows(database, recheck)] == ["b"]
    decide = always(decision(1))
    assert stream.work_rechecks(99, decide) == 1
    assert decide.seen[0].state == ItemState.CERTIFIED


def test_a_retracted_audit_is_open_again(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str]
) -> None:
    window = room.freeze(duty, 4, _terms, silent)
    assert window is not None
    _answer_audits(database, 1)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE answers SET retracted_at = 1 WHERE item = 'a'")
    assert not room.close(duty, window, _closing, silent)


def test_ready_tells_count_age_and_gold(
    database: Database, room: WindowRoom, ready: list[str], clock: MovableClock
) -> None:
    with database.write() as connection:
        connection.execute(update(items).values(ready_since=database.now(connection)))
    person = add_annotator(database, "ann")
    add_items(database, ["e", "f", "g"])
    for id_, purpose in (("e", "gold"), ("f", "audit"), ("g", "settle")):
        add_answer(database, id_, person, 1, purpose=purpose)
    clock.advance(30)
    told = room.ready()
    assert (told.count, told.gold) == (4, 2)
    assert 30 <= told.oldest_age < 60


def test_nothing_waits_in_an_empty_store(room: WindowRoom) -> None:
    told = room.ready()
    assert (told.count, told.oldest_age, told.gold) == (0, 0.0, 0)


def test_gold_draws_count_until_they_are_withdrawn(database: Database, room: WindowRoom) -> None:
    add_items(database, ["a"])
    for state in ("open", "leased", "answered", "cancelled", "expired"):
        add_question(database, "a", purpose="gold", state=state)
    add_question(database, "a", purpose="settle")
    assert room.gold_drawn() == 3


def test_an_item_sent_back_can_join_a_later_window(
    database: Database, room: WindowRoom, duty: Duty, ready: list[str], coins: Coins
) -> None:
    coins.picks = ()
    window = room.freeze(duty, 4, _terms, silent)
    assert window is not None
    assert room.close(duty, window, lambda found: _closing(found, sent_back=["b"], tau=None), silent)
    again = always(decision(1, ItemState.READY, publish=False))
    assert StreamRoom(database, {}).work_rechecks(9, again) == 1
    assert again.seen[0].sent_back == 1
    later = room.freeze(duty, 4, _terms, silent)
    assert later not in (None, window)
    assert silent([]) == ()
