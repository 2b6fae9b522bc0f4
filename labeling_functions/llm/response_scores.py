"""A judge that scores each response for itself, 1 to 5; the better score wins.

It has no order to be misled by, but tells close responses apart less well (Lee et al. 2023, arXiv 2309.00267,
section 3.2.2, use such scores as rewards: expected under the probabilities of all scores).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from labeling_functions.fingerprint import fingerprint
from labeling_functions.llm.chat_model import ChatReply, ChatRequest
from labeling_functions.llm.confidence import F8
from labeling_functions.llm.preference import Judgment, PairVote, Questions, questions
from labeling_functions.llm.prompts import Shown
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.pairs import TIE, A, B, Pair
from labeling_functions.task import ABSTAIN, Task

LABELS = ("1", "2", "3", "4", "5")
TEXTS = ("prompt", "response")
WIDEST = len(LABELS) - 1

TEMPLATE = """\
{% block preamble %}
You judge a response to a prompt and give it a score from 1 (very bad) to 5 (as good as can be).
{% if guidelines %}

Guidelines:
{{ guidelines }}
{% endif %}

{{ data_note }}
{% endblock %}
{% block item %}
{{ prompt }}

Response:
{{ response }}
{% endblock %}
{% block ending %}{{ instruction }}{% endblock %}
"""


@dataclass(frozen=True)
class ScoreJudge:
    """Two requests a pair, one for each response.

    Attributes:
        name: TIER/VARIANT, the annotator's name.
        guidelines: what makes a response good; Markdown.
        settings: how the model is asked.

    Raises:
        ValueError: settings that a judge cannot take; see `preference.questions`.
    """

    name: str
    guidelines: str
    settings: LLMSettings

    def __post_init__(self) -> None:
        self._make_questions()  # a bad template is an error at the start

    @cached_property
    def version(self) -> str:
        """Hash of everything that shapes its answers."""
        return fingerprint("scores", self._questions)

    def requests(self, pair: Pair) -> tuple[ChatRequest, ChatRequest]:
        """About A and about B."""
        a, b = map(self._questions.request, _each(pair))
        return a, b

    def repairs(self, pair: Pair, replies: Sequence[ChatReply]) -> dict[int, ChatRequest]:
        """Place of each reply that did not parse -> what to ask once instead; its reply takes the place."""
        return self._questions.repairs(_each(pair), replies)

    def vote(self, replies: tuple[ChatReply, ChatReply]) -> PairVote:
        """The vote from the replies to `requests`, in order; ABSTAIN unless both parsed.

        The preference is .5 + (score of A - score of B) / 8 of the expected scores: 1 for 5 against 1.
        """
        a, b = map(self._questions.read, replies)
        said, texts = (_score(a), _score(b)), (a.text, b.text)
        if not (a.parsed and b.parsed):
            return PairVote(ABSTAIN, None, said, texts, False)
        preference = 0.5 + (_expected(a) - _expected(b)) / (2 * WIDEST)
        label = _better(a.label, b.label)
        probabilities = None if label == ABSTAIN else _compared(a.probabilities, b.probabilities)
        return PairVote(label, preference, said, texts, True, probabilities)

    @cached_property
    def _questions(self) -> Questions:
        return self._make_questions()

    def _make_questions(self) -> Questions:
        task = Task("score", LABELS, guidelines=self.guidelines)
        return questions(self.name, task, self.settings, TEXTS, TEMPLATE)


def _each(pair: Pair) -> list[Shown]:
    return [Shown({"prompt": pair.prompt, "response": response}) for response in (pair.a, pair.b)]


def _better(a: int, b: int) -> int:
    if ABSTAIN in (a, b):  # samples were even
        return ABSTAIN
    return TIE if a == b else (A if a > b else B)


def _compared(a: F8, b: F8) -> tuple[float, float, float]:
    """How likely A scores higher, B does, or both the same, the two scores drawn independently."""
    both = np.outer(a, b)
    return float(np.tril(both, -1).sum()), float(np.triu(both, 1).sum()), float(np.trace(both))


def _score(judgment: Judgment) -> int:
    return ABSTAIN if judgment.label == ABSTAIN else judgment.label + 1


def _expected(judgment: Judgment) -> float:
    return float(judgment.probabilities @ np.arange(1, len(LABELS) + 1))
