"""One way of asking a language model, an annotator of its own: what it asks, and what the replies mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from labeling_functions.fingerprint import fingerprint
from labeling_functions.items import Item
from labeling_functions.llm.answer_form import AnswerForm
from labeling_functions.llm.chat_model import ChatReply, ChatRequest
from labeling_functions.llm.confidence import (
    class_shares,
    most_voted,
    named_by_most,
    reply_probabilities,
    vote_shares,
)
from labeling_functions.llm.exemplars import Exemplar, for_together
from labeling_functions.llm.parsing import Answer, read, read_several
from labeling_functions.llm.prompts import Example, Prompt, shown_item
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.llm.templates import PromptTemplate
from labeling_functions.task import ABSTAIN, Task

MOST_ALTERNATIVES = 20
"""Tokens at one place that endpoints tell at most."""


@dataclass(frozen=True, slots=True)
class LLMVote:
    """What a variant says about one item.

    Attributes:
        label: as `labeling_functions.label_space` has labels, or ABSTAIN.
        confidence: 0 to 1, as `confidence` of the settings says; None if unknown, and of a multilabel task.
        text: the whole answer, of the first sample if there are several.
        parsed: whether the answer was in the form asked for; without, the label is ABSTAIN.
        by_class: of a multilabel task, how likely each class applies, as `confidence` of the settings says;
            empty if unknown.
    """

    label: int
    confidence: float | None
    text: str
    parsed: bool
    by_class: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SecondTry:
    """What is asked again, once, because it did not parse.

    Attributes:
        rows: places of the items, in order.
        requests: one for each of them.
    """

    rows: tuple[int, ...]
    requests: tuple[ChatRequest, ...]


def missing(votes: Sequence[LLMVote]) -> list[int]:
    """Places of the votes that did not parse."""
    return [place for place, vote in enumerate(votes) if not vote.parsed]


def no_confidence(task: Task, settings: LLMSettings) -> str:
    """Why answers for this task cannot have the confidence that is wanted; empty if they can."""
    if not task.space.sets or settings.confidence != "logprobs":
        return ""
    return (
        "confidence: logprobs are of one label, and an answer in a multilabel task is a list of them; take "
        "auto, verbalized, or samples (with samples: 5 and a temperature)"
    )


@dataclass(frozen=True)
class Variant:
    """Asks about items of a task.

    The caller asks `requests`, reads `votes`, and may then ask `second_try` once and read both by
    `votes_after`. Everything here is pure: equal arguments, equal results.

    Attributes:
        name: TIER/VARIANT, the annotator's name.
        task: what is asked.
        settings: how; the text of a `template_file` must have been put into `template`.

    Raises:
        ValueError: the template was not read, or the task's labels cannot have such a confidence.
        PromptError: it cannot be used; see `templates`.
    """

    name: str
    task: Task
    settings: LLMSettings

    def __post_init__(self) -> None:
        if self.settings.template_file:
            raise ValueError(f"{self.name}: template_file: {self.settings.template_file} was not read")
        if problem := no_confidence(self.task, self.settings):
            raise ValueError(f"{self.name}: {problem}")
        self._prompt(several=False)  # a bad template is an error at the start

    @cached_property
    def version(self) -> str:
        """Hash of everything that shapes its answers, but for which items were answered so far."""
        return fingerprint("llm", self.settings, self._alone, self._together)

    def requests(
        self, items: Sequence[Item], exemplars: Sequence[Sequence[Exemplar]] = ()
    ) -> list[ChatRequest]:
        """What to ask: one request for each `batch` of items; items with pictures are asked about alone.

        Args:
            items: n of them.
            exemplars: for each item those that `exemplars.choose` chose; may be left out.

        Raises:
            PromptError: the template names a field that an item does not have.
        """
        return [self._request(items, rows, exemplars) for rows in self._chunks(items)]

    def votes(self, items: Sequence[Item], replies: Sequence[ChatReply]) -> list[LLMVote]:
        """(n,) votes on the items, from the replies to `requests(items)`, in order."""
        chunks = self._chunks(items)
        if len(chunks) != len(replies):
            raise ValueError(f"{self.name}: {len(replies)} replies to {len(chunks)} requests")
        answered = zip(chunks, replies, strict=True)
        return [vote for rows, reply in answered for vote in self._votes(len(rows), reply)]

    def second_try(
        self, items: Sequence[Item], votes: Sequence[LLMVote], exemplars: Sequence[Sequence[Exemplar]] = ()
    ) -> SecondTry:
        """What to ask about votes that did not parse: the answer is to be repaired, or, if it was one of
        several in a reply, its item asked about alone."""
        rows = missing(votes)
        together = {row for chunk in self._chunks(items) if len(chunk) > 1 for row in chunk}
        requests = [
            self._request(items, [row], exemplars, None if row in together else votes[row].text)
            for row in rows
        ]
        return SecondTry(tuple(rows), tuple(requests))

    def votes_after(
        self, votes: Sequence[LLMVote], second: SecondTry, replies: Sequence[ChatReply]
    ) -> list[LLMVote]:
        """(n,) votes, those asked again replaced by what the replies to the second try say."""
        after = list(votes)
        for row, reply in zip(second.rows, replies, strict=True):
            after[row] = self._votes(1, reply)[0]
        return after

    @cached_property
    def _alone(self) -> Prompt:
        return self._prompt(several=False)

    @cached_property
    def _together(self) -> Prompt:
        return self._prompt(several=True)

    def _prompt(self, several: bool) -> Prompt:
        settings = self.settings
        told = settings.confidence_source in ("auto", "verbalized")
        sets = self.task.space.sets
        as_json = told or settings.batch > 1 or several or sets
        form = AnswerForm(self.task.classes, as_json, settings.chain_of_thought, told, several, sets)
        template = PromptTemplate(self.name, settings.template, ("item", "fields"))
        return Prompt(self.task, template, form)

    def _chunks(self, items: Sequence[Item]) -> list[list[int]]:
        """Rows of the items of each prompt."""
        chunks: list[list[int]] = []
        room = 0
        for row, item in enumerate(items):
            if item.images or not room:
                chunks.append([])
                room = self.settings.batch
            chunks[-1].append(row)
            room = 0 if item.images else room - 1
        return chunks

    def _request(
        self,
        items: Sequence[Item],
        rows: Sequence[int],
        exemplars: Sequence[Sequence[Exemplar]],
        earlier: str | None = None,
    ) -> ChatRequest:
        asked = [items[row] for row in rows]
        chosen = for_together(asked, [exemplars[row] for row in rows] if exemplars else [], self._n_exemplars)
        examples = [Example(shown_item(one.item), one.label, one.reason) for one in chosen]
        prompt = self._together if len(rows) > 1 else self._alone
        return ChatRequest(
            model=self.settings.model,
            messages=prompt.messages([shown_item(item) for item in asked], examples, earlier),
            max_tokens=self.settings.max_tokens or prompt.form.longest(len(rows)),
            temperature=self.settings.temperature,
            samples=self.settings.samples,
            top_logprobs=self._top_logprobs,
            schema=prompt.form.schema(),
        )

    @property
    def _n_exemplars(self) -> int:
        return self.settings.exemplars.count

    @property
    def _top_logprobs(self) -> int:
        """Alternatives wanted: a label's usual spellings."""
        wanted = self.settings.confidence_source in ("auto", "logprobs") and not self.task.space.sets
        return min(MOST_ALTERNATIVES, 2 * self.task.n_classes + 1) if wanted else 0

    def _votes(self, n_items: int, reply: ChatReply) -> list[LLMVote]:
        form = (self._together if n_items > 1 else self._alone).form
        samples = [
            read_several(text, form, n_items) if n_items > 1 else [read(text, form)] for text in reply.texts
        ]
        return [self._vote([sample[place] for sample in samples], reply) for place in range(n_items)]

    def _vote(self, answers: Sequence[Answer], reply: ChatReply) -> LLMVote:
        text = reply.texts[0] if reply.texts else ""
        if not any(answer.parsed for answer in answers):
            return LLMVote(ABSTAIN, None, text, False)
        if self.task.space.sets:
            return self._set_vote([answer for answer in answers if answer.parsed], text)
        if self.settings.samples == 1:
            return LLMVote(answers[0].label, self._confidence(answers[0], reply), text, True)
        shares = vote_shares([answer.label for answer in answers], self.task.n_classes)
        label = most_voted(shares)
        told = label != ABSTAIN and self.settings.confidence_source == "samples"
        return LLMVote(label, float(shares[label]) if told else None, text, True)

    def _set_vote(self, answers: Sequence[Answer], text: str) -> LLMVote:
        label, by_class = answers[0].label, answers[0].by_class
        if self.settings.samples > 1:
            shares = class_shares([answer.label for answer in answers], self.task.space)
            label, by_class = named_by_most(shares), tuple(shares.tolist())
        told = self.settings.confidence != "none"
        return LLMVote(label, None, text, True, by_class if told else ())

    def _confidence(self, answer: Answer, reply: ChatReply) -> float | None:
        source = self.settings.confidence_source
        if source in ("auto", "logprobs"):
            probabilities = reply_probabilities(reply, answer.start, self.task.classes)
            if probabilities is not None:
                return float(probabilities[answer.label])
        return answer.confidence if source in ("auto", "verbalized") else None
