"""What it is worth to begin to ask, when each answer says whether to go on."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cost import risk
from models.look_ahead import ALIKE, HORIZON, looking_ahead, votes_ahead
from models.value import Asker, final_risk, gain, of_accuracy, ways

EXPERT = Asker("expert", 0.6, of_accuracy(0.98, 2), final=True)


def crowd(right: float = 0.75, most: int = 5, price: float = 0.06) -> Asker:
    return Asker("crowd", price, of_accuracy(right, 2), most)


def of_spam(*spam: float) -> np.ndarray:
    return np.array([[1 - one, one] for one in spam])


def draw(seed: int, k: int, symbols: int, n: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posterior (n, k), likelihood (symbols, k) and cost (k, k), all random."""
    random = np.random.default_rng(seed)
    posterior = random.dirichlet(np.full(k, 0.5), n)
    likelihood = random.dirichlet(np.full(symbols, 0.7), k).T
    return posterior, likelihood, random.random((k, k)) * (1 - np.eye(k))


def urn(likelihood: np.ndarray, said: tuple[int, ...]) -> np.ndarray:
    """(K,) likelihood of votes in this order when people err together, one drawn after the other."""
    firm, chance = (1 - ALIKE) / ALIKE, np.ones(likelihood.shape[1])
    for place, symbol in enumerate(said):
        chance = chance * (firm * likelihood[symbol] + said[:place].count(symbol)) / (firm + place)
    return chance


def best_value(
    joint: np.ndarray, asker: Asker, money: float, ahead: int, final: bool, said: tuple[int, ...] = ()
) -> float:
    """Least risk and money, by going through every order of votes of one item with prior `joint` (K,)."""
    here = joint * urn(asker.likelihood, said)
    chance = here.sum()
    choices = [] if not said else [chance - here.max()]
    if said and final:
        choices.append(here @ final_risk(EXPERT.likelihood) + money * EXPERT.price * chance)
    if len(said) < ahead:
        after = [best_value(joint, asker, money, ahead, final, (*said, s)) for s in range(len(joint))]
        choices.append(money * asker.price * chance + sum(after))
    return float(min(choices))


@settings(max_examples=30, deadline=None)
@given(
    spam=st.floats(0.02, 0.98),
    right=st.floats(0.55, 0.97),
    most=st.integers(1, 4),
    final=st.booleans(),
)
def test_no_plan_takes_more_away_for_its_price_than_the_best_one_found(
    spam: float, right: float, most: int, final: bool
) -> None:
    """Compared with all plans there are, at the very ratio that it is said to reach."""
    asker, posterior = crowd(right, most), of_spam(spam)
    found = looking_ahead(posterior, asker, EXPERT if final else None)
    price = asker.price * found.votes + EXPERT.price * found.finals
    ratio = float((found.gain / price).max())
    before = float(risk(posterior)[0])
    least = best_value(posterior[0], asker, ratio, most, final)
    # at the best ratio no plan is worth more than what it costs
    assert least >= before - 0.05 * before - 1e-9
    money = 0.0
    lavish = before - best_value(posterior[0], asker, money, most, final)
    assert found.gain.max() == pytest.approx(lavish, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000), k=st.integers(2, 4), symbols=st.integers(2, 5), costly=st.booleans())
def test_gains_are_risks_that_are_there_and_votes_are_those_that_may_be_had(
    seed: int, k: int, symbols: int, costly: bool
) -> None:
    posterior, likelihood, matrix = draw(seed, k, symbols)
    cost = matrix if costly else None
    final = Asker("expert", 0.5, of_accuracy(0.9, k), final=True)
    found = looking_ahead(posterior, Asker("x", 0.1, likelihood, 3), final, cost)
    assert (found.gain >= 0).all()
    assert (found.gain <= risk(posterior, cost)[:, None] + 1e-9).all()
    assert (found.votes >= 1 - 1e-9).all()
    assert (found.votes <= 3 + 1e-9).all()
    assert ((found.finals >= 0) & (found.finals <= 1 + 1e-9)).all()
    without = (found.finals == 0).all(axis=0)
    assert without.sum() >= 1, "someone without money for experts must have a way too"


