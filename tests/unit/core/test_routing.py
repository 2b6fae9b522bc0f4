"""Whom the router asks, and in which order it spends the money."""

import heapq
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.core.routing import Candidates, Purse, Routed, route
from models.cost import cost_matrix, risk
from models.look_ahead import looking_ahead
from models.value import Asker, gain, of_accuracy

LLM, CROWD, EXPERT = 0, 1, 2
UNLIMITED = Purse((None, None, None))


def tiers(k: int = 2, first: bool = True) -> list[Asker]:
    return [
        Asker("llm", 0.003, of_accuracy(0.85, k), 1, first=first),
        Asker("crowd", 0.06, of_accuracy(0.75, k), 5),
        Asker("expert", 0.6, of_accuracy(0.98, k), 1, final=True),
    ]


def candidates(
    posterior: np.ndarray, answered: tuple[int, int, int] = (1, 0, 0), below: float = 0.9
) -> Candidates:
    n = len(posterior)
    return Candidates(
        posterior=posterior,
        answered=np.tile(answered, (n, 1)),
        wanted=np.zeros((n, 3), np.int64),
        may_ask=np.ones(n, np.bool_),
        doubtful=posterior.max(axis=1) < below,
    )


def draw(seed: int, n: int = 60, k: int = 2) -> Candidates:
    random = np.random.default_rng(seed)
    return candidates(random.dirichlet(np.full(k, 0.4), n))


def two(*spam: float) -> np.ndarray:
    return np.array([[1 - one, one] for one in spam])


def asked(routed: Routed) -> list[int]:
    """Tier asked of each item, -1 for none."""
    return [int(row.argmax()) if row.any() else -1 for row in routed.ask]


def test_every_item_gets_its_cheap_first_vote_before_anything_else() -> None:
    items = candidates(two(0.5, 0.999, 0.3), answered=(0, 0, 0))
    routed = route(items, tiers(), Purse((None, None, None), total=0.009))
    assert asked(routed) == [LLM] * 3
    assert routed.cost == pytest.approx(0.009)
    assert np.isinf(routed.worth).all()
    assert asked(route(items, tiers(), UNLIMITED)) == [LLM] * 3
    assert asked(route(items, tiers(first=False), Purse((0.0, 0.0, 0.0)))) == [-1] * 3


def test_an_item_waits_for_its_open_question_and_others_may_not_be_asked() -> None:
    items = candidates(two(0.5, 0.5, 0.5))
    wanted = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    shut = replace(items, wanted=wanted, may_ask=np.array([True, True, False]))
    routed = route(shut, tiers(), UNLIMITED)
    assert asked(routed)[0] != -1
    assert asked(routed)[1:] == [-1, -1]
    assert routed.plan[1:].sum() == 0
    nobody = replace(items, may_ask=np.zeros(3, np.bool_))
    assert route(nobody, tiers(), UNLIMITED).ask.sum() == 0


def test_without_a_budget_doubtful_items_are_asked_of_the_best_tier_and_sure_ones_of_nobody() -> None:
    items = candidates(two(0.5, 0.8, 0.97))
    routed = route(items, tiers(), UNLIMITED)
    found = looking_ahead(items.posterior, tiers()[CROWD], tiers()[EXPERT])
    crowd = (found.gain / (0.06 * found.votes + 0.6 * found.finals)).max(axis=1)
    expert = (risk(items.posterior) - 0.02) / 0.6
    best = np.where(crowd > expert, CROWD, EXPERT)
    assert asked(routed)[:2] == best[:2].tolist()
    assert asked(routed)[2] == -1
    assert routed.worth[:2].tolist() == pytest.approx(np.maximum(crowd, expert)[:2].tolist())


def test_a_doubtful_item_that_no_vote_would_help_goes_to_the_last_tier() -> None:
    # as sure as an expert, but the score that decides (calibrated apart) is low
    items = replace(candidates(two(0.995)), doubtful=np.array([True]))
    poor = [
        Asker("crowd", 0.06, of_accuracy(0.55, 2), 5),
        Asker("expert", 0.6, of_accuracy(0.98, 2), final=True),
    ]
    short = replace(items, answered=np.zeros((1, 2), np.int64), wanted=np.zeros((1, 2), np.int64))
    assert route(short, poor, Purse((None, None))).ask.tolist() == [[0, 1]]
    spent = replace(short, answered=np.array([[0, 1]]))
    assert route(spent, poor, Purse((None, None))).ask.tolist() == [[1, 0]]


