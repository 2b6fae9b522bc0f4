"""The routing benchmark buys what it says it buys."""

import numpy as np
import pytest

from benchmarks.routing import above_peer
from benchmarks.routing_play import CROWD, EXPERT, PRICES, Play
from benchmarks.routing_policies import PEERS, WHOLE, expected, ours
from benchmarks.routing_stream import RANKS, day
from benchmarks.routing_worlds import NAMELESS, World, drawn, people
from daemon.core.answer_votes import FEWEST_ANSWERS
from models.votes import Votes

ALL = {"ours": ours, **PEERS}


def world(n: int = 60, recorded: bool = False) -> World:
    random = np.random.default_rng(4)
    truth = random.integers(0, 2, n)
    empty = np.empty(0, np.int64)
    votes = None
    if recorded:
        row = np.repeat(np.arange(n), 7)
        said = np.where(random.random(len(row)) < 0.7, truth[row], 1 - truth[row])
        votes = Votes.from_table(row, np.tile(np.arange(7), n), said, 2)[0]
    return World("small", truth, 2, Votes(n, (), (), empty, empty, empty), votes)


def start(seed: int = 0, gold: int = 0) -> Play:
    return Play(world(), world().answers(seed), "hbcc", seed, gold)


def test_a_recorded_vote_is_never_drawn_twice() -> None:
    # every worker says something else about the item
    recorded = Votes.from_table(np.zeros(5, int), np.arange(5), np.arange(5), 5)[0]
    said, who = drawn(recorded, 5, np.random.default_rng(1))
    assert sorted(said[0].tolist()) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(who, said, err_msg="each under the name of who said it")
    assert drawn(recorded, 7, np.random.default_rng(1))[0][0].tolist().count(-1) == 2


def test_who_answered_seldom_speaks_as_one_of_the_crowd() -> None:
    who = np.array([5] * FEWEST_ANSWERS + [2, NAMELESS])
    votes = people(np.arange(len(who)), np.zeros(len(who), int), who, len(who), 2)
    assert votes.annotators == ("tier:crowd", "tier:crowd@5")
    assert votes.annotator.tolist() == [1] * FEWEST_ANSWERS + [0, 0]


def test_who_is_simulated_is_as_right_as_said_and_every_policy_hears_the_same() -> None:
    many = world(20_000)
    answers = many.answers(3)
    for tier, right in (("llm", 0.90), ("crowd", 0.85), ("expert", 0.98)):
        assert (answers[tier] == many.truth[:, None]).mean() == pytest.approx(right, abs=0.01)
        np.testing.assert_array_equal(answers[tier], many.answers(3)[tier])
    same = (answers["crowd"][:, 0] == many.truth) & (answers["crowd"][:, 1] == many.truth)
    assert same.mean() > 0.85**2 + 0.02  # items differ in difficulty


def test_items_come_in_an_order_of_chance_and_keep_what_was_said_of_them() -> None:
    known = world(recorded=True)
    first, again, other = known.shuffled(1), known.shuffled(1), known.shuffled(2)
    np.testing.assert_array_equal(first.truth, again.truth)
    assert (first.truth != other.truth).any()
    assert (first.truth != known.truth).any()

    def said(one: World) -> list[tuple[int, int, int]]:
        """True label and votes of either label, of every item."""
        assert one.recorded is not None
        counts = np.zeros((len(one.truth), 2), int)
        np.add.at(counts, (one.recorded.row, one.recorded.symbol), 1)
        return sorted(zip(one.truth.tolist(), *counts.T.tolist(), strict=True))

    assert said(first) == said(other) == said(known)


@pytest.mark.parametrize("name", list(ALL))
def test_no_policy_spends_more_than_it_has(name: str) -> None:
    play = start()
    for money in (1.0, 4.0, 9.0):
        ALL[name](play, money)
        assert play.spent <= money + 1e-9
        assert play.spent == pytest.approx(float((play.answered @ PRICES).sum()))
    assert (play.answered <= [1, 5, 1]).all()


def test_an_experts_answer_is_the_label_and_gold_costs_nothing() -> None:
    play = start(gold=10)
    assert play.spent == 0
    assert play.answered[:, EXPERT].sum() == 10
    play.buy(np.flatnonzero(play.can_ask(EXPERT)), EXPERT)
    said = world().answers(0)["expert"][:, 0]
    np.testing.assert_array_equal(play.posterior.argmax(axis=1), said)
    assert not play.can_ask(CROWD).any()


def test_asking_everybody_costs_what_it_costs() -> None:
    for name, price in (("all llm", 0.003), ("all crowd x3", 0.183), ("all expert", 0.603)):
        play = start()
        WHOLE[name](play, 0.0)
        assert play.spent / len(play) == pytest.approx(price)


@pytest.mark.parametrize("name", list(RANKS))
def test_a_day_keeps_within_its_budget_and_its_answers_come(name: str) -> None:
    accuracy, cost = day(world(recorded=True), RANKS[name], 0.12, "hbcc", 0)
    assert 0.003 < cost <= 0.12 + 1e-9
    assert accuracy > 0.8


def test_a_forecast_is_a_share_and_rises_with_money() -> None:
    little, much = (expected(start(), budget) for budget in (0.01, 0.5))
    assert 0.5 < little < much <= 1


def test_an_interval_holds_the_difference_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    mine = random.normal(0.8, 0.02, (10, 400))
    above, noise = above_peer(mine, mine - random.normal(0.01, 0.03, (10, 400)), 1)
    assert np.mean(np.abs(above - 0.01) <= noise) == pytest.approx(0.95, abs=0.035)
    assert (above_peer(mine, mine - 0.01, 20)[1] < 1e-9).all()
