"""The learner on a real database: when it trains, what it promotes, and who learns of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from loop_harness import CLASSES, POLICY, Loop
from metrics_for_tests import Told
from sqlalchemy import select, update

from daemon.adapters.fake_registry import FakeRegistry
from daemon.adapters.store.erring import ErringRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import bundles, recheck
from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.core.assembling import assemble
from daemon.core.learning import Learner, is_due
from daemon.core.learning_rows import News
from daemon.core.metrics import By
from daemon.core.settings import LearningSettings
from models.bundle import Bundle
from models.training import Candidate, TrainingData, TrainingOptions, train

PROMISE = replace(POLICY.guarantee, cold_start_gold=40, cold_start_share=1.0)
SETTINGS = LearningSettings(min_answers=30, label_models=("majority", "dawid_skene"))


def truth(text: str) -> int:
    return 1 if "win" in text or "spam" in text else 0


def sure(number: int) -> dict[str, str]:
    text = "win a prize now" if number % 2 else "hello friend, lunch?"
    return {"id": f"sure-{number}", "text": f"{text} {number}"}


def train_here(data: TrainingData, champion: Bundle | None, alive: Callable[[], object]) -> Candidate:
    alive()
    return train(data, TrainingOptions(SETTINGS.label_models), champion, lambda _: None)


@pytest.fixture
def loop(tmp_path: Path):
    made = Loop(tmp_path, replace(POLICY, guarantee=PROMISE)).start()
    yield made
    made.close()


def learner(
    loop: Loop,
    registry: FakeRegistry,
    holder: str = "one",
    alive: Callable[[Mapping[str, object]], None] = lambda _: None,
) -> Learner:
    return loop.learner(registry, SETTINGS, train_here, holder, alive)


def answered(loop: Loop) -> None:
    """200 items, 40 of them drawn and answered blind."""
    loop.send([sure(number) for number in range(200)])
    loop.read()
    assert loop.answer("eve", "expert", truth) == 40


def test_nothing_is_learned_before_the_random_answers_are_in(loop: Loop) -> None:
    loop.send([sure(number) for number in range(50)])
    loop.read()
    one = learner(loop, FakeRegistry())
    assert not one.step()
    loop.answer("eve", "expert", truth)
    assert one.step()
    assert not one.step()


def test_a_first_run_that_is_not_better_waits_for_more_random_answers(loop: Loop) -> None:
    """Windows wait for the first bundle, and only random answers can make the next one another."""

    def never_better(*given: object) -> Candidate:
        found = train_here(*given)  # type: ignore[arg-type]
        return replace(found, comparison=replace(found.comparison, promoted=False))

    answered(loop)
    one = loop.learner(FakeRegistry(), SETTINGS, never_better)
    assert one.step()
    assert loop.learning.current_bundle(None) is None
    assert not one.step(), "the same answers would teach the same"
    loop.send([sure(number) for number in range(200, 300)])
    loop.read()
    assert loop.answer("eve", "expert", truth) == 40, "as many more are drawn"
    assert learner(loop, FakeRegistry()).step()
    assert loop.learning.current_bundle(None) is not None


def test_a_run_is_logged_promoted_and_followed(loop: Loop) -> None:
    answered(loop)
    registry = FakeRegistry()
    assert learner(loop, registry).step()
    stored = loop.learning.current_bundle(None)
    assert stored is not None
    bundle = Bundle.from_bytes(stored.data)
    assert bundle.classes == CLASSES
    (run,) = registry.runs
    assert run.promoted
    assert run.parameters["audited"] == 40
    assert run.metrics["accuracy"] > 0.9
    table = {row["function"]: row for row in run.function_table}
    assert table["win"]["accuracy"] == 1.0
    assert table["win"]["coverage"] == 0.5
    assert sum(row["weight"] for row in run.member_table) == pytest.approx(1)
    assert [row["class"] for row in run.class_table] == list(CLASSES)
    assert sum(row["audited"] for row in run.class_table) == 40
    assert run.metrics["gold_effective"] <= 40
    loop.settle()
    assert loop.desk.bundles.current().id == stored.id
    loop.send([sure(500)])
    loop.read()
    assert loop.labels()["sure-500"]["bundle"] == stored.id


def test_runs_and_what_mlflow_missed_are_counted(loop: Loop) -> None:
    answered(loop)
    registry = FakeRegistry()
    registry.down = True
    one = learner(loop, registry)
    one.meter = meter = PrometheusMeter(By.LEARN)
    assert one.step()
    told = Told(meter.expose("")[0].decode())
    assert told.by("labelloop_trainings_total", "outcome") == {"promoted": 1}
    assert told.get("labelloop_training_seconds_count") == 1
    assert (told.get("labelloop_registry_failures_total") or 0) >= 1


def test_a_run_picks_what_to_learn_from_and_says_so(loop: Loop) -> None:
    answered(loop)
    registry, said = FakeRegistry(), []
    assert learner(loop, registry, alive=said.append).step()
    (run,) = registry.runs
    assert run.learning.startswith("goes on: 0 of 3 windows closed so far")
    assert run.metrics["learning_stopped"] == 0
    assert said[-1]["picks"] == 4, "a tenth of all answers: 4 beside the 40 that were given"
    with loop.database.read() as connection:
        picked = connection.execute(select(recheck.c.item).where(recheck.c.reason == "learn")).all()
    assert len(picked) == 4


def test_a_registry_that_is_away_does_not_hold_the_labels_up(loop: Loop) -> None:
    answered(loop)
    registry = FakeRegistry()
    registry.down = True
    assert learner(loop, registry).step()
    stored = loop.learning.current_bundle(None)
    assert stored is not None
    assert stored.run_id is None


def damage(loop: Loop) -> None:
    """All stored models lose their ends."""
    with loop.database.write() as connection:
        for id_, data in connection.execute(select(bundles.c.id, bundles.c.data)).all():
            cut = update(bundles).where(bundles.c.id == id_).values(data=data[: len(data) // 2])
            connection.execute(cut)


def test_damaged_models_are_no_champion_and_the_next_run_replaces_them(loop: Loop) -> None:
    answered(loop)
    one = learner(loop, FakeRegistry())
    assert one.step()
    damage(loop)
    overview = ReportRoom(loop.database, {}, frozenset({"expert"})).overview()
    assert overview.bundle is not None
    assert overview.model is None, "pages and status say nothing of what they cannot read"
    assert ErringRoom(loop.database).erring() == ()
    assert one.step(whatever=True)
    stored = loop.learning.current_bundle(None)
    assert stored is not None
    assert stored.id == overview.bundle.id + 1
    assert Bundle.from_bytes(stored.data).classes == CLASSES


def test_only_one_learner_works(loop: Loop) -> None:
    answered(loop)
    first, second = learner(loop, FakeRegistry(), "one"), learner(loop, FakeRegistry(), "two")
    assert first.step()
    assert not second.step(whatever=True)
    loop.clock.advance(120)
    second._duty._tried = -1e9
    assert second.step(whatever=True)


def test_rows_become_what_models_learn_from(loop: Loop) -> None:
    answered(loop)
    loop.send([{"id": f"copy-{n}", "text": "Hello   friend"} for n in range(2)])
    loop.send([{"id": "copy-2", "text": "hello friend"}])
    loop.read()
    rows = loop.learning.training_rows(1_000)
    data = assemble(rows, loop.policy, None)
    assert data.votes.n_items == 203
    assert data.audited.sum() == 40
    assert (data.expert >= 0).sum() == 40
    assert data.fresh.sum() == 40
    groups = dict(zip(rows.ids, data.groups, strict=True))
    assert groups["copy-0"] == groups["copy-1"] == groups["copy-2"] != groups["sure-1"]
    assert set(data.votes.annotators) > {"tier:crowd"}
    assert "tier:expert" not in data.votes.annotators


def test_when_a_run_is_due() -> None:
    settings = LearningSettings(min_answers=10, max_seconds=100)
    assert is_due(News(answers=10, gold=0, items=5, age=0), settings, None)
    assert not is_due(News(answers=9, gold=50, items=5, age=0), settings, None)
    assert is_due(News(answers=1, gold=0, items=5, age=100), settings, None)
    assert not is_due(News(answers=0, gold=50, items=5, age=500), settings, None)
    assert is_due(News(answers=5, gold=5, items=5, age=0), settings, 5)
    assert not is_due(News(answers=4, gold=4, items=5, age=0), settings, 5)
    assert is_due(News(answers=4, gold=50, items=5, age=0, fresh=40), settings, None, 40)
    assert not is_due(News(answers=4, gold=50, items=5, age=0, fresh=39), settings, None, 40)
    assert not is_due(News(answers=4, gold=50, items=5, age=0, fresh=None), settings, None, 40)
    assert not is_due(News(answers=4, gold=50, items=5, age=0, fresh=40), settings, None)


def test_after_a_drift_alarm_only_what_came_since_is_fresh_and_recent(loop: Loop) -> None:
    answered(loop)
    rows = loop.learning.training_rows(1_000)
    assert (assemble(rows, loop.policy, None).recent == 1).all()
    since = int(np.sort(rows.arrived)[120])
    arrived = rows.arrived.copy()
    arrived[60:] = since - 1_000
    arrived[:60] = since
    data = assemble(replace(rows, arrived=arrived, since=since), loop.policy, None)
    assert data.recent is not None
    assert np.flatnonzero(data.recent).tolist() == list(range(60))
    assert data.audited.sum() == 40
    assert np.array_equal(data.fresh, data.audited & data.recent)
    few = assemble(replace(rows, since=since + 1_000_000), loop.policy, None)
    assert few.recent is None, "too few to compare anything with"
    assert not few.fresh.any()