def test_with_a_budget_the_money_goes_where_it_is_worth_most() -> None:
    items = candidates(two(0.5, 0.55, 0.8, 0.95, 0.99))
    only = [Asker("crowd", 0.06, of_accuracy(0.75, 2), 1)]
    narrow = replace(items, answered=items.answered[:, :1] * 0, wanted=items.wanted[:, :1])
    routed = route(narrow, only, Purse((None,), total=0.12))
    assert asked(routed) == [0, 0, -1, -1, -1]
    worth = gain(items.posterior, only[0].likelihood) / 0.06
    assert routed.worth[:2].tolist() == pytest.approx(worth[:2].tolist())


def test_a_tier_without_money_leaves_the_items_to_the_others() -> None:
    items = candidates(two(0.5, 0.5, 0.5, 0.5))
    dear = [tiers()[0], replace(tiers()[1], price=0.5), replace(tiers()[2], price=0.1)]
    assert asked(route(items, dear, Purse((None, None, 9.0)))) == [EXPERT] * 4
    one_expert = route(items, dear, Purse((None, None, 0.1)))
    assert sorted(asked(one_expert)) == [CROWD, CROWD, CROWD, EXPERT]
    no_money = route(items, dear, Purse((0.0, 0.0, 0.0)))
    assert asked(no_money) == [-1] * 4


def test_no_tier_is_asked_more_often_than_it_may() -> None:
    items = candidates(two(0.5), answered=(1, 5, 0))
    assert asked(route(items, tiers(), UNLIMITED)) == [EXPERT]
    four = candidates(two(0.5), answered=(1, 4, 0))
    assert route(four, tiers(), Purse((None, None, 0.0), 60.0)).plan.tolist() == [[0, 1, 0]]
    full = candidates(two(0.5), answered=(1, 5, 1))
    assert asked(route(full, tiers(), UNLIMITED)) == [-1]


def test_votes_that_the_item_may_not_get_are_not_looked_ahead_to() -> None:
    # three more of the crowd could turn this label, one cannot
    crowd = [Asker("crowd", 0.06, of_accuracy(0.75, 2), 5)]
    items = replace(candidates(two(0.75)), wanted=np.zeros((1, 1), np.int64))
    three = route(replace(items, answered=np.array([[2]])), crowd, Purse((9.0,)))
    one = route(replace(items, answered=np.array([[4]])), crowd, Purse((9.0,)))
    assert (three.ask.sum(), one.ask.sum()) == (1, 0)


def test_a_purse_too_small_for_the_best_vote_is_saved() -> None:
    items = candidates(two(0.5))
    cheap_expert = [*tiers()[:2], replace(tiers()[2], price=0.07)]
    assert asked(route(items, cheap_expert, Purse((None,) * 3, 0.065))) == [-1]
    assert asked(route(items, cheap_expert, Purse((None,) * 3, 0.07))) == [EXPERT]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 100_000),
    k=st.integers(2, 4),
    total=st.floats(0, 12),
    crowd=st.none() | st.floats(0, 4),
    expert=st.none() | st.floats(0, 8),
)
def test_the_purse_is_never_overdrawn(
    seed: int, k: int, total: float, crowd: float | None, expert: float | None
) -> None:
    purse = Purse((None, crowd, expert), total)
    routed = route(draw(seed, k=k), tiers(k), purse)
    prices = np.array([tier.price for tier in tiers(k)])
    paid = routed.plan.sum(axis=0) * prices
    assert paid.sum() <= total + 1e-6
    for money, limit in zip(paid, purse.tiers, strict=True):
        assert limit is None or money <= limit + 1e-6
    assert routed.cost + routed.reserve == pytest.approx(paid.sum())
    assert (routed.ask.sum(axis=1) <= 1).all()
    assert (routed.ask <= routed.plan).all()
    assert ((routed.plan.sum(axis=1) > 0) == (routed.ask.sum(axis=1) > 0)).all()
    assert ((routed.worth > 0) == (routed.ask.sum(axis=1) > 0)).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000), money=st.floats(0, 60))
