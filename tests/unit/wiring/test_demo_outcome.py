"""The figures of the demo's closing table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from daemon.core.errors import SetupProblem
from daemon.core.report_rows import NOTHING_YET, Overview, QueueDepth, Spending
from daemon.core.settings import TierSettings
from daemon.core.states import Purpose
from daemon.core.window_rows import WindowRecord
from daemon.wiring.config import load
from daemon.wiring.demo import EXAMPLE, at_rest, corpus, empty
from daemon.wiring.demo.heard import LabelMessage
from daemon.wiring.demo.model_worth import Worth
from daemon.wiring.demo.outcome import judge, table
from daemon.wiring.supervisor import StateLock

TRUTH = {"a": "ham", "b": "ham", "c": "ham", "d": "spam", "e": "spam"}
TIERS = {
    "crowd": TierSettings(price=0.05),
    "expert": TierSettings(price=0.6, final=True, seconds_per_answer=36),
    "dear": TierSettings(price=9.0, final=True),
}


def test_only_a_folder_of_an_earlier_demo_is_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "thesis.txt"
    precious.write_text("years of work")
    with pytest.raises(SetupProblem, match=r"thesis\.txt"):
        empty(tmp_path)
    assert precious.exists()
    lock = StateLock(tmp_path)
    (tmp_path / "logs").mkdir()
    lock.release()
    empty(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["up.lock"]


@pytest.mark.parametrize(
    ("purpose", "spent", "calm"),
    [
        (Purpose.SETTLE, 0, False),
        (Purpose.SETTLE, 9_500_000, True),
        (Purpose.AUDIT, 9_500_000, False),
        (Purpose.LEARN, 0, True),
    ],
)
def test_the_demo_does_not_wait_for_questions_that_no_money_reaches(
    purpose: Purpose, spent: int, calm: bool
) -> None:
    config = load(EXAMPLE / "labelloop.yaml", {})
    queue = QueueDepth("expert", purpose, open=3, leased=0, answered=0, oldest_age=1.0)
    money = Spending("expert", 0, 0, 0.0, 10_000_000, 0, spent)
    assert at_rest(replace(NOTHING_YET, queues=[queue], spending=[money]), config) == calm


def window(tau: float | None) -> WindowRecord:
    return WindowRecord(1, 10, 0.1, 0.05, 0.1, tau, 0, np.zeros(0, np.float32), np.zeros(0, np.bool_), 0)


def overview() -> Overview:
    return Overview(
        states={},
        statuses={},
        classes={},
        automated=0,
        items_per_minute=0,
        arrivals=(),
        open_windows=0,
        windows=[window(0.9), window(None)],
        gold=0,
        answers=3,
        queues=(),
        spending=[
            Spending("crowd", 2, 100_000, 7_200.0, None, 0, 0),
            Spending("expert", 1, 600_000, 3_600.0, None, 0, 0),
        ],
        dead_letters={},
        function_failures={},
        processes=(),
        bundle=None,
        outbox=0,
        rechecks=0,
    )


LABELS = {
    "a": LabelMessage("a", 2, "ham", "certified"),
    "b": LabelMessage("b", 2, "spam", "certified"),
    "c": LabelMessage("c", 1, "ham", "provisional"),
    "d": LabelMessage("d", 2, "spam", "human"),
}


def test_the_figures_are_those_of_the_labels() -> None:
    outcome = judge(LABELS, TRUTH, overview(), TIERS, seconds=2.0)
    assert (outcome.items, outcome.automatic, outcome.certified) == (4, 3, 2)
    assert (outcome.automatic_right, outcome.certified_right, outcome.right) == (2, 1, 3)
    assert outcome.minority_recall == 1.0
    assert outcome.cost == pytest.approx(0.7)
    assert outcome.hours == pytest.approx(3.0)
    assert outcome.all_cost == pytest.approx(4 * 0.6)
    assert outcome.all_hours == pytest.approx(4 * 36 / 3_600)
    assert outcome.items_per_second == 2.0


def test_the_table_can_be_shown_with_and_without_labels() -> None:
    assert table(judge(LABELS, TRUTH, overview(), TIERS, 1.0), 0.05, 0.9, "USD").row_count > 8
    assert table(judge({}, TRUTH, overview(), TIERS, 0.0), 0.05, 0.9, "USD").row_count > 8


def test_what_the_language_model_cost_is_no_time_of_people() -> None:
    tiers = {**TIERS, "llm": TierSettings(backend="llm", price=0.001)}
    asked = overview()
    asked = replace(asked, spending=[*asked.spending, Spending("llm", 5, 5_000, 900.0, None, 0, 0)])
    worth = Worth(5, 0.4, loss=0.3, share=0.8, loss_without=0.5, share_without=0.7)
    outcome = judge(LABELS, TRUTH, asked, tiers, 2.0, worth)
    assert outcome.answers == {"crowd": 2, "expert": 1}
    assert outcome.hours == pytest.approx(3.0)
    assert (outcome.cost, outcome.model_cost) == pytest.approx((0.705, 0.005))
    without = table(replace(outcome, model=None), 0.05, 0.9, "USD").row_count
    assert table(outcome, 0.05, 0.9, "USD").row_count == without + 2


def test_the_messages_are_those_of_the_package() -> None:
    messages = corpus.load(None)
    assert len(messages) == 4_862
    assert {message.truth for message in messages} == {"ham", "spam"}
    assert len({message.id for message in messages}) == 4_862
    assert corpus.load(3) == messages[:3]
