"""What the learner picks is asked of experts; their answers teach the models and judge nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loop_harness import POLICY, Loop
from sqlalchemy import select

from daemon.adapters.fake_registry import FakeRegistry
from daemon.adapters.store.schema import items, questions
from daemon.core.assembling import assemble
from daemon.core.learning import Learner
from daemon.core.policy import GOLD_PRIORITY
from daemon.core.settings import LearningSettings
from models.bundle import Bundle
from models.training import Candidate, TrainingData, TrainingOptions, train

GOLD, PICKS = 40, 4
PROMISE = replace(POLICY.guarantee, cold_start_gold=GOLD, cold_start_share=1.0)
SETTINGS = LearningSettings(min_answers=1, label_models=("majority",))


def truth(text: str) -> int:
    return 1 if "win" in text else 0


def train_here(data: TrainingData, champion: Bundle | None, alive: Callable[[], object]) -> Candidate:
    return train(data, TrainingOptions(SETTINGS.label_models), champion, lambda _: None)


@pytest.fixture
def loop(tmp_path: Path):
    """200 items of which 40 were drawn and answered blind; the learner has run, and the desk heard of it."""
    made = Loop(tmp_path, replace(POLICY, guarantee=PROMISE)).start()
    texts = ("win a prize now", "hello friend, lunch?")
    made.send([{"id": f"item-{n}", "text": f"{texts[n % 2]} {n}"} for n in range(200)])
    made.read()
    assert made.answer("eve", "expert", truth) == GOLD
    assert learner(made).step()
    made.settle()
    yield made
    made.close()


def learner(loop: Loop, share: float = SETTINGS.share) -> Learner:
    return loop.learner(FakeRegistry(), replace(SETTINGS, share=share), train_here)


def picked(loop: Loop) -> list[Any]:
    """Questions that serve learning, with the state of their item."""
    query = select(questions, items.c.state.label("item_state")).join(items, items.c.id == questions.c.item)
    with loop.database.read() as connection:
        return list(connection.execute(query.where(questions.c.purpose == "learn")))


def test_a_pick_becomes_a_question_for_an_expert(loop: Loop) -> None:
    made = picked(loop)
    assert len(made) == PICKS
    assert {row.tier for row in made} == {"expert"}
    assert {row.state for row in made} == {"open"}
    assert {row.item_state for row in made} == {"asking"}, "they are ready no more, so no window takes them"
    assert all(GOLD_PRIORITY - 1 < row.priority < GOLD_PRIORITY for row in made)
    assert loop.windows.ready().count == 200 - GOLD - PICKS


def test_another_pass_leaves_the_question_open(loop: Loop) -> None:
    loop.learning.look_again("bundle")
    loop.settle()
    assert [row.state for row in picked(loop)] == ["open"] * PICKS


def test_its_answer_teaches_and_does_not_judge(loop: Loop) -> None:
    ids = {row.item for row in picked(loop)}
    assert loop.answer("ann", "expert", truth) == PICKS
    assert {loop.labels()[id_]["status"] for id_ in ids} == {"human"}
    assert {row.item_state for row in picked(loop)} == {"human"}
    assert loop.windows.ready().count == 200 - GOLD - PICKS
    rows = loop.learning.training_rows(1_000)
    data = assemble(rows, loop.policy, loop.learning.current_bundle(None))
    taught = [row for row, id_ in enumerate(rows.ids) if id_ in ids]
    assert (data.expert[taught] >= 0).all(), "they teach"
    assert not data.audited[taught].any(), "they judge and calibrate nothing"
    assert not data.fresh[taught].any()
    assert data.audited.sum() == GOLD


def test_picks_that_nobody_answered_are_not_piled_up(loop: Loop) -> None:
    assert learner(loop).step(whatever=True)
    loop.settle()
    assert len(picked(loop)) == PICKS


def test_what_nobody_has_begun_to_answer_is_withdrawn_when_asking_to_learn_stops(loop: Loop) -> None:
    assert learner(loop, share=0.0).step(whatever=True)
    loop.settle()
    assert [row.state for row in picked(loop)] == ["cancelled"] * PICKS
    assert {row.item_state for row in picked(loop)} == {"ready"}, "they go on as if they had not been picked"
    assert loop.answer("ann", "expert", truth) == 0