def test_it_buys_what_a_heap_would_buy(seed: int, money: float) -> None:
    """One tier, item by item: pop the best step from way to way, pay it, push the next one again."""
    items = draw(seed, n=30)
    crowd = Asker("crowd", 1.0, of_accuracy(0.8, 2), 3)
    narrow = replace(items, answered=np.zeros((30, 1), np.int64), wanted=np.zeros((30, 1), np.int64))
    found = looking_ahead(items.posterior, crowd)
    ways = [
        list(zip(*one, strict=True)) for one in zip(found.votes.tolist(), found.gain.tolist(), strict=True)
    ]

    def step(item: int, votes: float, gain: float) -> tuple[float, int, float, float]:
        ahead = [((more - gain) / (v - votes), v, more) for v, more in ways[item] if v > votes + 1e-12]
        worth, v, more = max(ahead, default=(0.0, 0.0, 0.0))
        return -worth, item, v, more

    heap = [step(item, 0.0, 0.0) for item in range(30)]
    heapq.heapify(heap)
    plan, left = np.zeros(30), money
    while heap:
        worth, item, votes, more = heapq.heappop(heap)
        if worth > -1e-9 or votes - plan[item] > left + 1e-9:
            break
        left -= votes - plan[item]
        plan[item] = votes
        heapq.heappush(heap, step(item, votes, more))
    routed = route(narrow, [crowd], Purse((None,), money))
    # whatever cannot be paid as a whole is begun
    begun = np.abs(routed.plan[:, 0] - plan) > 1e-6
    assert begun.sum() <= 1
    assert routed.plan[:, 0].sum() - plan.sum() <= left + 1e-6


def test_votes_on_fewer_items_are_finished_before_more_items_are_begun() -> None:
    """Labels right on .86, a crowd on .9: where it contradicts the label, money for a second vote is kept."""
    good = [tiers()[0], Asker("crowd", 0.06, of_accuracy(0.9, 2), 5), tiers()[2]]
    routed = route(candidates(np.tile([0.86, 0.14], (60, 1))), good, Purse((None,) * 3, 3.0))
    assert set(asked(routed)) == {CROWD, -1}
    assert 30 < asked(routed).count(CROWD) < 45  # 50 could be asked once
    assert routed.reserve > 0.4


def test_a_cheap_vote_tells_where_the_dear_one_is_needed() -> None:
    """Labels of the same doubt: the crowd is asked first, and the expert only where it disagrees."""
    items = candidates(np.tile([0.9, 0.1], (40, 1)))
    routed = route(items, tiers(), Purse((None,) * 3, 6.0))
    assert set(asked(routed)) <= {CROWD, -1}
    assert routed.plan[:, EXPERT].sum() > 1
    assert (routed.plan[:, EXPERT] < 0.5).all()
    after = np.array([[0.965, 0.035], [0.75, 0.25]])
    told = candidates(after, answered=(1, 5, 0))
    assert asked(route(told, tiers(), Purse((None,) * 3, 0.7))) == [-1, EXPERT]
    # nobody plans with an expert who cannot be paid
    assert route(items, tiers(), Purse((None, None, 0.0), 6.0)).plan[:, EXPERT].sum() == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000), small=st.floats(0, 6), more=st.floats(0, 6))
def test_more_money_asks_more(seed: int, small: float, more: float) -> None:
    items = draw(seed)
    poor = route(items, tiers(), Purse((None,) * 3, small))
    rich = route(items, tiers(), Purse((None,) * 3, small + more))
    assert rich.cost + rich.reserve >= poor.cost + poor.reserve - 0.6  # a dear vote may close its tier


def test_dear_errors_are_asked_about_first() -> None:
    items = candidates(two(0.3, 0.7))
    purse = Purse((0.0, 0.0, 0.6))
    cost = cost_matrix(("ham", "spam"), {"spam": {"ham": 20.0}})
    assert risk(items.posterior, cost).round(3).tolist() == [0.7, 0.3]
    assert asked(route(items, tiers(), purse, cost)) == [EXPERT, -1]


def test_order_of_items_changes_nothing_but_the_order() -> None:
    items = draw(5)
    turned = np.random.default_rng(0).permutation(60)
    moved = Candidates(*(getattr(items, name)[turned] for name in Candidates.__slots__))
    plain, other = (route(one, tiers(), Purse((None,) * 3, 4.0)) for one in (items, moved))
    np.testing.assert_array_equal(other.ask, plain.ask[turned])


def test_a_batch_takes_milliseconds() -> None:
    items = replace(draw(1, 512, 4), answered=np.zeros((512, 3), np.int64))
    times = []
    for _ in range(5):
        begun = time.process_time()
        route(items, tiers(4), Purse((None,) * 3, 25.0))
        times.append(time.process_time() - begun)
    assert min(times) < 0.05
