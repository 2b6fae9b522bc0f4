"""A judge that compares two responses, asked in both orders.

A judge prefers what it reads first, or last, more often than it should; so the two answers are averaged, and
one that changes with the order says nothing (Zheng et al. 2023, arXiv 2306.05685, section 3.4; Lee et al.
2023, arXiv 2309.00267, section 3.1.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from labeling_functions.fingerprint import fingerprint
from labeling_functions.llm.chat_model import ChatReply, ChatRequest
from labeling_functions.llm.preference import Judgment, PairVote, Questions, questions
from labeling_functions.llm.prompts import Shown
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.pairs import TIE, A, B, Pair
from labeling_functions.task import ABSTAIN, Task

LABELS = ("1", "2", "tie")
MEANINGS = {
    "1": "the first response is better",
    "2": "the second response is better",
    "tie": "neither is better than the other",
}
TEXTS = ("prompt", "response_1", "response_2")

TEMPLATE = """\
{% block preamble %}
You compare two responses to the same prompt and say which is better. The order in which they stand, and
their length, mean nothing.
{% if guidelines %}

Guidelines:
{{ guidelines }}
{% endif %}

Labels:
{% for class in classes %}
- {{ class.name }}: {{ class.description }}
{% endfor %}

{{ data_note }}
{% endblock %}
{% block item %}
{{ prompt }}

First response:
{{ response_1 }}

Second response:
{{ response_2 }}
{% endblock %}
{% block ending %}{{ instruction }}{% endblock %}
"""


@dataclass(frozen=True)
class PairwiseJudge:
    """Two requests a pair, one for each order.

    Attributes:
        name: TIER/VARIANT, the annotator's name.
        guidelines: what makes a response better; Markdown.
        settings: how the model is asked.
        soft: whether preferences are wanted where the two orders contradict each other: their average then,
            .5 without probabilities; an abstention otherwise.

    Raises:
        ValueError: settings that a judge cannot take; see `preference.questions`.
    """

    name: str
    guidelines: str
    settings: LLMSettings
    soft: bool = False

    def __post_init__(self) -> None:
        self._make_questions()  # a bad template is an error at the start

    @cached_property
    def version(self) -> str:
        """Hash of everything that shapes its answers."""
        return fingerprint("pairwise", self._questions, self.soft)

    def requests(self, pair: Pair) -> tuple[ChatRequest, ChatRequest]:
        """With A read first, and with B read first."""
        ab, ba = map(self._questions.request, _orders(pair))
        return ab, ba

    def repairs(self, pair: Pair, replies: Sequence[ChatReply]) -> dict[int, ChatRequest]:
        """Place of each reply that did not parse -> what to ask once instead; its reply takes the place."""
        return self._questions.repairs(_orders(pair), replies)

    def vote(self, replies: tuple[ChatReply, ChatReply]) -> PairVote:
        """The vote from the replies to `requests`, in order; ABSTAIN unless both parsed and agree.

        A tie in one order agrees with anything in the other.
        """
        ab, ba = map(self._questions.read, replies)
        said = (ab.label, _turned(ba.label))
        texts = (ab.text, ba.text)
        if not (ab.parsed and ba.parsed):
            return PairVote(ABSTAIN, None, said, texts, False)
        first = (_first_preferred(ab), _first_preferred(ba))
        mean = (first[0] + 1 - first[1]) / 2
        if ABSTAIN in said or flipped(said):
            return PairVote(ABSTAIN, mean if self.soft else None, said, texts, True, first=first)
        label = said[0] if said[0] != TIE else said[1]
        return PairVote(label, mean, said, texts, True, _averaged(ab, ba), first)

    @cached_property
    def _questions(self) -> Questions:
        return self._make_questions()

    def _make_questions(self) -> Questions:
        task = Task("preference", LABELS, guidelines=self.guidelines, descriptions=MEANINGS)
        return questions(self.name, task, self.settings, TEXTS, TEMPLATE)


def flipped(said: tuple[int, int]) -> bool:
    """Whether the orders contradict each other: A in one, B in the other."""
    return set(said) == {A, B}


def _orders(pair: Pair) -> list[Shown]:
    both = ((pair.a, pair.b), (pair.b, pair.a))
    return [Shown(dict(zip(TEXTS, (pair.prompt, *order), strict=True))) for order in both]


def _turned(label: int) -> int:
    """A label of the order B, A in terms of A and B."""
    return {A: B, B: A}.get(label, label)


def _averaged(ab: Judgment, ba: Judgment) -> tuple[float, float, float]:
    a, b, tie = (ab.probabilities + ba.probabilities[[B, A, TIE]]) / 2
    return float(a), float(b), float(tie)


def _first_preferred(judgment: Judgment) -> float:
    """Probability that what was read first is preferred; a tie counts half."""
    return float(judgment.probabilities[A] + judgment.probabilities[TIE] / 2)
