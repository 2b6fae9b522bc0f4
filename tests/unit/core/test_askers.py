"""The tiers as the router sees them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from daemon.core.askers import askers_of
from daemon.core.control_settings import ControlSettings
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


def test_a_tier_of_language_models_is_asked_once_a_variant_and_paid_by_the_call() -> None:
    llm = TierSettings(backend="llm", price=0.01)
    assert (llm.most_votes, llm.asked_at_once, llm.question_micros, llm.price_micros) == (1, 1, 0, 10_000)
    three = TierSettings(backend="llm", overlap=2, variants=("a", "b", "c"))
    assert (three.most_votes, three.asked_at_once) == (3, 2)
    assert TierSettings(price=0.05).question_micros == 50_000


def test_an_answer_of_a_model_is_worth_what_its_newest_ways_of_asking_are() -> None:
    llm = TierSettings(backend="llm", variants=("a", "b"), accuracy=0.6)
    policy = replace(POLICY, tiers={**POLICY.tiers, "llm": llm})
    place = policy.ladder.index("llm")
    unknown = askers_of(Bundle.from_priors(POLICY.classes, {"llm": 0.6}), policy)[place].likelihood
    assert unknown.shape == (8, 2)
    known = np.full((8, 2), 0.01)
    known[7] = 0.1, 0.8
    tables = {"llm:llm/a@old": np.zeros((8, 2)), "llm:llm/a@new": np.log(known / known.sum(axis=0))}
    likelihood = askers_of(tempered(1.0, **tables), policy)[place].likelihood
    assert likelihood.shape == (8, 2)
    np.testing.assert_allclose(likelihood.sum(axis=0), 1)
    odds = np.log(likelihood[7, 1] / likelihood[7, 0])
    assert odds == pytest.approx(np.log(known[7, 1] / known[7, 0] * np.divide(*known.sum(axis=0))), abs=0.05)
    both = askers_of(tempered(1.0, **tables, **{"llm:llm/b@1": np.zeros((8, 2))}), policy)[place]
    assert both.likelihood.shape == (16, 2)
    np.testing.assert_allclose(both.likelihood.sum(axis=0), 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backend": "gpt"}, "backend: 'gpt' is none of web, llm"),
        ({"when": "often"}, "when: 'often' is none of always, uncertain, never"),
        ({"backend": "llm", "final": True}, "never the truth"),
        ({"when": "always", "final": True}, "when: a final tier"),
        ({"when": "never", "final": True}, "when: a final tier is asked in any case"),
        ({"when": "never", "first": True}, "exclude each other"),
        ({"variants": ("a",)}, "variants: is for a tier of `backend: llm`"),
        ({"backend": "mturk", "highlight": True}, "highlight: is for people who answer on the pages"),
        (
            {"backend": "kafka", "capacity_per_day": 9},
            "capacity_per_day: is for people who answer on the pages",
        ),
        ({"backend": "kafka", "suggest": True}, "suggest: topic `questions` holds items alone"),
        (
            {"backend": "label_studio", "controls": ControlSettings(share=0.1)},
            "control questions are asked on the pages alone",
        ),
        ({"budget_per_run": 1.0}, "budget_per_run: is for a tier of `backend: llm`"),
    ],
)
def test_settings_of_a_tier_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TierSettings(**settings)


def test_a_tier_that_always_votes_is_first_and_one_that_never_does_is_not_asked() -> None:
    tiers = {
        "expert": POLICY.tiers["expert"],
        "llm": TierSettings(price=0.003, backend="llm", when="always"),
        "judge": TierSettings(price=0.004, backend="llm", when="never"),
    }
    policy = replace(POLICY, tiers=tiers)
    assert [(one.name, one.first) for one in askers_of(BUNDLE, policy)] == [("llm", True), ("expert", False)]
    assert set(policy.tiers) == set(tiers), "what it answered before is learned from all the same"
