"""Forecasts of what money would buy, against what it then buys."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from daemon.core.routing import Candidates, Purse, route
from models.arrays import F8, I8
from models.cost import risk, zero_one
from models.forecast import Choose, forecast
from models.value import Asker, of_accuracy, told

LLM = Asker("llm", 0.01, of_accuracy(0.85, 3), first=True)
CROWD = Asker("crowd", 0.05, of_accuracy(0.75, 3), 5)
EXPERT = Asker("expert", 0.6, of_accuracy(0.98, 3), final=True)
ASKERS = (LLM, CROWD, EXPERT)


def sample(n: int = 600, seed: int = 1) -> tuple[F8, I8]:
    """Calibrated posteriors and labels that follow them."""
    random = np.random.default_rng(seed)
    posterior = random.dirichlet(np.full(3, 0.3), n)
    truth = (posterior.cumsum(axis=1) < random.random((n, 1))).sum(axis=1)
    return posterior, truth


def router(askers: tuple[Asker, ...]) -> Choose:
    def choose(posterior: F8, answered: I8, money: float | None) -> I8:
        final = np.array([asker.final for asker in askers])
        items = Candidates(
            posterior,
            answered,
            np.zeros_like(answered),
            may_ask=~answered[:, final].any(axis=1),
            doubtful=posterior.max(axis=1) < 0.9,
        )
        return route(items, askers, Purse((None,) * len(askers), money)).ask

    return choose


def sure(posterior: F8) -> np.ndarray:
    return posterior.max(axis=1) >= 0.9


def nobody(posterior: F8, answered: I8, money: float | None) -> I8:
    return np.zeros_like(answered)


def play(
    choose: Choose, posterior: F8, truth: I8, askers: tuple[Asker, ...], money: float, seed: int
) -> float:
    """Accuracy that the same router really reaches, with answers to the true labels."""
    random = np.random.default_rng(seed)
    answered = np.zeros((len(truth), len(askers)), np.int64)
    now = posterior.copy()
    while (votes := choose(now, answered, money)).any():
        for tier, asker in enumerate(askers):
            rows = np.flatnonzero(votes[:, tier])
            said = [random.choice(len(asker.likelihood), p=asker.likelihood[:, truth[row]]) for row in rows]
            now[rows] = told(now[rows], asker, np.array(said, np.int64))
        answered += votes
        money -= float((votes @ [asker.price for asker in askers]).sum())
    return float((now.argmax(axis=1) == truth).mean())


def test_without_money_it_is_what_is_known_now() -> None:
    posterior, _ = sample()
    result = forecast(posterior, (ASKERS,), nobody, 0.0, sure)
    assert result.accuracy == pytest.approx(1 - risk(posterior).mean())
    assert result.certified == pytest.approx(sure(posterior).mean())
    assert (result.cost, result.people) == (0, 0)
    assert result.votes == {"llm": 0, "crowd": 0, "expert": 0}
    assert forecast(posterior, (ASKERS,), router(ASKERS), 0.0, sure) == result


@pytest.mark.parametrize("each", [0.02, 0.06, 0.15])
def test_what_is_forecast_comes_true(each: float) -> None:
    posterior, truth = sample(1_500)
    expected = forecast(posterior, (ASKERS,), router(ASKERS), each * len(truth), sure, draws=2)
    reached = [play(router(ASKERS), posterior, truth, ASKERS, each * len(truth), seed) for seed in range(3)]
    assert expected.accuracy == pytest.approx(np.mean(reached), abs=0.015)
    assert expected.cost <= each + 1e-9
    assert expected.cost > 0.6 * each


def test_more_money_buys_more_until_everything_is_known() -> None:
    posterior, _ = sample()
    results = [
        forecast(posterior, (ASKERS,), router(ASKERS), each * 600, sure, draws=3)
        for each in (0, 0.02, 0.06, 1)
    ]
    accuracies = [result.accuracy for result in results]
    assert accuracies == sorted(accuracies)
    assert accuracies[-1] > 0.97
    assert results[-1].people > results[1].people > 0


def test_the_bill_is_the_votes_at_their_prices() -> None:
    posterior, _ = sample()
    result = forecast(posterior, (ASKERS,), router(ASKERS), 60.0, sure)
    prices = {asker.name: asker.price for asker in ASKERS}
    assert result.cost == pytest.approx(sum(prices[name] * votes for name, votes in result.votes.items()))
    assert result.votes["llm"] == 1
    assert result.certified + result.people <= 1


def test_without_a_limit_it_asks_until_nothing_is_doubtful() -> None:
    posterior, _ = sample(200)
    last = np.empty(0)

    def watch(now: F8, answered: I8, money: float | None) -> I8:
        nonlocal last
        last = now
        return router(ASKERS)(now, answered, money)

    result = forecast(posterior, (ASKERS,), watch, None, sure)
    assert sure(last).all()
    assert result.certified + result.people == pytest.approx(1)


def test_the_seed_decides_and_costs_count() -> None:
    posterior, _ = sample()
    run = partial(forecast, posterior, (ASKERS,), router(ASKERS), 30.0, sure)
    assert run(seed=4) == run(seed=4)
    assert run(seed=4) != run(seed=5)
    dear = forecast(posterior, (ASKERS,), nobody, 0.0, sure, cost=5 * zero_one(3))
    assert 1 - dear.accuracy == pytest.approx(5 * risk(posterior).mean())


def facet_askers(crowd: float) -> tuple[Asker, ...]:
    return (
        Asker("llm", 0.01, of_accuracy(0.85, 2), first=True),
        Asker("crowd", 0.05, of_accuracy(crowd, 2), 5),
        Asker("expert", 0.6, of_accuracy(0.98, 2), final=True),
    )


FACETS = (facet_askers(0.95), facet_askers(0.7), facet_askers(0.8))


def set_sample(n: int = 400) -> F8:
    """(n, 3 * 2) of three classes."""
    yes = np.random.default_rng(2).beta(0.4, 0.8, (n, 3))
    return np.stack([1 - yes, yes], axis=2).reshape(n, 6)


def all_right(posterior: F8) -> F8:
    return posterior.reshape(-1, 3, 2).max(axis=2).prod(axis=1)


def sure_of_all(posterior: F8) -> np.ndarray:
    return all_right(posterior) >= 0.9


def test_a_set_is_right_if_all_its_classes_are() -> None:
    posterior = set_sample()
    result = forecast(posterior, FACETS, nobody, 0.0, sure_of_all)
    assert result.accuracy == pytest.approx(all_right(posterior).mean())
    assert result.certified == pytest.approx(sure_of_all(posterior).mean())


def test_one_answer_tells_about_every_class_and_is_paid_once() -> None:
    """Of each class as much as its own tables say: an expert leaves the error of all three."""
    posterior = set_sample()

    def expert_once(posterior: F8, answered: I8, money: float | None) -> I8:
        return (answered == 0) * np.array([0, 0, 1])

    result = forecast(posterior, FACETS, expert_once, None, sure_of_all)
    assert result.cost == pytest.approx(0.6)
    assert result.votes["expert"] == 1
    assert result.accuracy == pytest.approx(0.98**3)

    def crowd_twice(posterior: F8, answered: I8, money: float | None) -> I8:
        return (answered < 2) * np.array([0, 1, 0])

    better = forecast(posterior, FACETS, crowd_twice, None, sure_of_all).accuracy
    even = forecast(posterior, (FACETS[1],) * 3, crowd_twice, None, sure_of_all).accuracy
    assert all_right(posterior).mean() < even < better


def test_classes_that_nothing_is_asked_of_stay_as_they_are() -> None:
    """An asker who says nothing of two classes moves the third alone."""
    mute = (replace(FACETS[0][1], likelihood=np.full((2, 2), 0.5)),)
    speaking = (replace(FACETS[0][1], likelihood=of_accuracy(0.99, 2)),)

    def once(posterior: F8, answered: I8, money: float | None) -> I8:
        return (answered == 0).astype(np.int64)

    seen: list[F8] = []

    def watch(posterior: F8) -> np.ndarray:
        seen.append(posterior)
        return sure_of_all(posterior)

    posterior = set_sample()
    forecast(posterior, (mute, speaking, mute), once, None, watch)
    np.testing.assert_allclose(seen[-1][:, [0, 1, 4, 5]], posterior[:, [0, 1, 4, 5]])
    assert np.abs(seen[-1][:, 2:4] - posterior[:, 2:4]).max() > 0.1


def test_costs_of_errors_are_refused_for_sets() -> None:
    with pytest.raises(ValueError, match="one class an item"):
        forecast(set_sample(), FACETS, nobody, 0.0, sure_of_all, cost=zero_one(2))
