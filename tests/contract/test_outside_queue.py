"""What every program in which people answer must do: one contract for Label Studio and Mechanical Turk."""

from collections.abc import Iterator
from typing import Protocol

import pytest
from label_studio_worlds import FakeWorld, token_put_back
from mturk_fixtures import Turk
from outside_tasks import MATCHES, PAIRS, STARS, payload_for

from daemon.adapters.outside.label_studio.labeling import result_of
from daemon.adapters.outside.label_studio.queue import LabelStudioQueue
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideQueue, OutsideUnavailable, Verdict
from daemon.core.rows import Lease
from labeling_functions.task import Task

MAIL = Task("mail", ("ham", "spam & <b>more</b>", "ж|x"), guidelines="# What is <spam>?\nMore.")
SETS = Task(
    "topics", ("late", "broken|x", "other"), kind="multilabel", descriptions={"late": 'It came "late".'}
)
TASKS = (MAIL, SETS, STARS, PAIRS, MATCHES)
TEXT = '{"id":"i","text":"<b>win</b> ]]> \\u0001 \u05e9\u05dc\u05d5\u05dd"}'.encode()


class World(Protocol):
    """A program outside, with people."""

    def queue(self, task: Task) -> OutsideQueue:
        """A tier's queue there; the same one each time."""

    def answer(self, task: Task, question: int, label: int, who: str) -> str:
        """Somebody answers; the name by which the program knows them."""

    def pass_on(self, question: int) -> None:
        """Somebody looks at a question and gives no answer."""

    def fail(self) -> None:
        """The next call finds nobody."""

    def refuse(self) -> None:
        """From now on what we call ourselves is not taken."""


class StudioWorld:
    """Label Studio."""

    def __init__(self) -> None:
        self.world = FakeWorld()
        self.studio = self.world.studio

    def queue(self, task: Task) -> OutsideQueue:
        """A tier's queue there."""
        return LabelStudioQueue(self.world.client(), task, "mail / crowd", suggest=False)

    def answer(self, task: Task, question: int, label: int, who: str) -> str:
        """Somebody answers."""
        self.studio.annotate(self._task(question), result_of(task, label), f"{who}@example.com")
        return f"{who}@example.com"

    def pass_on(self, question: int) -> None:
        """Somebody skips."""
        self.studio.annotate(self._task(question), [], "zoe@example.com", skip=True)

    def fail(self) -> None:
        """An outage."""
        self.studio.reachable = False

    def refuse(self) -> None:
        """Another token is wanted."""
        self.studio.token = "another"

    def _task(self, question: int) -> int:
        return next(id_ for id_, task in self.studio.tasks.items() if task["meta"]["labelloop"] == question)


class TurkWorld:
    """Mechanical Turk."""

    def __init__(self, turk: Turk) -> None:
        self.turk = turk

    def queue(self, task: Task) -> OutsideQueue:
        """A tier's queue there."""
        return self.turk.queue(task)

    def answer(self, task: Task, question: int, label: int, who: str) -> str:
        """A worker hands in."""
        self.turk.answer(question, label, f"A1{who.upper()}", task)
        return f"A1{who.upper()}"

    def pass_on(self, question: int) -> None:
        """A worker returns the HIT."""
        self.turk.mturk.give_back(self.turk.mturk.accept(self.turk.hit(question).id, "A1ZOE"))

    def fail(self) -> None:
        """An outage."""
        self.turk.server.fails = [(503, "ServiceUnavailable")]

    def refuse(self) -> None:
        """Another key is wanted."""
        self.turk.server.key = "ANOTHER"


@pytest.fixture(params=["label_studio", "mturk"])
def world(request: pytest.FixtureRequest, turk: Turk) -> Iterator[World]:
    """Each, in memory."""
    if request.param == "mturk":
        yield TurkWorld(turk)
        return
    with token_put_back():
        yield StudioWorld()


