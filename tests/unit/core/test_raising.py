"""Which items go up a tier whatever an answer is worth."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from daemon.core.askers import askers_of
from daemon.core.decide import decide
from daemon.core.evidence import of_stored
from daemon.core.market import Market
from daemon.core.policy import Policy
from daemon.core.raising import lots, lots_for, raised_to
from daemon.core.rows import Answer, OpenItem, Wanted
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.states import AnnotatorKind, ItemState, Purpose, QuestionState
from models.bundle import Bundle

TIERS = {
    "llm": TierSettings(price=0.01, backend="llm"),
    "crowd": TierSettings(price=0.05, escalate_below=0.7, overlap=3, max_votes=9),
    "expert": TierSettings(price=0.6, final=True, accuracy=0.98),
}
LADDER = ("llm", "crowd", "expert")
CROWD, EXPERT = 1, 2
POLICY = Policy(("ham", "spam"), TIERS, GuaranteeSettings(), RoutingSettings(ask_below=0.7))


def said(*labels: int, tier: str = "crowd", kind: AnnotatorKind = AnnotatorKind.PERSON) -> list[Answer]:
    return [
        Answer(place, f"{tier}{place}", kind, tier, Purpose.SETTLE, label, at=place)
        for place, label in enumerate(labels)
    ]


def item(
    answers: Sequence[Answer] = (), flagged: Sequence[str] = (), wanted: Sequence[Wanted] = ()
) -> OpenItem:
    return OpenItem(
        id="a",
        state=ItemState.ASKING,
        functions=1,
        inline=np.array([1, 1], np.int8),
        posterior=np.array([0.02, 0.98], np.float32),
        labels=np.array([1], np.int8),
        score=0.98,
        revision=1,
        sent_back=0,
        window=None,
        bundle=None,
        cost=0,
        payload=b'{"id": "a", "text": "x"}',
        answers=answers,
        flagged=flagged,
        wanted=wanted,
    )


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (item(), -1),
        (item(said(1, 1, 1)), -1),
        (item(said(1)), -1),
        (item(said(1, 0)), EXPERT),
        (item(said(1, 1, 0)), EXPERT),
        (item(said(1, 1, 1, 0)), -1),
        (item(said(1, 0, tier="llm", kind=AnnotatorKind.LLM)), -1),
        (item(flagged=["crowd"]), EXPERT),
        (item(flagged=["expert"]), -1),
        (item([*said(1, 0), *said(1, tier="expert")]), -1),
        (item(said(1, tier="expert"), flagged=["crowd"]), -1),
    ],
)
def test_items_go_up_by_disagreement_or_a_flag_until_somebody_above_has_answered(
    one: OpenItem, place: int
) -> None:
    assert raised_to([one], LADDER, TIERS).tolist() == [place]


def decided(one: OpenItem, policy: Policy = POLICY) -> tuple[list[tuple[str, Purpose]], list[bool]]:
    """Who is asked about it next, and whether open questions are withdrawn."""
    bundle = Bundle.from_priors(policy.classes, {name: tier.accuracy for name, tier in policy.tiers.items()})
    keys = ["function:f@1", "function:g@1"]
    evidence = of_stored(
        [one], np.zeros(1, np.int64), lambda _: keys, bundle, policy.ladder, policy.final_tiers
    )
    evidence = replace(
        evidence, raised=raised_to([one], policy.ladder, policy.tiers), lot=lots_for([one.id], policy.tiers)
    )
    decision = decide(evidence, policy, 1, Market((askers_of(bundle, policy),)))
    return [(ask.tier, ask.purpose) for ask in decision.asks], decision.withdraw.tolist()


def test_a_sure_item_that_was_flagged_is_asked_above_and_others_are_not() -> None:
    assert decided(item(said(1))) == ([], [True]), "sure: settled"
    assert decided(item(said(1), flagged=["crowd"]))[0] == [("expert", Purpose.ADJUDICATE)]


def test_what_waits_below_is_withdrawn_for_the_tier_above() -> None:
    waits = Wanted(3, "crowd", Purpose.SETTLE, QuestionState.OPEN, None)
    asked, withdrawn = decided(item(flagged=["crowd"], wanted=[waits]))
    assert [tier for tier, _ in asked] == ["expert"] and withdrawn == [True]


def test_several_are_asked_at_once_on_a_share_of_the_items() -> None:
    unsure = replace(item(), inline=np.array([-1, -1], np.int8))
    for share, count in ((1.0, 3), (0.0, 1)):
        crowd = replace(TIERS["crowd"], overlap_share=share)
        policy = replace(POLICY, tiers={"crowd": crowd, "expert": TIERS["expert"]})
        asked, _ = decided(replace(unsure, sent_back=9), policy)
        assert [tier for tier, _ in asked] == ["crowd"] * count


def test_lots_are_even_and_stay_the_same() -> None:
    ids = [f"item-{number}" for number in range(4_000)]
    drawn = lots(ids)
    assert ((drawn >= 0) & (drawn < 1)).all()
    assert abs((drawn < 0.3).mean() - 0.3) < 0.03
    np.testing.assert_array_equal(drawn, lots(ids))
