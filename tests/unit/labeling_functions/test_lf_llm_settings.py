"""Settings of a variant refuse what cannot be meant."""

import pytest

from labeling_functions.llm.exemplars import SELECTIONS
from labeling_functions.llm.settings import ExemplarSettings, LLMSettings


def settings(**given: object) -> LLMSettings:
    return LLMSettings(**{"endpoint": "local", "model": "m", **given})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"endpoint": " "}, "endpoint: is empty"),
        ({"model": ""}, "model: is empty"),
        ({"template": "x", "template_file": "y"}, "keep one of the two"),
        ({"samples": 0}, "samples: 0 is not within 1 to 64"),
        ({"temperature": 2.5}, "temperature: 2.5 is not within 0 to 2"),
        ({"temperature": float("nan")}, "temperature: nan is not within"),
        ({"batch": 0}, "batch: 0 is not within 1 to 50"),
        ({"max_tokens": 0}, "max_tokens: 0 is below 1"),
        ({"confidence": "guess"}, "confidence: 'guess' is not one of auto, logprobs"),
        ({"samples": 5}, "samples: 5 at temperature 0 are all the same"),
        ({"samples": 5, "temperature": 0.5, "confidence": "logprobs"}, "logprobs is of one answer"),
        ({"confidence": "samples"}, "samples needs more than one"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"count": -1}, "count: -1"), ({"how": "nearest"}, "'nearest' is not one of fixed")],
)
def test_exemplars_that_cannot_be_meant_are_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExemplarSettings(**given)


def test_every_choice_of_exemplars_that_is_allowed_is_there() -> None:
    for how in SELECTIONS:
        assert ExemplarSettings(how=how).how == how


def test_auto_takes_vote_shares_where_there_are_samples() -> None:
    assert settings().confidence_source == "auto"
    assert settings(samples=3, temperature=0.7).confidence_source == "samples"
    assert settings(samples=3, temperature=0.7, confidence="none").confidence_source == "none"