def lease(question: int, task: Task = MAIL, until: int = 1) -> Lease:
    return Lease(question, f"i{question}", "crowd", payload_for(task, TEXT), False, until, 0, 0.9)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_every_label_of_every_kind_of_task_comes_back(world: World, task: Task) -> None:
    queue = world.queue(task)
    labels = range(2**task.n_classes if task.space.sets else task.n_classes)
    queue.offer([lease(label + 1, task) for label in labels])
    for label in labels:
        world.answer(task, label + 1, label, "ann")
    said = {vote.question: vote.label for vote in queue.look().votes}
    assert said == {label + 1: label for label in labels}


def test_an_answer_has_a_name_seconds_and_a_key_that_stays(world: World) -> None:
    queue = world.queue(MAIL)
    queue.offer([lease(7), lease(8)])
    assert queue.look().shown == {7, 8}
    assert queue.look().votes == ()
    who = world.answer(MAIL, 7, 1, "ann")
    (vote,) = queue.look().votes
    assert (vote.question, vote.annotator, vote.label) == (7, who, 1)
    assert vote.seconds > 0
    assert queue.look().votes == (vote,)
    assert world.queue(MAIL).look().votes == (vote,), "for another process, too"
    world.answer(MAIL, 8, 1, "ann")
    assert len({vote.external for vote in queue.look().votes}) == 2


def test_what_was_answered_and_withdrawn_is_told_no_more(world: World) -> None:
    queue = world.queue(MAIL)
    queue.offer([lease(7), lease(8)])
    world.answer(MAIL, 7, 1, "ann")
    look = queue.look()
    queue.settle([(vote, Verdict.TAKEN) for vote in look.votes])
    queue.withdraw(sorted(look.shown & {7}))
    look = queue.look()
    assert (look.shown, look.votes) == ({8}, ())
    queue.settle([])


def test_what_nobody_answered_is_withdrawn_and_can_be_shown_again(world: World) -> None:
    queue = world.queue(MAIL)
    queue.offer([lease(number) for number in range(1, 131)])  # more than one page
    assert queue.look().shown == set(range(1, 131))
    queue.withdraw([*range(2, 131), 999])
    assert queue.look().shown == {1}
    queue.withdraw(range(2, 131))
    queue.offer([lease(2, until=2)])
    assert queue.look().shown == {1, 2}
    world.answer(MAIL, 2, 1, "ann")
    assert [vote.question for vote in queue.look().votes] == [2]


def test_who_gives_no_answer_leaves_the_question_to_others(world: World) -> None:
    queue = world.queue(MAIL)
    queue.offer([lease(7)])
    world.pass_on(7)
    look = queue.look()
    assert (look.shown, look.votes, look.unread) == ({7}, (), 0)
    world.answer(MAIL, 7, 1, "ann")
    assert [vote.label for vote in queue.look().votes] == [1]


def test_another_process_finds_what_is_shown(world: World) -> None:
    world.queue(MAIL).offer([lease(7)])
    assert world.queue(MAIL).look().shown == {7}


def test_people_can_be_kept_out_and_let_in_again_any_number_of_times(world: World) -> None:
    queue = world.queue(MAIL)
    for paused in ([], ["A1ANN", "bob@example.com"], ["A1ANN"], ["A1ANN"], []):
        queue.keep_out(paused)


def test_one_that_is_away_when_a_process_starts_is_waited_for(world: World) -> None:
    world.fail()
    queue = world.queue(MAIL)
    with pytest.raises(OutsideUnavailable):
        queue.look()


def test_an_outage_is_one_and_nothing_is_lost_by_it(world: World) -> None:
    queue = world.queue(MAIL)
    queue.offer([lease(7)])
    world.fail()
    with pytest.raises(OutsideUnavailable):
        queue.look()


def test_keys_that_are_not_taken_stop_it_and_say_so(world: World) -> None:
    queue = world.queue(MAIL)
    world.refuse()
    with pytest.raises(SetupProblem, match="refuses"):
        queue.look()
