"""The loop of `labelloop annotate`, with a queue and models made for the test."""

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from daemon.core.annotate import FINISH_SECONDS, REPORT_SECONDS, SAVE_SECONDS, Annotator, Member
from daemon.core.call_rows import Call, CallBill, ModelVote
from daemon.core.doubts import MOST_FAILURES, MOST_TRIES
from daemon.core.errors import CapReached, LeaseLost, PartAway
from daemon.core.patience import REFUSALS
from daemon.core.rows import Lease, Person
from labeling_functions.llm.chat_model import ChatBusy, ChatDown, ChatRefused, ChatUnknown
from labeling_functions.task import ABSTAIN

LLM = 1
SECONDS = 30.0


@dataclass
class Queue:
    """Questions named by numbers, the lower the better, in memory; `ended` is called when none is left."""

    open: list[int]
    skipping: frozenset[int] = frozenset()
    held: dict[int, int] = field(default_factory=dict)
    answered: dict[int, ModelVote] = field(default_factory=dict)
    by: dict[int, int] = field(default_factory=dict)
    passed: list[int] = field(default_factory=list)
    extended: list[int] = field(default_factory=list)
    gone: frozenset[int] = frozenset()
    away: list[str] = field(default_factory=list)
    most_held: int = 0
    ended: Callable[[], None] = lambda: None

    def enroll(self, name: str, version: str, tier: str) -> Person:
        return Person(LLM, name, tier)

    def lease(
        self, annotator: int, tier: str, count: int, seconds: float, last: Sequence[int] = ()
    ) -> list[Lease]:
        self._reach("lease")
        self.open.sort(key=lambda one: (one in last, one))
        taken = self.open[:count]
        self.open = self.open[count:]
        self.held |= dict.fromkeys(taken, annotator)
        self.most_held = max(self.most_held, len(self.held))
        return [Lease(one, f"i{one}", tier, b"", False, 0) for one in taken]

    def extend(self, held: Sequence[Lease], seconds: float) -> None:
        self.extended += [lease.question for lease in held]

    def give_back(self, held: Sequence[Lease]) -> None:
        for lease in held:
            self.held.pop(lease.question)
            self.open.append(lease.question)

    def answer(self, question: int, annotator: int, vote: ModelVote) -> int:
        self._reach("answer")
        self._end(question, annotator)
        assert question not in self.answered
        self.answered[question], self.by[question] = vote, annotator
        self._look()
        return question

    def pass_on(self, question: int, annotator: int) -> None:
        self._end(question, annotator)
        self.passed.append(question)
        self._look()

    def _end(self, question: int, annotator: int) -> None:
        assert self.held.pop(question) == annotator
        if question in self.gone:
            self._look()
            raise LeaseLost("withdrawn")

    def _reach(self, what: str) -> None:
        """The database is away as often as `away` says so, of each kind of use."""
        if what in self.away:
            self.away.remove(what)
            raise PartAway("no PostgreSQL server listens there")

    def _look(self) -> None:
        if not (self.open or self.held):
            self.ended()


class Ledger:
    """Counts how often calls are written off."""

    expired = 0

    def reserve(self, call: Call) -> int | None:
        raise NotImplementedError

    def settle(self, call: int, bill: CallBill) -> None:
        raise NotImplementedError

    def release(self, call: int) -> None:
        raise NotImplementedError

    def lost(self, call: int) -> None:
        raise NotImplementedError

    def hit(self, call: Call, bill: CallBill) -> int:
        raise NotImplementedError

    def expire(self) -> int:
        self.expired += 1
        return 0


@dataclass
class Clock:
    """Leaps ahead each time that it is read: no rest takes long."""

    step: float = 1.0
    now: float = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@dataclass
