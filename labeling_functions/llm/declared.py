"""Labeling functions that ask a language model, declared in Python instead of the configuration file."""

from dataclasses import dataclass
from typing import Any

from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.settings import LLMSettings


@dataclass(frozen=True, slots=True)
class LLMFunction:
    """A way of asking a language model: an annotator of the tier that names it.

    It costs money and seconds, so that it answers in its tier and never while a batch of the stream waits.

    Attributes:
        name: as `variants` of a tier name it.
        settings: how it asks.
        at: where its endpoint is; None if the configuration says that.
    """

    name: str
    settings: LLMSettings
    at: EndpointSettings | None = None


def llm_labeling_function(
    name: str, *, endpoint: str, model: str, at: EndpointSettings | None = None, **how: Any
) -> LLMFunction:
    """Declare a way of asking a language model.

    Args:
        name: of your choice; together with its tier it names the annotator.
        endpoint: name of the endpoint that serves the model.
        model: its name as the endpoint knows it.
        at: the endpoint's address, key variable, prices and limits, if the configuration does not say them.
        how: the other attributes of `LLMSettings`, such as template, exemplars, samples or temperature.

    Raises:
        ValueError: a setting is out of its range. TypeError: there is no such setting.
    """
    return LLMFunction(name, LLMSettings(endpoint=endpoint, model=model, **how), at)
