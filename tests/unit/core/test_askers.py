"""The tiers as the router sees them."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.core.askers import askers_of
from daemon.core.policy import Policy
from daemon.core.settings import GuaranteeSettings, RoutingSettings, TierSettings
from models.bundle import Bundle
from models.value import of_accuracy

POLICY = Policy(
    classes=("ham", "spam"),
    tiers={
        "expert": TierSettings(price=0.6, final=True, accuracy=0.98),
        "crowd": TierSettings(price=0.05, accuracy=0.8, max_votes=4),
        "llm": TierSettings(price=0.003, accuracy=0.7, max_votes=1, first=True),
    },
    guarantee=GuaranteeSettings(),
    routing=RoutingSettings(),
)
BUNDLE = Bundle.from_priors(POLICY.classes, {name: tier.accuracy for name, tier in POLICY.tiers.items()})


def test_there_is_one_asker_a_tier_cheap_first() -> None:
    llm, crowd, expert = askers_of(BUNDLE, POLICY)
    assert [one.name for one in (llm, crowd, expert)] == ["llm", "crowd", "expert"]
    assert [one.price for one in (llm, crowd, expert)] == [0.003, 0.05, 0.6]
    assert (llm.first, crowd.first, expert.first) == (True, False, False)
    assert (crowd.max_votes, expert.max_votes, expert.final) == (4, 1, True)
    assert expert.likelihood.tolist() == of_accuracy(0.98, 2).tolist()


def tempered(temperature: float, **tables: np.ndarray) -> Bundle:
    (only,) = BUNDLE.members
    return replace(BUNDLE, members=(replace(only, temperature=temperature, tables=tables),))


def test_what_a_vote_is_worth_is_what_the_bundle_makes_of_it() -> None:
    known = {"tier:crowd": np.log(of_accuracy(0.9, 2))}
    likelihood = askers_of(tempered(1.0, **known), POLICY)[1].likelihood
    assert likelihood == pytest.approx(of_accuracy(0.9, 2), abs=1e-3)
    likelihood = askers_of(tempered(0.5, **known), POLICY)[1].likelihood
    assert likelihood[0, 0] == pytest.approx(0.75, abs=1e-3), "sqrt(9) : 1"


def test_a_tier_is_asked_as_often_as_it_may_be() -> None:
    expert = TierSettings(final=True, overlap=3)
    assert (expert.most_votes, expert.asked_at_once) == (1, 1)
    crowd = TierSettings(overlap=3)
    assert (crowd.most_votes, crowd.asked_at_once) == (5, 3)
    with pytest.raises(ValueError, match="overlap: 6 answers at once are more than max_votes 5"):
        TierSettings(overlap=6)
    with pytest.raises(ValueError, match="first: a final tier"):
        TierSettings(final=True, first=True)
