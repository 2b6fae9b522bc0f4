"""The dashboard's figures, from an overview."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from daemon.core.agreement_rows import AnswerStore
from daemon.core.erring import ErringStore
from daemon.core.insight_ports import InsightStore
from daemon.core.lead_ports import LeadStore, Planner
from daemon.core.learning_rows import StoredBundle
from daemon.core.ports import ReportStore
from daemon.core.question_ports import QuestionStore
from daemon.core.readiness import Readiness
from daemon.core.report_rows import NO_CLASS, NOTHING_YET, AuditedPair, ModelFacts, ProcessReport, Spending
from daemon.core.reviewer_rows import ReviewerStore
from daemon.core.settings import GuaranteeSettings, TierSettings
from daemon.core.signing_in import Desk
from daemon.core.truth_ports import TruthStore
from daemon.core.window_rows import WindowRecord
from daemon.review.services import ReviewServices
from daemon.review.summary import OverviewOut, summarize
from labeling_functions.task import MULTILABEL, Task

SERVICES = ReviewServices(
    questions=cast(QuestionStore, None),
    reports=cast(ReportStore, None),
    insights=cast(InsightStore, None),
    reviewers=cast(ReviewerStore, None),
    leading=cast(LeadStore, None),
    planner=cast(Planner, None),
    truths=cast(TruthStore, None),
    given=cast(AnswerStore, None),
    erring=cast(ErringStore, None),
    desk=cast(Desk, None),
    expose=lambda _samples, _accept: (b"", ""),
    readiness=Readiness({}),
    task=Task("sms", ("ham", "spam")),
    tiers={
        "crowd": TierSettings(price=0.05),
        "expert": TierSettings(price=0.5, final=True, seconds_per_answer=36),
        "professor": TierSettings(price=9.0, final=True),
    },
    guarantee=GuaranteeSettings(target_error=0.02, confidence=0.95, cold_start_gold=60),
)


def _window(id_: int, tau: float | None) -> WindowRecord:
    wrong = np.array([True, False, False])
    return WindowRecord(id_, 100, 0.03, 0.02, 0.05, tau, 80, np.zeros(3, np.float32), wrong, 0)


def _summary(**changes: Any) -> OverviewOut:
    return summarize(replace(NOTHING_YET, **changes), SERVICES)


def test_an_empty_loop_divides_by_nothing() -> None:
    summary = _summary()
    assert (summary.items, summary.automated_share, summary.certified_share) == (0, 0.0, 0.0)
    assert summary.states == {"asking": 0, "ready": 0, "frozen": 0, "certified": 0, "human": 0}
    assert summary.cost.everything == 0
    assert summary.lag is None


def test_shares_and_classes() -> None:
    summary = _summary(states={"certified": 6, "asking": 2, "human": 2}, classes={0: 7, 1: 3}, automated=5)
    assert summary.automated_share == 0.5
    assert summary.certified_share == 0.6
    assert summary.classes == {"ham": 7, "spam": 3}


def test_of_sets_each_class_and_none_are_counted() -> None:
    services = replace(SERVICES, task=Task("topics", ("billing", "praise"), MULTILABEL))
    summary = summarize(replace(NOTHING_YET, classes={0: 7, 1: 3, NO_CLASS: 2}), services)
    assert summary.classes == {"billing": 7, "praise": 3, "none": 2}


def test_everything_is_priced_at_the_cheapest_final_tier() -> None:
    spent = Spending("crowd", 40, 2_000_000, 3_600.0, None, 0, 0)
    capped = Spending("expert", 2, 1_000_000, 7_200.0, 5_000_000, 500_000, 250_000)
    cost = _summary(states={"ready": 100}, spending=[spent, capped]).cost
    assert (cost.everything_tier, cost.everything, cost.everything_hours) == ("expert", 50.0, 1.0)
    assert (cost.spent, cost.hours) == (3.0, 3.0)
    assert [(tier.today_cap, tier.today_reserved, tier.today_spent) for tier in cost.tiers] == [
        (None, 0.0, 0.0),
        (5.0, 0.5, 0.25),
    ]


def test_the_promise_is_said_plainly() -> None:
    promise = _summary(windows=[_window(2, 0.9), _window(1, None)], open_windows=1, chances={2: 0.75}).promise
    assert "2.0%" in promise.sentence and "95%" in promise.sentence
    assert promise.standing == "1 of the last 2 windows passed their audit; 1 being audited now."
    newest, older = promise.windows
    assert (newest.id, newest.audits, newest.wrong, newest.threshold) == (2, 3, 1, 0.9)
    assert (newest.chance, older.chance) == (0.75, None)
    assert newest.confidence == pytest.approx(0.95)
    assert older.threshold is None


@pytest.mark.parametrize(
    ("gold", "rejected", "said"),
    [
        (12, 0, "12 of the first 60 random answers are in"),
        (60, 0, "no window has been frozen so far"),
        (60, 1, "60 of the first 120 random answers are in"),
        (60, 1, "Models trained on fewer were no better than the built-in priors."),
    ],
)
def test_before_the_first_window_it_says_what_is_missing(gold: int, rejected: int, said: str) -> None:
    assert said in _summary(gold=gold, rejected=rejected).promise.standing


@pytest.mark.parametrize(
    ("reports", "lag"),
    [
        ([("run", 1.0, {"lag": 5}), ("run", 1.0, {"lag": 7})], 12),
        ([("run", 1.0, {"lag": 5}), ("run", 99.0, {"lag": 7})], 5),
        ([("run", 1.0, {"lag": None})], None),
        ([("learn", 1.0, {"lag": 3})], None),
    ],
)
def test_lag_is_what_live_workers_say(
    reports: list[tuple[str, float, Mapping[str, object]]], lag: int | None
) -> None:
    processes = [ProcessReport(f"p{n}", kind, age, said) for n, (kind, age, said) in enumerate(reports)]
    assert _summary(processes=processes).lag == lag


def test_silent_processes_are_marked() -> None:
    fresh = ProcessReport("run-1", "run", 1.0, {"items": 5_200, "lag": None, "seconds": {"decode": 0.1}})
    summary = _summary(processes=[fresh, ProcessReport("learn-1", "learn", 60.0)])
    assert [process.stale for process in summary.processes] == [False, True]
    assert summary.processes[0].said == {"items": "5,200"}


def test_the_models_in_use() -> None:
    facts = ModelFacts("pool", (("hbcc", 0.3), ("weighted_vote", 0.7)), 80, 62.5)
    bundle = _summary(bundle=StoredBundle(3, "d", b"", 5, None, "7"), model=facts).bundle
    assert bundle is not None
    assert (bundle.id, bundle.mlflow_version, bundle.trained_at) == (3, "7", 5)
    assert (bundle.label_model, bundle.gold, bundle.effective_gold) == ("pool", 80, 62.5)
    assert [(member.name, member.weight) for member in bundle.members] == [
        ("weighted_vote", 0.7),
        ("hbcc", 0.3),
    ]


def test_classes_are_judged_by_audits() -> None:
    pairs = [AuditedPair(1, 1, 9, 90.0), AuditedPair(1, 0, 3, 30.0), AuditedPair(0, 0, 5, 50.0)]
    ham, spam = _summary(audited=pairs).audited
    assert (spam.name, spam.audits, spam.recall) == ("spam", 12, 0.75)
    assert (ham.audits, ham.recall) == (5, None)


def test_the_only_window_is_told_as_such() -> None:
    assert _summary(windows=[_window(1, 0.9)]).promise.standing.startswith("The only window so far passed")


def test_what_is_not_known_is_told_with_what_it_takes() -> None:
    claims = {claim.topic: claim for claim in _summary(gold=4).claims}
    assert claims["Label model"].needs == "6 more random blind answers."
    assert (claims["Label model"].have, claims["Label model"].want) == (4, 10)
