"""What becomes of an item, by what is known about it."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.core.askers import askers_of
from daemon.core.decide import decide as decided
from daemon.core.decide import draw_gold
from daemon.core.evidence import Evidence
from daemon.core.market import Market
from daemon.core.next_votes import priority_of
from daemon.core.policy import GOLD_PRIORITY, Policy
from daemon.core.routing import Candidates, Purse, route
from daemon.core.rows import Decision
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from daemon.core.states import ItemState, LabelStatus, Purpose
from models.bundle import Bundle
from models.cost import best_label

CROWD, EXPERT = 0, 1
POLICY = Policy(
    classes=("ham", "spam"),
    tiers={
        "expert": TierSettings(price=0.6, final=True, accuracy=0.98),
        "crowd": TierSettings(price=0.05, overlap=2),
    },
    guarantee=GuaranteeSettings(),
    routing=RoutingSettings(ask_below=0.9, max_windows=2),
)


def one(spam: float = 0.95, **changes: object) -> Evidence:
    """Evidence on one new item whose posterior for spam is given."""
    evidence = Evidence(
        posterior=np.array([[1 - spam, spam]], np.float32),
        scores=np.array([max(spam, 1 - spam)], np.float32),
        classifier=None,
        final=np.array([-1]),
        answered=np.zeros((1, 2), np.int64),
        wanted=np.zeros((1, 2), np.int64),
        people=np.array([False]),
        queued=np.array([-1]),
        priority=np.array([0.0]),
        drawn=np.array([False]),
        held=np.array([False]),
        sent_back=np.array([0]),
        revision=np.array([0]),
        before=np.array([-1]),
        states=[None],
    )
    return replace(evidence, **changes)  # type: ignore[arg-type]


def market(policy: Policy = POLICY, *spent: str) -> Market:
    """Whom to ask when votes count in full."""
    bundle = Bundle.from_priors(policy.classes, {name: tier.accuracy for name, tier in policy.tiers.items()})
    (only,) = bundle.members
    # as if something was learned of everybody: whom nobody knows counts half
    in_full = replace(bundle, members=(replace(only, temperature=1.0, tables=bundle.fallbacks),))
    return Market((askers_of(in_full, policy),), frozenset(spent))


def decide(evidence: Evidence, policy: Policy, bundle: int | None, *rest: object, **more: object) -> Decision:
    """With everybody solvent."""
    return decided(evidence, policy, bundle, market(policy), *rest, **more)  # type: ignore[arg-type]


def stored(spam: float, state: ItemState = ItemState.ASKING, before: int = 1, **changes: object) -> Evidence:
    return one(spam, states=[state], revision=np.array([1]), before=np.array([before]), **changes)


def test_a_sure_new_item_is_ready_and_published_as_provisional() -> None:
    decision = decide(one(0.95), POLICY, bundle=3)
    assert decision.states == [ItemState.READY]
    assert decision.labels.tolist() == [[1]]
    assert decision.publish.tolist() == [True]
    assert decision.status == [LabelStatus.PROVISIONAL]
    assert decision.asks == []
    assert decision.bundle == 3


def test_provisional_labels_can_be_held() -> None:
    held = replace(POLICY, guarantee=GuaranteeSettings(provisional="hold"))
    assert decide(one(0.95), held, 1).publish.tolist() == [False]
    human = decide(one(0.95, final=np.array([0])), held, 1)
    assert human.publish.tolist() == [True]


def test_provisional_labels_may_go_out_from_a_score_on() -> None:
    accepted = replace(POLICY, guarantee=GuaranteeSettings(provisional="accepted"))
    for least, published in [(0.9, True), (0.96, False), (float("inf"), False), (None, False)]:
        assert decide(one(0.95), accepted, 1, accepted_from=least).publish.tolist() == [published]
    human = decide(one(0.95, final=np.array([0])), accepted, 1)
    assert human.publish.tolist() == [True]
    turned = decide(stored(0.05, before=1), accepted, 1, accepted_from=0.99)
    assert turned.publish.tolist() == [True], "readers who have a label are told of the next"


def test_a_doubtful_item_is_asked_where_a_vote_is_worth_most_for_its_whole_overlap() -> None:
    decision = decide(one(0.6), POLICY, 1)
    assert decision.states == [ItemState.ASKING]
    assert [(ask.tier, ask.purpose) for ask in decision.asks] == [("crowd", Purpose.SETTLE)] * 2
    nothing = np.zeros((1, 2), np.int64)
    items = Candidates(np.array([[0.4, 0.6]]), nothing, nothing, np.array([True]), np.array([True]))
    worth = route(items, market().askers, Purse((None, None))).worth
    assert decision.asks[0].priority == pytest.approx(float(priority_of(worth)[0]), rel=1e-5)
    assert decision.asks[0].price == 50_000


def test_a_crowd_that_is_hardly_better_than_chance_is_left_out() -> None:
    poor = replace(POLICY, tiers={**POLICY.tiers, "crowd": TierSettings(price=0.05, accuracy=0.51)})
    assert [ask.tier for ask in decide(one(0.6), poor, 1).asks] == ["expert"]


def test_a_random_draw_asks_the_final_tier_whatever_the_score() -> None:
    decision = decide(one(0.99), POLICY, 1, np.array([True]))
    assert decision.states == [ItemState.ASKING]
    assert [(ask.tier, ask.purpose, ask.priority) for ask in decision.asks] == [
        ("expert", Purpose.GOLD, GOLD_PRIORITY)
    ]


def test_a_final_answer_is_the_label_and_withdraws_the_rest() -> None:
    decision = decide(stored(0.99, final=np.array([0])), POLICY, 1)
    assert decision.states == [ItemState.HUMAN]
    assert decision.labels.tolist() == [[0]]
    assert decision.posterior[0].tolist() == pytest.approx([0.98, 0.02])
    assert decision.withdraw.tolist() == [True]
    assert decision.publish.tolist() == [True]
    assert decision.status == [LabelStatus.HUMAN]


def test_crowd_answers_that_make_it_sure_finish_the_item() -> None:
    decision = decide(by_crowd(0.95, 1), POLICY, 1)
    assert decision.states == [ItemState.HUMAN]
    assert decision.asks == []
    assert decision.withdraw.tolist() == [True], "what was asked besides is wanted no more"


def by_crowd(spam: float, answers: int, **changes: object) -> Evidence:
    return stored(spam, answered=np.array([[answers, 0]]), people=np.array([True]), **changes)


def test_one_crowd_answer_does_not_end_a_doubtful_item() -> None:
    for spam in (0.6, 0.89):
        more = decide(by_crowd(spam, 1), POLICY, 1)
        assert more.states == [ItemState.ASKING]
        assert [ask.purpose for ask in more.asks] == [Purpose.ADJUDICATE], "one vote at a time"


def test_when_the_crowd_has_said_enough_the_expert_is_asked() -> None:
    votes = POLICY.tiers["crowd"].most_votes
    assert [ask.tier for ask in decide(by_crowd(0.6, votes - 1), POLICY, 1).asks] == ["crowd"]
    assert [ask.tier for ask in decide(by_crowd(0.6, votes), POLICY, 1).asks] == ["expert"]
    waiting = decide(by_crowd(0.6, votes, wanted=np.array([[0, 1]])), POLICY, 1)
    assert waiting.states == [ItemState.ASKING]
    assert waiting.asks == []


def queued(spam: float, tier: int, priority: float, **changes: object) -> Evidence:
    """A question of the tier waits for the item, and nobody looks at it."""
    wanted = np.zeros((1, 2), np.int64)
    wanted[0, tier] = 1
    return stored(spam, wanted=wanted, queued=np.array([tier]), priority=np.array([priority]), **changes)


def test_a_question_moves_in_its_queue_when_its_worth_has_changed() -> None:
    asked = decide(one(0.6), POLICY, 1).asks[0].priority
    stays = decide(queued(0.6, CROWD, asked), POLICY, 1)
    assert (stays.states, stays.asks, list(stays.reprices)) == ([ItemState.ASKING], [], [])
    assert stays.withdraw.tolist() == [False]
    moved = decide(queued(0.8, CROWD, asked), POLICY, 1)
    assert (moved.asks, moved.withdraw.tolist()) == ([], [False])
    assert [one.row for one in moved.reprices] == [0]
    assert moved.reprices[0].priority < asked
    worth = asked / (GOLD_PRIORITY - asked) * 1.1
    nearly = GOLD_PRIORITY * worth / (1 + worth)
    assert list(decide(queued(0.6, CROWD, nearly), POLICY, 1).reprices) == []


def test_a_question_is_withdrawn_for_another_tier_that_is_worth_more() -> None:
    decision = decide(queued(0.6, EXPERT, 3.0), POLICY, 1)
    assert decision.states == [ItemState.ASKING]
    assert decision.withdraw.tolist() == [True]
    assert {ask.tier for ask in decision.asks} == {"crowd"}
    looked_at = decide(queued(0.6, EXPERT, 3.0, held=np.array([True])), POLICY, 1)
    assert (looked_at.asks, looked_at.withdraw.tolist()) == ([], [False])


def test_a_tier_without_money_is_left_out_where_another_is_worth_anything() -> None:
    solvent = decided(one(0.6), POLICY, 1, market(POLICY, "crowd"))
    assert [ask.tier for ask in solvent.asks] == ["expert"]
    waits = decided(one(0.6), POLICY, 1, market(POLICY, "crowd", "expert"))
    assert waits.states == [ItemState.ASKING]
    assert {ask.tier for ask in waits.asks} == {"crowd"}, "for the money of the next day"
    used_up = by_crowd(0.6, POLICY.tiers["crowd"].most_votes)
    assert [ask.tier for ask in decided(used_up, POLICY, 1, market(POLICY, "expert")).asks] == ["expert"]
    stands = decided(queued(0.6, CROWD, 5.0), POLICY, 1, market(POLICY, "expert"))
    assert (stands.asks, stands.withdraw.tolist()) == ([], [False])


def test_every_doubtful_item_has_a_question_or_is_ready() -> None:
    """Whatever was asked, answered and spent: nothing is forgotten."""
    random = np.random.default_rng(7)
    for spam in random.random(60):
        answered = np.array([[random.integers(0, 6), 0]])
        evidence = stored(float(spam), answered=answered, people=answered[:, 0] > 0)
        spent = [name for name in POLICY.tiers if random.random() < 0.5]
        decision = decided(evidence, POLICY, 1, market(POLICY, *spent))
        assert bool(decision.asks) == (decision.states == [ItemState.ASKING])


def test_what_became_sure_leaves_the_queue_unless_somebody_is_looking() -> None:
    sure = queued(0.95, CROWD, 5.0)
    free = decide(sure, POLICY, 1)
    assert free.states == [ItemState.READY]
    assert free.withdraw.tolist() == [True]
    looking = decide(replace(sure, held=np.array([True])), POLICY, 1)
    assert looking.states == [ItemState.ASKING]
    assert looking.withdraw.tolist() == [False]


def test_an_open_random_draw_is_never_withdrawn_or_overtaken() -> None:
    decision = decide(stored(0.99, drawn=np.array([True])), POLICY, 1)
    assert decision.states == [ItemState.ASKING]
    assert decision.withdraw.tolist() == [False]
    assert decision.asks == []


def test_what_windows_sent_back_often_enough_goes_to_people() -> None:
    once = decide(stored(0.95, sent_back=np.array([1])), POLICY, 1)
    assert once.states == [ItemState.READY]
    twice = decide(stored(0.95, sent_back=np.array([2])), POLICY, 1)
    assert twice.states == [ItemState.ASKING]
    assert len(twice.asks) > 0
    answered = decide(by_crowd(0.95, 1, sent_back=np.array([2])), POLICY, 1)
    assert answered.states == [ItemState.HUMAN]


def test_nothing_new_is_not_published_again_but_a_turned_label_is() -> None:
    same = decide(stored(0.95, ItemState.READY), POLICY, 1)
    assert same.publish.tolist() == [False]
    turned = decide(stored(0.95, ItemState.READY, before=0), POLICY, 1)
    assert turned.publish.tolist() == [True]
    assert turned.status == [LabelStatus.PROVISIONAL]


def test_a_certified_item_stays_until_a_person_speaks() -> None:
    assert decide(stored(0.2, ItemState.CERTIFIED), POLICY, 1).states == [ItemState.CERTIFIED]
    told = decide(stored(0.95, ItemState.CERTIFIED, final=np.array([0])), POLICY, 1)
    assert told.states == [ItemState.HUMAN]
    assert told.publish.tolist() == [True]


def test_without_a_crowd_the_final_tier_is_asked_once() -> None:
    alone = replace(POLICY, tiers={"expert": TierSettings(final=True, overlap=3)})
    evidence = one(0.6, answered=np.zeros((1, 1), np.int64), wanted=np.zeros((1, 1), np.int64))
    assert [ask.tier for ask in decide(evidence, alone, 1).asks] == ["expert"]


def test_before_anything_is_learned_only_random_draws_are_asked() -> None:
    waiting = decide(one(0.6), POLICY, None)
    assert waiting.states == [ItemState.READY]
    assert waiting.asks == []
    assert waiting.publish.tolist() == [True]
    drawn = decide(one(0.6), POLICY, None, np.array([True]))
    assert [ask.purpose for ask in drawn.asks] == [Purpose.GOLD]
    without_cold_start = replace(POLICY, guarantee=GuaranteeSettings(cold_start_gold=0))
    assert len(decide(one(0.6), without_cold_start, None).asks) == 2


def test_gold_draws_are_random_capped_and_not_from_the_head() -> None:
    generator = np.random.default_rng(5)
    draws = [draw_gold(1_000, 20, 0.5, generator.random) for _ in range(50)]
    assert all(mask.sum() == 20 for mask in draws)
    assert 400 < np.mean([np.flatnonzero(mask).mean() for mask in draws]) < 600
    assert draw_gold(10, 0, 1.0, generator.random).sum() == 0
    assert draw_gold(10, -5, 1.0, generator.random).sum() == 0


def released(spam: float, before: int = 0, **changes: object) -> Evidence:
    return stored(spam, ItemState.CERTIFIED, before=before, **changes)


def test_a_released_label_that_turned_is_provisional_again() -> None:
    decision = decide(released(0.97), POLICY, 2)
    assert decision.states == [ItemState.READY]
    assert decision.labels.tolist() == [[1]]
    assert decision.publish.tolist() == [True]
    assert decision.status == [LabelStatus.PROVISIONAL]


@pytest.mark.parametrize("spam", [0.03, 0.5, 0.8])
def test_a_released_label_stands_while_nothing_better_is_sure(spam: float) -> None:
    decision = decide(released(spam), POLICY, 2)
    assert decision.states == [ItemState.CERTIFIED]
    assert decision.labels.tolist() == [[0]]
    assert decision.publish.tolist() == [False]


def test_an_expert_overrules_a_released_label() -> None:
    decision = decide(released(0.03, final=np.array([1])), POLICY, 2)
    assert decision.states == [ItemState.HUMAN]
    assert decision.labels.tolist() == [[1]]
    assert decision.publish.tolist() == [True]


def test_corrections_beyond_the_limit_wait() -> None:
    decision = decide(released(0.97), POLICY, 2, corrections=0)
    assert decision.states == [ItemState.CERTIFIED]
    assert decision.labels.tolist() == [[0]]
    assert list(decision.later) == [0]


def test_an_item_that_follows_another_of_its_subject_is_not_asked() -> None:
    decision = decide(stored(0.6, follows=np.array([True])), POLICY, 2)
    assert decision.states == [ItemState.ASKING]
    assert decision.asks == []


DEAR = replace(POLICY, routing=RoutingSettings(ask_below=0.9, costs={"spam": {"ham": 30.0}}))
"""Spam that gets through costs thirty times as much as a message that is lost."""


def test_the_label_is_the_one_of_least_expected_cost() -> None:
    assert decide(one(0.05), POLICY, 1).labels.tolist() == [[0]]
    assert decide(one(0.05), DEAR, 1).labels.tolist() == [[1]]
    assert decide(one(0.01), DEAR, 1).labels.tolist() == [[0]]


def test_the_score_of_a_careful_label_is_the_chance_that_it_is_right() -> None:
    decision = decide(one(0.05), DEAR, 1)
    assert decision.scores.tolist() == pytest.approx([0.05])
    assert decision.states == [ItemState.ASKING]


def test_a_rating_is_the_step_that_is_least_away() -> None:
    scale = replace(POLICY, classes=("1", "2", "3"), kind="rating")
    dear = replace(scale, routing=RoutingSettings(costs={"3": {"1": 9.0}}))
    assert best_label(np.array([[0.4, 0.25, 0.35]]), scale.cost).tolist() == [1]
    assert best_label(np.array([[0.4, 0.25, 0.35]]), replace(scale, kind="classification").cost).tolist() == [
        0
    ]
    assert dear.cost is not None and dear.cost[0].tolist() == [0.0, 1.0, 9.0], "what is stated goes first"


def test_an_expert_is_right_whatever_it_costs() -> None:
    assert decide(one(0.05, final=np.array([0])), DEAR, 1).labels.tolist() == [[0]]


LLM = 0
WITH_LLM = replace(
    POLICY, tiers={**POLICY.tiers, "llm": TierSettings(price=0.003, accuracy=0.85, max_votes=1, first=True)}
)


def three(spam: float, **changes: object) -> Evidence:
    counts = {"answered": np.zeros((1, 3), np.int64), "wanted": np.zeros((1, 3), np.int64)}
    return one(spam, **{**counts, **changes})


@pytest.mark.parametrize("spam", [0.5, 0.99])
def test_every_item_gets_its_cheap_first_vote(spam: float) -> None:
    decision = decide(three(spam), WITH_LLM, 1)
    assert decision.states == [ItemState.ASKING]
    assert [(ask.tier, ask.purpose) for ask in decision.asks] == [("llm", Purpose.SETTLE)]
    assert 9.9 < decision.asks[0].priority < GOLD_PRIORITY
    waits = three(spam, queued=np.array([LLM]), wanted=np.array([[1, 0, 0]]), priority=np.array([9.99999999]))
    stays = decide(waits, WITH_LLM, 1)
    assert (stays.states, stays.asks, stays.withdraw.tolist()) == ([ItemState.ASKING], [], [False])
    assert list(stays.reprices) == []


def test_a_first_vote_is_no_persons_so_that_a_window_may_pass_the_label() -> None:
    voted = np.array([[1, 0, 0]])
    assert decide(three(0.99, answered=voted), WITH_LLM, 1).states == [ItemState.READY]
    doubtful = decide(three(0.6, answered=voted), WITH_LLM, 1)
    assert [(ask.tier, ask.purpose) for ask in doubtful.asks] == [("crowd", Purpose.SETTLE)] * 2


def test_items_do_not_wait_for_a_first_vote_that_cannot_be_paid() -> None:
    poor = market(WITH_LLM, "llm")
    assert decided(three(0.99), WITH_LLM, 1, poor).states == [ItemState.READY]
    assert {ask.tier for ask in decided(three(0.6), WITH_LLM, 1, poor).asks} == {"crowd"}
    waiting = three(0.99, queued=np.array([LLM]), wanted=np.array([[1, 0, 0]]))
    assert decided(waiting, WITH_LLM, 1, poor).withdraw.tolist() == [True]


def test_before_anything_is_learned_no_first_votes_are_asked() -> None:
    assert decide(three(0.6), WITH_LLM, None).states == [ItemState.READY]


def test_questions_of_language_models_take_no_money_their_calls_do() -> None:
    tiers = {**POLICY.tiers, "llm": TierSettings(price=0.003, accuracy=0.85, backend="llm", when="always")}
    (ask,) = decide(three(0.6), replace(POLICY, tiers=tiers), 1).asks
    assert (ask.tier, ask.price) == ("llm", 0)


def test_a_doubtful_item_leaves_the_queue_of_a_tier_without_money() -> None:
    tiers = {**POLICY.tiers, "llm": TierSettings(price=0.003, accuracy=0.85, backend="llm")}
    policy = replace(POLICY, tiers=tiers)
    waiting = three(0.6, queued=np.array([LLM]), wanted=np.array([[1, 0, 0]]), priority=np.array([9.0]))
    stays = decide(waiting, policy, 1)
    assert (stays.asks, stays.withdraw.tolist()) == ([], [False])
    leaves = decided(waiting, policy, 1, market(policy, "llm"))
    assert ({ask.tier for ask in leaves.asks}, leaves.withdraw.tolist()) == ({"crowd"}, [True])
