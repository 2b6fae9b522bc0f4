"""Language models that vote: how they are asked, how calls are kept in bounds, what they answer."""

from labeling_functions.llm.declared import llm_labeling_function
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.settings import ExemplarSettings

__all__ = ["EndpointSettings", "ExemplarSettings", "llm_labeling_function"]