@settings(max_examples=40, deadline=None)
@given(spam=st.floats(0.02, 0.98), right=st.floats(0.55, 0.97))
def test_who_may_stop_early_gets_more_for_the_money_than_who_asks_for_all_at_once(
    spam: float, right: float
) -> None:
    """Two votes, the second only after some answers: never worse than one, or both whatever is said."""
    asker, posterior = crowd(right, most=2), of_spam(spam)
    found = looking_ahead(posterior, asker)
    joint = np.stack([posterior[0] * urn(asker.likelihood, said) for said in product((0, 1), repeat=2)])
    both = float(risk(posterior)[0] - (joint.sum(axis=1) - joint.max(axis=1)).sum())
    one = float(gain(posterior, asker.likelihood)[0])
    ratio = float((found.gain / (asker.price * found.votes)).max())
    assert ratio >= 0.95 * max(one / asker.price, both / (2 * asker.price)) - 1e-9


def test_one_vote_of_two_equals_settles_nothing_and_who_asks_on_where_they_differ_gets_much_more() -> None:
    """A label that is right on .86, a crowd on .9: one vote more turns it on even odds."""
    posterior, asker = of_spam(0.86), crowd(0.9)
    at_once = ways(posterior, crowd(0.9, most=1))
    found = looking_ahead(posterior, asker)
    ratio = found.gain / (asker.price * found.votes)
    assert ratio.max() > 1.5 * (at_once.gain / asker.price).max()
    assert 1 < found.votes[0, ratio.argmax()] < 1.5


def test_people_who_err_together_tell_less_than_as_many_who_do_not() -> None:
    posterior = of_spam(0.8)
    most = looking_ahead(posterior, crowd(0.75, most=4)).gain.max()
    assert gain(posterior, of_accuracy(0.75, 2), 1)[0] < most < gain(posterior, of_accuracy(0.75, 2), 3)[0]


def test_a_tier_that_has_voted_tells_less_and_may_be_asked_less() -> None:
    posterior = of_spam(0.7)
    fresh, later = (looking_ahead(posterior, crowd(), before=before) for before in (0, 3))
    assert later.gain.max() < fresh.gain.max()
    assert later.votes.max() <= 2 + 1e-9
    assert fresh.votes.max() > 2


def test_dear_experts_are_asked_where_the_votes_leave_doubt_and_dearer_ones_less() -> None:
    posterior, asker = of_spam(0.9), crowd(0.75)
    dearer = Asker("expert", 6.0, EXPERT.likelihood, final=True)
    some, few = (looking_ahead(posterior, asker, who) for who in (EXPERT, dearer))
    best = (some.gain / (asker.price * some.votes + EXPERT.price * some.finals)).argmax()
    assert 0 < some.finals[0, best] < 0.5
    assert (few.gain / (asker.price * few.votes + dearer.price * few.finals)).max() <= (
        some.gain / (asker.price * some.votes + EXPERT.price * some.finals)
    ).max()


def test_votes_for_nothing_are_asked_for_as_often_as_they_tell_anything() -> None:
    found = looking_ahead(of_spam(0.6), crowd(0.8, price=0.0))
    assert np.isfinite(found.gain).all()
    assert found.gain.max() == pytest.approx(
        0.4 - best_value(of_spam(0.6)[0], crowd(0.8), 0.0, HORIZON, False)
    )


def test_many_classes_are_looked_at_less_far_ahead() -> None:
    assert [votes_ahead(symbols, 5) for symbols in (2, 3, 4, 5, 9, 20, 80)] == [4, 4, 3, 3, 2, 1, 1]
    assert votes_ahead(2, 1) == 1
    posterior, likelihood, _ = draw(0, 20, 20, n=512)
    begun = time.process_time()
    looking_ahead(
        posterior, Asker("x", 0.1, likelihood, 5), Asker("e", 0.6, of_accuracy(0.98, 20), final=True)
    )
    assert time.process_time() - begun < 0.25
