"""What can be claimed, what cannot yet, and what it takes."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.core.claims import asked_first, claims
from daemon.core.report_rows import NOTHING_YET, Claim, ModelFacts, Overview, PersonRecord, QueueDepth
from daemon.core.settings import GuaranteeSettings, TierSettings
from daemon.core.states import Purpose
from daemon.core.window_rows import LedgerRecord, WindowRecord

PROMISE = GuaranteeSettings(target_error=0.05, confidence=0.9, cold_start_gold=60)
TIERS = {"crowd": TierSettings(price=0.05), "expert": TierSettings(price=0.5, final=True)}
CLASSES = ("ham", "spam")
LEARNED = replace(
    NOTHING_YET, gold=80, gold_classes={0: 60, 1: 20}, model=ModelFacts("pool", (("hbcc", 1.0),), 80, 80.0)
)


def _claims(overview: Overview, promise: GuaranteeSettings = PROMISE) -> dict[str, Claim]:
    return {claim.topic: claim for claim in claims(overview, promise, TIERS, CLASSES)}


def _window(id_: int, tau: float | None, wrong: int, audits: int = 100) -> WindowRecord:
    """The lowest scores were wrong."""
    errors = np.arange(audits) < wrong
    scores = np.linspace(0.5, 1, audits, dtype=np.float32)
    return WindowRecord(id_, 5_000, 0.06, 0.05, 0.1, tau, 0 if tau is None else 900, scores, errors, 0)


def test_at_first_nothing_can_be_claimed() -> None:
    found = _claims(NOTHING_YET)
    assert [*found] == ["Label model", "Scores", "Class by class", "First window", "Certificate", "Ledger"]
    assert not any(claim.holds for claim in found.values())
    assert found["Label model"].needs == "10 more random blind answers."
    assert found["First window"].needs == "60 more random blind answers."
    assert found["Certificate"].needs == "45 audits above the threshold if none finds an error."


def test_what_holds_comes_after_what_does_not() -> None:
    found = claims(LEARNED, PROMISE, TIERS, CLASSES)
    assert [claim.holds for claim in found] == [False, False, True, True, True]


def test_answers_that_no_model_has_learned_from_wait_for_training() -> None:
    waiting = _claims(replace(LEARNED, model=None))
    assert waiting["Label model"].needs == waiting["Scores"].needs == "the next training run."


def test_after_a_rejected_first_bundle_as_many_answers_again_are_told() -> None:
    """The worker draws as many again, and the learner waits for them."""
    rejected = _claims(replace(LEARNED, model=None, rejected=1))
    assert rejected["First window"].needs == "40 more random blind answers."
    assert (rejected["First window"].have, rejected["First window"].want) == (80, 120)
    assert rejected["First window"].said.endswith(
        "Models trained on fewer were no better than the built-in priors."
    )
    assert rejected["Label model"].needs == rejected["Scores"].needs == "40 more random blind answers."
    assert "First window" not in _claims(LEARNED)


def test_copies_are_worth_less_than_their_number() -> None:
    copies = _claims(replace(LEARNED, model=ModelFacts("pool", (), 80, 20.0)))["Scores"]
    assert "80 random blind answers, worth 20 evenly drawn ones" in copies.said
    assert "may be off by 11 points" in copies.said
    assert (copies.have, copies.want, copies.needs) == (20, 50, "30 more random blind answers.")
    assert _claims(LEARNED)["Scores"].holds


def test_a_rare_class_is_named_with_its_count() -> None:
    rare = _claims(replace(LEARNED, gold_classes={0: 78, 1: 2}))["Class by class"]
    assert rare.said == "Recall and F1 of spam (2 random answers)."
    assert "about 320 more draws" in rare.needs
    assert _claims(replace(LEARNED, gold_classes={0: 70, 1: 10}))["Class by class"].holds


def test_a_window_too_small_for_the_target_is_told_before_it_is_tried() -> None:
    small = _claims(LEARNED, replace(PROMISE, window_items=500))["Certificate"]
    assert "about 30 audits" in small.said
    assert small.needs == "window_items 750 at least, or audit_share 9% at least."


@pytest.mark.parametrize(
    ("wrong", "needs"),
    [
        (10, "45 audits above the threshold if none finds an error."),
        (51, "45 audits above the threshold if none finds an error, 184 at the 2.0% found"),
        (60, "45 audits above the threshold if none finds an error; but of the surer half"),
    ],
)
def test_audits_are_told_at_the_rate_seen(wrong: int, needs: str) -> None:
    assert _claims(replace(LEARNED, windows=[_window(1, None, wrong)]))["Certificate"].needs.startswith(needs)


def test_a_certificate_is_known_when_the_last_window_released_labels() -> None:
    passed = [_window(2, 0.9, 0), _window(1, None, 60)]
    assert _claims(replace(LEARNED, windows=passed))["Certificate"].holds
    assert not _claims(replace(LEARNED, windows=passed[::-1]))["Certificate"].holds


def test_the_ledger_tells_after_enough_releases() -> None:
    windows = [_window(2, 0.9, 0), _window(1, 0.9, 0)]
    young = replace(LEARNED, windows=windows, ledger=LedgerRecord(released=5_000, p=0.01))
    ledger = _claims(young)["Ledger"]
    assert ledger.want == 7_680
    assert ledger.needs.startswith("2,680 more released labels whose audits are in, about 3 windows")
    assert _claims(replace(young, ledger=LedgerRecord(released=7_680, p=0.01)))["Ledger"].holds


def test_people_are_known_beside_an_expert() -> None:
    bob = PersonRecord("bob", "crowd", 40, {"expert": 12, "crowd": 30})
    eve = PersonRecord("eve", "crowd", 40, {"expert": 3, "crowd": 30})
    people = _claims(replace(LEARNED, people=[bob, eve]))["People"]
    assert people.said.startswith("How good eve is;")
    assert (people.have, people.want) == (1, 2)
    assert _claims(replace(LEARNED, people=[bob]))["People"].holds
    assert "People" not in _claims(LEARNED)


def test_somebody_who_answers_in_two_tiers_is_known_in_each_by_himself() -> None:
    known = PersonRecord("bob", "crowd", 40, {"expert": 12})
    elsewhere = replace(known, tier="students", beside={"expert": 3})
    people = _claims(replace(LEARNED, people=[known, elsewhere]))["People"]
    assert people.said.startswith("How good bob is;")
    assert (people.have, people.want) == (1, 2)


def test_of_many_people_the_first_are_named() -> None:
    many = [PersonRecord(f"p{number}", "crowd", 1) for number in range(9)]
    said = _claims(replace(LEARNED, people=many))["People"].said
    assert said.startswith("How good p0, p1, p2, p3, p4, p5 and 3 others are;")


def test_experts_are_known_beside_each_other() -> None:
    pair = [PersonRecord(name, "expert", 50, {"expert": 10}) for name in ("ann", "joe")]
    assert _claims(replace(LEARNED, people=pair))["Experts"].holds
    alone = _claims(replace(LEARNED, people=[PersonRecord("ann", "expert", 50)]))["Experts"]
    assert "audit_protocol: double" in alone.needs


def test_random_draws_are_asked_first() -> None:
    audits = QueueDepth("expert", Purpose.AUDIT, 3, 1, 9, 0.0)
    settling = QueueDepth("crowd", Purpose.SETTLE, 7, 0, 9, 0.0)
    assert "4 audits and random draws wait, before 7 other questions" in asked_first([audits, settling])
    assert asked_first([settling]) == ""
