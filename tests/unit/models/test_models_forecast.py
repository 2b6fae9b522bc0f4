"""Forecasts of what money would buy, against what it then buys."""

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
    result = forecast(posterior, ASKERS, nobody, 0.0, sure)
    assert result.accuracy == pytest.approx(1 - risk(posterior).mean())
    assert result.certified == pytest.approx(sure(posterior).mean())
    assert (result.cost, result.people) == (0, 0)
    assert result.votes == {"llm": 0, "crowd": 0, "expert": 0}
    assert forecast(posterior, ASKERS, router(ASKERS), 0.0, sure) == result


@pytest.mark.parametrize("each", [0.02, 0.06, 0.15])
def test_what_is_forecast_comes_true(each: float) -> None:
    posterior, truth = sample(1_500)
    expected = forecast(posterior, ASKERS, router(ASKERS), each * len(truth), sure, draws=2)
    reached = [play(router(ASKERS), posterior, truth, ASKERS, each * len(truth), seed) for seed in range(3)]
    assert expected.accuracy == pytest.approx(np.mean(reached), abs=0.015)
    assert expected.cost <= each + 1e-9
    assert expected.cost > 0.6 * each


def test_more_money_buys_more_until_everything_is_known() -> None:
    posterior, _ = sample()
    results = [
        forecast(posterior, ASKERS, router(ASKERS), each * 600, sure, draws=3) for each in (0, 0.02, 0.06, 1)
    ]
    accuracies = [result.accuracy for result in results]
    assert accuracies == sorted(accuracies)
    assert accuracies[-1] > 0.97
    assert results[-1].people > results[1].people > 0


def test_the_bill_is_the_votes_at_their_prices() -> None:
    posterior, _ = sample()
    result = forecast(posterior, ASKERS, router(ASKERS), 60.0, sure)
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

    result = forecast(posterior, ASKERS, watch, None, sure)
    assert sure(last).all()
    assert result.certified + result.people == pytest.approx(1)


def test_the_seed_decides_and_costs_count() -> None:
    posterior, _ = sample()
    run = partial(forecast, posterior, ASKERS, router(ASKERS), 30.0, sure)
    assert run(seed=4) == run(seed=4)
    assert run(seed=4) != run(seed=5)
    dear = forecast(posterior, ASKERS, nobody, 0.0, sure, cost=5 * zero_one(3))
    assert 1 - dear.accuracy == pytest.approx(5 * risk(posterior).mean())
