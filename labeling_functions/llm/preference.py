"""Votes on pairs: which of two responses to a prompt is better, or neither."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeling_functions.llm.answer_form import AnswerForm
from labeling_functions.llm.chat_model import ChatReply, ChatRequest
from labeling_functions.llm.confidence import F8, most_voted, reply_probabilities, vote_shares
from labeling_functions.llm.parsing import read
from labeling_functions.llm.prompts import Prompt, Shown
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.llm.templates import PromptTemplate
from labeling_functions.task import ABSTAIN, Task


@dataclass(frozen=True, slots=True)
class PairVote:
    """What a judge says about a pair.

    Attributes:
        label: A, B, TIE or ABSTAIN.
        preference: probability that A is preferred, a tie counting half; None if the judge abstains.
        said: what each of the two replies said. Of a judge of pairs, A, B, TIE or ABSTAIN, with A read first
            and with B read first; of a judge of single responses, the scores of A and B, 1 to 5, or ABSTAIN.
        texts: the replies, in the same order.
        parsed: whether both were in the form asked for.
        probabilities: of A, B and tie, both replies counted alike; None if the judge abstains.
        first: of a judge of pairs whose replies parsed, how likely it prefers what it reads first, a tie
            counting half, with A read first and with B read first; None else.
    """

    label: int
    preference: float | None
    said: tuple[int, int]
    texts: tuple[str, str]
    parsed: bool
    probabilities: tuple[float, float, float] | None = None
    first: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Judgment:
    """What one reply says.

    Attributes:
        label: index, or ABSTAIN.
        probabilities: (K,) of all labels; all on the label where nothing more is known.
        parsed: whether it was in the form asked for.
        text: the reply, its first sample if there are several.
    """

    label: int
    probabilities: F8
    parsed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Questions:
    """Makes a judge's requests and reads the replies.

    Attributes:
        settings: how the model is asked.
        prompt: with one thing a prompt.
    """

    settings: LLMSettings
    prompt: Prompt

    @property
    def version_parts(self) -> tuple[object, ...]:
        """What shapes the answers, for a hash."""
        return (self.settings, self.prompt)

    def request(self, shown: Shown, earlier: str | None = None) -> ChatRequest:
        """One request; with an earlier answer, the one that asks for its repair."""
        settings, form = self.settings, self.prompt.form
        wanted = settings.confidence_source in ("auto", "logprobs")
        return ChatRequest(
            model=settings.model,
            messages=self.prompt.messages([shown], earlier=earlier),
            max_tokens=settings.max_tokens or form.longest(),
            temperature=settings.temperature,
            samples=settings.samples,
            top_logprobs=2 * len(form.labels) + 1 if wanted else 0,
            schema=form.schema(),
        )

    def repairs(self, shown: Sequence[Shown], replies: Sequence[ChatReply]) -> dict[int, ChatRequest]:
        """Place of each reply that is not in the form asked for -> the request to ask once instead."""
        return {
            place: self.request(one, judged.text)
            for place, (one, judged) in enumerate(zip(shown, map(self.read, replies), strict=True))
            if not judged.parsed
        }

    def read(self, reply: ChatReply) -> Judgment:
        """What a reply says; ABSTAIN if it does not parse, or if samples are even."""
        labels, text = self.prompt.form.labels, next(iter(reply.texts), "")
        answers = [read(text, self.prompt.form) for text in reply.texts]
        answers = [answer for answer in answers if answer.parsed]
        if not answers:
            return Judgment(ABSTAIN, np.full(len(labels), 1 / len(labels)), False, text)
        if self.settings.samples > 1:
            shares = vote_shares([answer.label for answer in answers], len(labels))
            return Judgment(most_voted(shares), shares, True, text)
        label = answers[0].label
        probabilities = None
        if self.settings.confidence_source in ("auto", "logprobs"):
            probabilities = reply_probabilities(reply, answers[0].start, labels)
        if probabilities is None:
            probabilities = _spread(label, answers[0].confidence, len(labels))
        return Judgment(label, probabilities, True, text)


def questions(
    name: str, task: Task, settings: LLMSettings, texts: tuple[str, ...], default: str
) -> Questions:
    """Questions about single things of these texts.

    Args:
        name: the judge's.
        task: with the labels that an answer may give as classes.
        settings: without exemplars and batches, which judges do not take.
        texts: names by which templates know the texts.
        default: the template, for blocks that the settings' own leaves out.
    """
    if settings.template_file:
        raise ValueError(f"{name}: template_file: {settings.template_file} was not read")
    if settings.exemplars.count or settings.batch > 1:
        raise ValueError(f"{name}: judges take neither exemplars nor a batch; leave them out")
    told = settings.confidence_source in ("auto", "verbalized")
    form = AnswerForm(task.classes, told, settings.chain_of_thought, told)
    template = PromptTemplate(name, settings.template, texts, default)
    return Questions(settings, Prompt(task, template, form))


def _spread(label: int, confidence: float | None, n_labels: int) -> F8:
    """What a told confidence leaves is shared among the other labels."""
    sure = 1.0 if confidence is None else confidence
    probabilities = np.full(n_labels, (1 - sure) / (n_labels - 1))
    probabilities[label] = sure
    return probabilities