class Model:
    """Answers 1, or what stands in `says`: votes, or failures that come one after the other."""

    says: dict[int, list[ModelVote | Exception]] = field(default_factory=dict)
    always: Exception | None = None
    asked: list[tuple[int, ...]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        with self.lock:
            self.asked.append(tuple(lease.question for lease in leases))
            said = [self._say(lease.question) for lease in leases]
        for one in said:
            if isinstance(one, Exception):
                raise one
        return [one for one in said if isinstance(one, ModelVote)]

    def _say(self, question: int) -> ModelVote | Exception:
        if self.always is not None:
            return self.always
        left = self.says.get(question, [])
        return left.pop(0) if left else ModelVote(1, micros=3)


def annotator_of(queue: Queue, *members: Member, **changes: object) -> Annotator:
    annotator = Annotator(
        queue=queue,
        ledger=Ledger(),
        tier="llm",
        crew=members,
        concurrency=3,
        lease_seconds=SECONDS,
        stop=threading.Event(),
        report=lambda _report: None,
        clock=Clock(),
        look_seconds=0.002,
    )
    queue.ended = annotator.stop.set
    return replace(annotator, **changes)  # type: ignore[arg-type]


def run(annotator: Annotator) -> None:
    """To the end; a test that does not end would hang, so somebody says stop after a while."""
    alarm = threading.Timer(20.0, annotator.stop.set)
    alarm.start()
    annotator.run()
    alarm.cancel()


def test_every_question_is_answered_with_what_it_cost() -> None:
    queue, model = Queue(list(range(20))), Model()
    annotator = annotator_of(queue, Member(LLM, "llm/a", model))
    run(annotator)
    assert sorted(queue.answered) == list(range(20))
    assert {vote.micros for vote in queue.answered.values()} == {3}
    assert sorted(model.asked) == [(number,) for number in range(20)]
    assert queue.most_held <= 3
    assert (annotator.tally.answered, annotator.tally.micros) == (20, 60)


def test_several_items_in_one_prompt_are_asked_together() -> None:
    queue, model = Queue(list(range(10))), Model()
    run(annotator_of(queue, Member(LLM, "llm/a", model, batch=4)))
    assert sorted(queue.answered) == list(range(10))
    assert max(len(asked) for asked in model.asked) == 4
    assert len(model.asked) == 3


def test_the_annotators_of_a_tier_take_turns() -> None:
    queue = Queue(list(range(20)))
    run(annotator_of(queue, Member(1, "llm/a", Model()), Member(2, "llm/b", Model())))
    assert sorted(queue.answered) == list(range(20))
    assert set(queue.by.values()) == {1, 2}


def test_an_abstention_passes_the_question_on() -> None:
    queue = Queue([1, 2, 3])
    model = Model({2: [ModelVote(ABSTAIN, micros=5)]})
    annotator = annotator_of(queue, Member(LLM, "llm/a", model))
    run(annotator)
    assert (sorted(queue.answered), queue.passed) == ([1, 3], [2])
    assert annotator.tally.micros == 11, "it was paid all the same"


@pytest.mark.parametrize("failure", [ChatBusy("429", 2.0), ChatDown("out"), ChatUnknown("timeout")])
def test_what_fails_goes_back_and_is_answered_later(failure: Exception) -> None:
    queue = Queue(list(range(8)))
    model = Model({number: [failure] for number in (0, 3, 5)})
    annotator = annotator_of(queue, Member(LLM, "llm/a", model))
    run(annotator)
    assert sorted(queue.answered) == list(range(8))
    assert (queue.passed, annotator.tally.failed) == ([], 3)
    assert len(model.asked) == 11, "asked again only where there was no answer"


def test_an_outage_loses_nothing_and_is_asked_about_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    queue, model = Queue(list(range(6))), Model(always=ChatDown("out"))
    reports: list[Mapping[str, object]] = []

    def report(said: Mapping[str, object]) -> None:
        reports.append(said)
        if len(model.asked) > 8:
            model.always = None

    annotator = annotator_of(queue, Member(LLM, "llm/a", model), report=report)
    queue.ended = annotator.stop.set
    run(annotator)
    assert sorted(queue.answered) == list(range(6))
    assert queue.passed == []
    assert any(said["doing"] == "resting: out" for said in reports)
    assert [record.action for record in caplog.records] == ["annotate_rests", "annotate_back"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("failure", [ChatUnknown("timeout"), ChatRefused("no such model")])
def test_an_outage_in_which_calls_are_lost_is_held_against_no_question(failure: Exception) -> None:
    queue, model = Queue(list(range(8))), Model(always=failure)
    annotator = annotator_of(queue, Member(LLM, "llm/a", model))

    def report(_: Mapping[str, object]) -> None:
        if len(model.asked) > 30:
            model.always = None

    annotator.report = report
    run(annotator)
    refused = REFUSALS - 1 if isinstance(failure, ChatRefused) else 0
    assert len(queue.passed) == refused, "those that were refused before it was plain that all are"
    assert len(queue.answered) == 8 - refused


def test_an_item_that_gets_no_answer_while_others_do_is_passed_on() -> None:
    queue = Queue(list(range(9)))
    model = Model({1: [ChatUnknown("timeout")] * 99})
    run(annotator_of(queue, Member(LLM, "llm/a", model), concurrency=1))
    assert (sorted(queue.answered), queue.passed) == ([0, *range(2, 9)], [1])
    assert model.asked.count((1,)) == MOST_FAILURES


def test_no_question_is_asked_for_ever() -> None:
    queue = Queue([1])
    model = Model(always=ChatUnknown("timeout"))
    run(annotator_of(queue, Member(LLM, "llm/a", model)))
    assert queue.passed == [1]
    assert model.asked == [(1,)] * MOST_TRIES


def test_an_item_that_is_refused_is_passed_on_at_once() -> None:
    queue = Queue([1, 2])
    model = Model({1: [ChatRefused("too long")]})
    run(annotator_of(queue, Member(LLM, "llm/a", model)))
    assert (list(queue.answered), queue.passed) == ([2], [1])


def test_an_endpoint_that_refuses_everything_does_not_empty_the_queue() -> None:
    queue = Queue(list(range(50)))
    model = Model(always=ChatRefused("no such model"))
    annotator = annotator_of(queue, Member(LLM, "llm/a", model))
    annotator.report = lambda _: annotator.stop.set() if len(model.asked) > 15 else None
    run(annotator)
    assert REFUSALS - 1 <= len(queue.passed) <= REFUSALS + 5
    assert len(queue.open) + len(queue.passed) == 50


def test_without_money_the_tier_is_left_and_begun_again_when_there_is() -> None:
    queue = Queue(list(range(5)))
    model = Model({2: [CapReached("no more")] * 3})
    annotator = annotator_of(queue, Member(LLM, "llm/a", model))
    run(annotator)
    assert sorted(queue.answered) == list(range(5))


def test_an_answer_that_is_wanted_no_more_is_dropped() -> None:
    queue = Queue([1, 2, 3], gone=frozenset({1, 3}))
    annotator = annotator_of(queue, Member(LLM, "llm/a", Model({3: [ModelVote(ABSTAIN)]})))
    run(annotator)
    assert list(queue.answered) == [2]
    assert annotator.tally.late == 2


def test_an_unexpected_error_ends_the_loop_and_gives_everything_back() -> None:
    queue = Queue(list(range(5)))
    model = Model({1: [ZeroDivisionError("bug")]})
    with pytest.raises(ZeroDivisionError):
        annotator_of(queue, Member(LLM, "llm/a", model)).run()
    assert queue.held == {}
    assert sorted([*queue.open, *queue.answered]) == list(range(5))


def test_an_answer_is_kept_while_the_database_is_away_and_saved_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.core.annotate.AWAY_SECONDS", 0.01)
    queue, model = Queue(list(range(5)), away=["answer"] * 4), Model()

    def ask(annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        queue.away.append("lease")
        return model(annotator, leases)

    annotator = annotator_of(queue, Member(LLM, "llm/a", ask, batch=2))
    run(annotator)
    assert sorted(queue.answered) == list(range(5))
    assert sorted(one for asked in model.asked for one in asked) == list(range(5)), "nothing is asked twice"
    assert (annotator.tally.answered, annotator.tally.micros, annotator.tally.late) == (5, 15, 0)


def test_answers_on_their_way_are_waited_for_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.core.annotate.AWAY_SECONDS", 0.01)
    queue, coming = Queue([1, 2]), threading.Event()

    def ask(annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        queue.away = ["lease"] * 5
        coming.wait(20.0)
        return [ModelVote(1)]

    def later() -> None:
        if not queue.away:
            coming.set()

    annotator = annotator_of(queue, Member(LLM, "llm/a", ask))
    annotator.report = lambda _: later()
    run(annotator)
    assert sorted(queue.answered) == [1, 2]


def test_with_nothing_paid_for_it_ends_when_the_database_goes_away() -> None:
    queue = Queue([1, 2, 3])
    annotator = annotator_of(queue, Member(LLM, "llm/a", Model(always=PartAway("away"))))
    with pytest.raises(PartAway):
        annotator.run()
    assert queue.answered == {}


def test_an_error_of_the_program_is_told_though_the_database_is_away() -> None:
    queue, asking = Queue([1, 2]), threading.Barrier(2)

    def ask(annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        asking.wait(20.0)
        raise ZeroDivisionError("bug") if leases[0].question == 1 else PartAway("away")

    with pytest.raises(ZeroDivisionError):
        annotator_of(queue, Member(LLM, "llm/a", ask)).run()


def test_a_question_that_went_to_somebody_else_is_not_asked_about_and_counts_as_late() -> None:
    queue = Queue([1, 2])
    annotator = annotator_of(queue, Member(LLM, "llm/a", Model({1: [LeaseLost("went to others")]})))
    run(annotator)
    assert sorted(queue.answered) == [1, 2], "it was given back"
    assert (annotator.tally.late, annotator.tally.failed) == (1, 0)


def test_leases_are_renewed_while_calls_take_long() -> None:
    queue, waiting = Queue([1]), threading.Event()

    def slow(annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        waiting.wait(20.0)
        return [ModelVote(1)]

    annotator = annotator_of(queue, Member(LLM, "llm/a", slow))
    annotator.report = lambda _: waiting.set() if queue.extended.count(1) > 2 else None
    run(annotator)
    assert queue.extended.count(1) > 2
    assert annotator.ledger.expired > 2  # type: ignore[attr-defined]
    assert list(queue.answered) == [1]


def test_told_to_stop_it_waits_a_moment_for_calls_and_gives_the_rest_back() -> None:
    queue, begun, never = Queue([1, 2, 3, 4]), threading.Event(), threading.Event()
    stop = threading.Event()

    def ask(annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        if leases[0].question == 1:
            begun.set()
            never.wait(20.0)
        else:
            begun.wait(20.0)
            stop.set()
        return [ModelVote(1)]

    annotator = annotator_of(queue, Member(LLM, "llm/a", ask), stop=stop, concurrency=2)
    annotator.run()
    never.set()
    assert 1 not in queue.answered
    assert 2 in queue.answered
    assert (queue.held, 1 in queue.open) == ({}, True)


@dataclass
class Ending:
    """A process that is told to end when its call comes back, while the database is away for `tries`."""

    queue: Queue
    stop: threading.Event = field(default_factory=threading.Event)
    tries: int = 0

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        self.queue.away = ["answer"] * self.tries
        self.stop.set()
        return [ModelVote(1, micros=3)]


def unsaved_told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if getattr(one, "action", "") == "paid_unsaved"]


def test_told_to_stop_it_tries_to_save_what_is_paid_for_longer_than_it_waits_for_calls(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("daemon.core.annotate.AWAY_SECONDS", 0.001)
    queue = Queue([1])
    ending = Ending(queue, tries=int(FINISH_SECONDS) + 3)  # the clock leaps a second with each try
    annotator_of(queue, Member(LLM, "llm/a", ending), stop=ending.stop).run()
    assert (list(queue.answered), queue.held, queue.away) == ([1], {}, [])
    assert unsaved_told(caplog) == []


def test_what_could_not_be_saved_before_the_end_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("daemon.core.annotate.AWAY_SECONDS", 0.001)
    queue = Queue([1])
    ending = Ending(queue, tries=99)
    annotator_of(queue, Member(LLM, "llm/a", ending), stop=ending.stop).run()
    assert 99 - len(queue.away) == pytest.approx(SAVE_SECONDS, abs=2)
    (told,) = unsaved_told(caplog)
    assert "replies about questions none" in told and "answers to questions [1]" in told
    assert queue.open == [1], "given back"


def test_a_reply_that_waits_in_its_thread_to_be_saved_is_waited_for_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue, stop, never, clock = Queue([1]), threading.Event(), threading.Event(), Clock()

    def ask(annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        stop.set()
        never.wait(20.0)
        return [ModelVote(1)]

    annotator = annotator_of(queue, Member(LLM, "llm/a", ask), stop=stop, clock=clock, unsaved=lambda: {1})
    begun = clock.now
    annotator.run()
    never.set()
    assert clock.now - begun > SAVE_SECONDS
    (told,) = unsaved_told(caplog)
    assert "replies about questions [1]" in told and "answers to questions none" in told


def test_replies_that_are_saved_late_and_together_all_become_answers() -> None:
    """When the database is back their threads end at once, after the time that calls are waited for."""
    queue, stop, back = Queue([1, 2, 3]), threading.Event(), threading.Event()
    waiting, looks = {1, 2, 3}, itertools.count()

    def ask(annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        back.wait(20.0)
        waiting.discard(leases[0].question)
        return [ModelVote(1)]

    def unsaved() -> set[int]:
        if next(looks) > FINISH_SECONDS:  # the clock leaps a second with each
            back.set()
            while waiting:
                time.sleep(0.001)
        return set(waiting)

    annotator = annotator_of(queue, Member(LLM, "llm/a", ask), stop=stop, unsaved=unsaved)
    annotator.report = lambda _: stop.set()
    annotator.look_seconds = 0.05
    annotator.run()
    assert sorted(queue.answered) == [1, 2, 3]


def test_it_says_how_it_goes() -> None:
    queue = Queue(list(range(12)))
    said: list[Mapping[str, object]] = []
    clock = Clock(REPORT_SECONDS)
    run(annotator_of(queue, Member(LLM, "llm/a", Model()), report=said.append, clock=clock))
    assert said[-1]["tier"] == "llm"
    answered = int(str(said[-1]["answered"]))
    assert said[-1]["spent"] == pytest.approx(answered * 3e-6), "in the ledger's currency"
    assert [one["answered"] for one in said] == sorted(int(str(one["answered"])) for one in said)
