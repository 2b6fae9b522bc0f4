"""When a window freezes, on what terms, and what its audits mean for every item in it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from daemon.core.panel import UNDECIDED
from daemon.core.policy import Outputs, Policy
from daemon.core.rows import Answer, OpenItem
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.states import AnnotatorKind, AuditProtocol, ItemState, LabelStatus, Purpose
from daemon.core.window_rows import (
    NOTHING_RELEASED,
    Frozen,
    LedgerRecord,
    OpenWindow,
    Ready,
    WindowPlan,
    WindowRecord,
)
from daemon.core.windows import WindowJudge, fewest_items, is_due, plan

PROMISE = GuaranteeSettings(
    target_error=0.05,
    confidence=0.9,
    window_items=1_000,
    window_seconds=60,
    audit_share=0.2,
    cold_start_gold=50,
)
POLICY = Policy(
    ("ham", "spam"),
    {"crowd": TierSettings(), "expert": TierSettings(price=0.6, final=True, accuracy=0.98)},
    PROMISE,
    RoutingSettings(),
)
OUTPUTS = Outputs("labels", "questions", "dead", lambda topic, keys: [0] * len(keys))


def test_a_window_is_due_by_count_or_by_time() -> None:
    assert is_due(Ready(1_000, 1.0, 50), POLICY, learned=True)
    assert not is_due(Ready(999, 1.0, 50), POLICY, learned=True)
    assert is_due(Ready(999, 60.0, 50), POLICY, learned=True)


def test_nothing_is_due_before_the_cold_start_is_over() -> None:
    assert not is_due(Ready(5_000, 999.0, 49), POLICY, learned=True)
    assert not is_due(Ready(5_000, 999.0, 50), POLICY, learned=False)
    warm = replace(POLICY, guarantee=replace(PROMISE, cold_start_gold=0))
    assert is_due(Ready(5_000, 999.0, 0), warm, learned=False)


def test_a_window_too_small_to_pass_waits_whatever_the_time() -> None:
    fewest = fewest_items(PROMISE)
    assert fewest == 2 * 45 / 0.2
    assert not is_due(Ready(int(fewest) - 1, 1e6, 50), POLICY, learned=True)
    assert is_due(Ready(int(fewest), 1e6, 50), POLICY, learned=True)


def test_terms_follow_from_scores_and_earlier_windows() -> None:
    scores = np.linspace(0.9, 0.999, 1_000).astype(np.float32)
    frozen = Frozen([str(n) for n in range(1_000)], scores, np.zeros((1_000, 1), np.int8))
    terms = plan(frozen, [], POLICY)
    assert (terms.alpha, terms.tier, terms.price) == (0.05, "expert", 600_000)
    assert terms.coins(scores).sum() == pytest.approx(200)
    assert terms.limits is not None
    assert len(terms.limits) == len(terms.lambdas)
    assert (terms.protocol, terms.outgoing_p) == (AuditProtocol.SINGLE, 0.01)
    assert terms.delta == pytest.approx(0.1)
    assert (np.diff(terms.lambdas) < 0).all()
    wrong_below = scores < 0.95
    seen = WindowRecord(1, 1_000, 0.2, 0.05, 0.1, None, 0, scores, wrong_below, 0)
    warned = plan(frozen, [seen], POLICY)
    assert warned.lambdas[warned.start] > terms.lambdas[terms.start]


def test_an_alarm_raises_the_audits_and_never_lowers_them() -> None:
    scores = np.linspace(0.9, 0.999, 1_000).astype(np.float32)
    frozen = Frozen([str(n) for n in range(1_000)], scores, np.zeros((1_000, 1), np.int8))
    for wanted, share in ((0.3, 0.3), (0.1, 0.2)):
        assert plan(frozen, [], POLICY, audit_share=wanted).coins(scores).mean() == pytest.approx(share)
    assert plan(frozen, [], POLICY, audit_share=3.0).p <= 1


def test_windows_frozen_before_an_alarm_teach_the_next_one_nothing() -> None:
    scores = np.linspace(0.9, 0.999, 1_000).astype(np.float32)
    frozen = Frozen([str(n) for n in range(1_000)], scores, np.zeros((1_000, 1), np.int8))
    bad = WindowRecord(1, 1_000, 0.2, 0.05, 0.1, None, 0, scores, scores < 0.95, 9_000, frozen_at=5_000)
    fresh, taught = plan(frozen, [], POLICY), plan(frozen, [bad], POLICY)
    assert plan(frozen, [bad], POLICY, history_since=5_000).lambdas.tolist() == taught.lambdas.tolist()
    later = plan(frozen, [bad], POLICY, history_since=5_001)
    assert (later.lambdas.tolist(), later.start) == (fresh.lambdas.tolist(), fresh.start)
    assert later.lambdas.tolist() != taught.lambdas.tolist()


def item(number: int, answers: tuple[Answer, ...] = ()) -> OpenItem:
    return OpenItem(
        id=f"item-{number}",
        state=ItemState.FROZEN,
        functions=1,
        inline=np.array([1, -1], np.int8),
        posterior=np.array([0.02, 0.98], np.float32),
        labels=np.array([1], np.int8),
        score=0.98,
        revision=1,
        sent_back=0,
        window=7,
        bundle=3,
        cost=600_000 if answers else 0,
        payload=b"{}",
        answers=answers,
    )


def said(label: int) -> Answer:
    return Answer(9, "eve", AnnotatorKind.PERSON, "expert", Purpose.AUDIT, label, 5)


def a_window(
    wrong: int = 0, missing: int = 0, overdue: bool = False, ledger: LedgerRecord = NOTHING_RELEASED
) -> OpenWindow:
    """400 labels, all 1. The first 200 are audited: `wrong` of them are 0, the last `missing` unanswered."""
    n, audited = 400, 200
    audits = np.ones(audited, np.int64)
    audits[:wrong] = 0
    audits[audited - missing :] = -1
    items = [
        item(number, (said(int(audits[number])),) if number < audited and audits[number] >= 0 else ())
        for number in range(n)
    ]
    scores = np.linspace(0.99, 0.9, n).astype(np.float32)
    terms = WindowPlan(
        0.5, 0.05, 0.1, np.array([scores[n // 2], scores[-1]], np.float64), 0, "expert", 1, 1.0, 60.0
    )
    labels = np.ones((n, 1), np.int8)
    return OpenWindow(7, terms, items, scores, labels, np.arange(audited), audits, overdue, ledger)


JUDGE = WindowJudge(POLICY, OUTPUTS, lambda _: ("win", "hello"))


def test_a_window_waits_for_its_audits_until_they_are_overdue() -> None:
    assert JUDGE(a_window(missing=1)) is None
    closing = JUDGE(a_window(missing=1, overdue=True))
    assert closing is not None
    assert closing.errors[-1] == 1


def test_what_passes_is_certified_and_what_was_audited_is_human() -> None:
    closing = JUDGE(a_window())
    assert closing is not None
    assert closing.tau == pytest.approx(0.9)
    states = closing.decision.states
    assert states[:200] == [ItemState.HUMAN] * 200
    assert states[200:] == [ItemState.CERTIFIED] * 200
    assert not closing.sent_back.any()
    assert closing.decision.publish.all()
    messages = [json.loads(message.value) for message in closing.compose([])]
    assert {(m["revision"], m["bundle"]) for m in messages} == {(2, 3)}
    assert messages[0]["certificate"] is None
    assert messages[0]["cost"] == 0.6
    assert messages[399]["certificate"] == {
        "alpha": 0.05,
        "delta": pytest.approx(0.1),
        "window": 7,
        "threshold": pytest.approx(0.9, abs=1e-5),
        "protocol": "single",
    }


def test_an_audit_corrects_its_label_even_where_the_window_fails() -> None:
    closing = JUDGE(a_window(wrong=30))
    assert closing is not None
    assert closing.tau is None
    decision = closing.decision
    assert decision.labels[:30, 0].tolist() == [0] * 30
    assert decision.posterior[0].tolist() == pytest.approx([0.98, 0.02])
    assert decision.status[0] == LabelStatus.HUMAN
    assert closing.sent_back.sum() == 200
    assert decision.publish.sum() == 200


def test_an_unanswered_audit_is_never_released() -> None:
    closing = JUDGE(a_window(missing=1, overdue=True))
    assert closing is not None
    assert closing.tau is not None
    assert closing.decision.states[199] == ItemState.ASKING
    assert closing.sent_back[199]


def test_experts_who_could_not_agree_are_an_error_and_their_item_is_not_released() -> None:
    window = a_window()
    window.audits[-1] = UNDECIDED
    silent = replace(window, items=[*window.items[:199], item(199), *window.items[200:]])
    closing = JUDGE(silent)
    assert closing is not None
    assert (closing.errors[-1], closing.tau) == (1, pytest.approx(0.9))
    assert closing.decision.states[199] == ItemState.ASKING


def designed(window: OpenWindow) -> OpenWindow:
    """The same on terms of today: at most 20 of 400 labels may be wrong, and 5 % of those published."""
    return replace(window, plan=replace(window.plan, start=1, rest=0.5, limits=np.array([1, 21])))


def test_found_errors_are_corrected_and_count_for_what_is_published() -> None:
    """Four found errors allow 13 in all: nine are left among 200 published labels. Five allow one more."""
    for wrong, tau in ((4, pytest.approx(0.9)), (5, None)):
        closing = JUDGE(designed(a_window(wrong=wrong)))
        assert closing is not None
        assert closing.tau == tau
        assert closing.errors[-1] == wrong


def test_an_audit_that_never_came_is_an_error_that_nobody_corrected() -> None:
    closing = JUDGE(designed(a_window(missing=4, overdue=True)))
    assert closing is not None
    assert (closing.errors[-1], closing.tau) == (4, None)


def test_what_people_answered_meanwhile_is_not_among_the_published() -> None:
    """Three errors may be left: too many among 50 labels, when people took 150 of the 200."""
    window = designed(a_window())
    assert JUDGE(window).tau is not None  # type: ignore[union-attr]
    told = [*window.items[:200], *(item(n, (said(1),)) for n in range(200, 350)), *window.items[350:]]
    closing = JUDGE(replace(window, items=told))
    assert closing is not None
    assert closing.tau is None


def test_a_tie_is_broken_by_its_coin() -> None:
    """Of 21 errors eight or fewer are found with a chance of .19, seven or fewer with .09."""
    window = designed(a_window(wrong=8))
    strict = replace(window, plan=replace(window.plan, alpha=0.5))
    taus = [JUDGE(replace(strict, tie=tie)) for tie in (0.01, 0.99)]
    assert [closing is not None and closing.tau is not None for closing in taus] == [True, False]


@pytest.mark.parametrize(
    "ledger",
    [
        LedgerRecord(windows=3, released=100_000, audited=1_000, found=300, p=0.01),
        LedgerRecord(after_window=7, since=1, reason="mended"),
    ],
    ids=["suspended", "frozen before a new ledger"],
)
def test_a_good_window_releases_nothing_while_the_ledger_forbids_it(ledger: LedgerRecord) -> None:
    closing = JUDGE(a_window(ledger=ledger))
    assert closing is not None
    assert closing.tau is None
    assert closing.decision.states[:200] == [ItemState.HUMAN] * 200, "answers count all the same"
    assert closing.sent_back.sum() == 200
    assert all(json.loads(message.value)["certificate"] is None for message in closing.compose([]))


def test_a_good_ledger_and_a_new_one_let_windows_release() -> None:
    for ledger in (
        LedgerRecord(windows=3, released=100_000, audited=1_000, found=0, p=0.01),
        LedgerRecord(after_window=6, since=1, reason="mended"),
    ):
        closing = JUDGE(a_window(ledger=ledger))
        assert closing is not None
        assert closing.tau is not None
