"""Kinds of judges of pairs, by the names that settings give them."""

from collections.abc import Callable

from labeling_functions.llm.pairwise import PairwiseJudge
from labeling_functions.llm.response_scores import ScoreJudge
from labeling_functions.llm.settings import JudgeKind, LLMSettings

Judge = PairwiseJudge | ScoreJudge

JUDGES: dict[JudgeKind, Callable[[str, str, LLMSettings], Judge]] = {
    "pairwise": PairwiseJudge,
    "scores": ScoreJudge,
}
"""Kind -> what makes a judge of a name (TIER/VARIANT), guidelines and settings."""


def judge_of(name: str, guidelines: str, settings: LLMSettings) -> Judge:
    """The judge that the settings ask for; raises as it does."""
    return JUDGES[settings.judge or "pairwise"](name, guidelines, settings)
