"""Another kind of items comes: alarm, more audits, fresh draws, retraining, and calm again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from loop_harness import POLICY, Loop
from sqlalchemy import select

from daemon.adapters.fake_registry import FakeRegistry
from daemon.adapters.store import alarms
from daemon.adapters.store.schema import windows
from daemon.core.alarm_rows import AlarmRecord
from daemon.core.learning import Learner
from daemon.core.settings import DriftSettings, LearningSettings
from models.bundle import Bundle
from models.training import Candidate, TrainingData, TrainingOptions, train

PROMISE = replace(POLICY.guarantee, cold_start_gold=40, cold_start_share=1.0, audit_share=0.3)
SETTINGS = LearningSettings(min_answers=1_000, label_models=("majority",))


def truth(text: str) -> int:
    return 1 if "win" in text or "parcel" in text else 0


def usual(number: int) -> dict[str, str]:
    text = "win a prize now" if number % 2 else "hello friend, lunch?"
    return {"id": f"usual-{number}", "text": f"{text} {number}"}


def other(number: int) -> dict[str, str]:
    """Spam that looks like a greeting, and friends who only say hello."""
    text = "hello friend, your parcel waits" if number % 2 else "hello, all well?"
    return {"id": f"other-{number}", "text": f"{text} {number}"}


def train_here(data: TrainingData, champion: Bundle | None, alive: Callable[[], object]) -> Candidate:
    return train(data, TrainingOptions(SETTINGS.label_models), champion, lambda _: None)


def refused(candidate: Candidate) -> Candidate:
    return replace(candidate, comparison=replace(candidate.comparison, promoted=False))


@pytest.fixture
def loop(tmp_path: Path):
    made = Loop(tmp_path, replace(POLICY, guarantee=PROMISE, drift=DriftSettings(gold=30))).start()
    yield made
    made.close()


@pytest.fixture
def learner(loop: Loop) -> Learner:
    return loop.learner(FakeRegistry(), SETTINGS, train_here)


def stored(loop: Loop) -> list[AlarmRecord]:
    with loop.database.read() as connection:
        return alarms.newest(connection, 10)


def shares(loop: Loop) -> list[float]:
    """Audit shares of all windows, in order."""
    with loop.database.read() as connection:
        return list(connection.execute(select(windows.c.p).order_by(windows.c.id)).scalars())


def started(loop: Loop, learner: Learner) -> None:
    """A first bundle, and one window of the usual kind."""
    loop.send([usual(number) for number in range(1_000)])
    loop.read()
    loop.answer("eve", "expert", truth)
    assert learner.step()
    loop.settle()
    loop.tend()
    loop.answer("eve", "expert", truth)
    loop.tend()


def test_the_usual_kind_raises_nothing(loop: Loop, learner: Learner) -> None:
    started(loop, learner)
    loop.send([usual(number) for number in range(1_000, 4_000)])
    loop.read()
    assert stored(loop) == []
    assert not learner.step()


def test_a_change_is_noticed_learned_and_over(
    loop: Loop, learner: Learner, caplog: pytest.LogCaptureFixture
) -> None:
    started(loop, learner)
    assert set(shares(loop)) == {0.3}
    gold = loop.windows.gold_drawn()
    loop.send([other(number) for number in range(400)])
    loop.read()
    (alarm,) = stored(loop)
    assert (alarm.signal, alarm.ended_at, alarm.bundle) == ("symbols", None, 1)
    assert 1_000 < alarm.items <= 1_400
    assert "drift_alarm" in {getattr(record, "action", None) for record in caplog.records}
    assert not learner.step(), "nothing is known yet of what came"

    loop.send([other(number) for number in range(400, 800)])
    loop.read()
    assert loop.windows.gold_drawn() == gold + 30
    loop.tend()
    assert shares(loop)[-1] == 0.6, "windows that freeze meanwhile are audited more"
    loop.answer("eve", "expert", truth)
    assert learner.step()
    (alarm,) = stored(loop)
    assert alarm.ended_by == 2
    loop.settle()

    loop.send([other(number) for number in range(800, 3_000)])
    loop.read()
    assert loop.windows.gold_drawn() == gold + 30
    assert len(stored(loop)) == 1, "the new bundle knows this kind"
    loop.answer("eve", "expert", truth)
    loop.tend()
    assert shares(loop)[-1] == 0.3


def test_a_champion_as_good_on_what_came_since_ends_the_alarm(loop: Loop, learner: Learner) -> None:
    started(loop, learner)
    loop.send([other(number) for number in range(400)])
    loop.read()
    loop.send([other(number) for number in range(400, 800)])
    loop.read()
    loop.answer("eve", "expert", truth)
    learner.train = lambda *given: refused(train_here(*given))
    assert learner.step()
    assert [alarm.ended_by for alarm in stored(loop)] == [1]
    assert not learner.step()


def test_without_drift_alarms_nothing_changes(tmp_path: Path) -> None:
    drift = DriftSettings(enabled=False)
    loop = Loop(tmp_path, replace(POLICY, guarantee=PROMISE, drift=drift)).start()
    try:
        loop.send([usual(number) for number in range(200)])
        loop.read()
        duty = loop.store.take_duty("learning", "test", 60.0)
        assert duty is not None
        bundle = Bundle.from_priors(POLICY.classes, {"crowd": 0.9, "expert": 0.98})
        loop.learning.promote(duty, loop.learning.save_bundle("x", bundle.to_bytes(), None, None))
        loop.send([other(number) for number in range(1_000)])
        loop.read()
        assert stored(loop) == []
    finally:
        loop.close()
