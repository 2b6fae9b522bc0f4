"""A variant asked about leased items: what its votes cost, the second try, the exemplars that are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from call_book import ENDPOINT, Book

from daemon.core.ask_variant import FRESH_SECONDS, Chat, Exemplars, VariantAsker
from daemon.core.paid_chat import About, Paid, PaidChat
from daemon.core.rows import Lease
from labeling_functions.items import Item
from labeling_functions.llm.chat_model import ChatRefused, ChatReply, ChatRequest
from labeling_functions.llm.exemplars import AnsweredItems, Exemplar, Vectors
from labeling_functions.llm.settings import ExemplarSettings, LLMSettings
from labeling_functions.llm.variant import Variant
from labeling_functions.task import ABSTAIN, MULTILABEL, Task

TASK = Task(name="mail", classes=("ham", "spam"))


@dataclass
class Scripted:
    """Answers what `says` makes of the last message; 10 tokens in and 5 out."""

    says: Callable[[str], str]
    asked: list[str] = field(default_factory=list)

    def ask(self, request: ChatRequest) -> ChatReply:
        self.asked.append("\n".join(message.text for message in request.messages))
        return ChatReply((self.says(request.messages[-1].text),), (), 10, 5, 0.5)


@dataclass
class Answered:
    """What people answered so far, counting how often it is read."""

    exemplars: Sequence[Exemplar] = ()
    read: int = 0

    def answered(self, with_vectors: bool) -> AnsweredItems:
        self.read += 1
        return AnsweredItems(tuple(self.exemplars), np.ones((len(self.exemplars), 1)))

    def vectors(self, items: Sequence[str]) -> dict[str, Vectors]:
        return {item: np.ones(1) for item in items}


@dataclass
class Told:
    """Passes calls on, and remembers what they were made for."""

    chat: Chat
    about: list[About] = field(default_factory=list)

    def ask(self, request: ChatRequest, about: About) -> Paid:
        self.about.append(about)
        return self.chat.ask(request, about)


def asker_of(model: Scripted, store: Answered | None = None, **settings: object) -> tuple[VariantAsker, Book]:
    book = Book()
    shaped = LLMSettings(endpoint="hosted", model="m", **{"confidence": "none", **settings})  # type: ignore[arg-type]
    chat = PaidChat(model, book, book, "hosted", ENDPOINT, "llm", "run")
    exemplars = Exemplars(store or Answered(), shaped.exemplars)
    return VariantAsker(Variant("llm/short", TASK, shaped), chat, exemplars), book


def leases(*texts: str) -> list[Lease]:
    return [
        Lease(number, f"i{number}", "llm", f'{{"id": "i{number}", "text": "{text}"}}'.encode(), False, 0)
        for number, text in enumerate(texts, start=1)
    ]


def test_a_vote_bears_what_its_call_cost() -> None:
    asker, book = asker_of(Scripted(lambda text: "spam" if "win" in text else "ham"))
    (vote,) = asker(7, leases("win now"))
    assert (vote.label, vote.micros, vote.seconds, vote.probabilities) == (1, 20_000, 0.5, None)
    (call,) = book.calls
    assert (call.annotator, call.question, call.item) == (7, 1, "i1")
    assert asker(7, leases("win now"))[0].micros == 0, "the cache had it"


def test_confidence_is_spread_over_the_classes() -> None:
    asker, _ = asker_of(Scripted(lambda _: '{"label": "spam", "confidence": 0.75}'), confidence="verbalized")
    (vote,) = asker(7, leases("win now"))
    assert (vote.label, vote.probabilities) == (1, (0.25, 0.75))


def test_of_a_set_it_is_told_class_by_class() -> None:
    said = '{"labels": ["spam"], "confidence": {"ham": 0.3, "spam": 0.75}}'
    asker, _ = asker_of(Scripted(lambda _: said), confidence="auto")
    sets = replace(asker.variant, task=Task("mail", ("ham", "spam"), MULTILABEL))
    (vote,) = replace(asker, variant=sets)(7, leases("win now"))
    assert (vote.label, vote.probabilities) == (2, (0.3, 0.75))
    nothing, _ = asker_of(Scripted(lambda _: '{"labels": []}'))
    quiet = replace(nothing, variant=replace(nothing.variant, task=sets.task))
    assert [(one.label, one.probabilities) for one in quiet(7, leases("hm"))] == [(0, None)]


def test_an_answer_that_does_not_parse_is_asked_for_once_more_and_both_are_paid() -> None:
    model = Scripted(lambda text: "ham" if "An earlier answer" in text else "no idea")
    asker, book = asker_of(model)
    told = Told(asker.chat)
    (vote,) = replace(asker, chat=told)(7, leases("hello"))
    assert (vote.label, vote.micros, vote.seconds, len(book.calls)) == (0, 40_000, 1.0, 2)
    assert [about.repair for about in told.about] == [False, True]
    hopeless, _ = asker_of(Scripted(lambda _: "no idea"))
    (vote,) = hopeless(7, leases("hello"))
    assert (vote.label, vote.micros) == (ABSTAIN, 40_000)


def test_items_that_share_a_prompt_share_its_price() -> None:
    said = '{"answers": [{"id": 1, "label": "ham"}, {"id": 2, "label": "spam"}, {"id": 3, "label": "ham"}]}'
    asker, book = asker_of(Scripted(lambda _: said), batch=3)
    votes = asker(7, leases("a", "b", "c"))
    assert [vote.label for vote in votes] == [0, 1, 0]
    assert [vote.micros for vote in votes] == [6_668, 6_666, 6_666]
    assert [(call.annotator, call.question, call.item) for call in book.calls] == [(7, None, None)]


def test_a_template_that_does_not_fit_an_item_is_a_refusal() -> None:
    asker, _ = asker_of(
        Scripted(lambda _: "ham"), template="{% block item %}{{ fields.title }}{% endblock %}"
    )
    with pytest.raises(ChatRefused, match="title"):
        asker(7, leases("hello"))


def test_people_s_answers_are_shown_but_never_the_item_s_own() -> None:
    store = Answered([Exemplar(Item("i1", {"text": "own"}), 0), Exemplar(Item("x", {"text": "known"}), 1)])
    model = Scripted(lambda _: "ham")
    asker, _ = asker_of(model, store, exemplars=ExemplarSettings(count=2, how="similar"))
    asker(7, leases("hello"))
    assert "known" in model.asked[0] and "own" not in model.asked[0].replace("known", "")


def test_asked_again_with_other_exemplars_a_question_is_paid_once() -> None:
    """As after an answer that could not be saved, or in another process: people answered meanwhile."""
    store = Answered([Exemplar(Item("x", {"text": "known"}), 1)])
    model = Scripted(lambda said: "neither" if "neither" not in said else "spam")
    shown = ExemplarSettings(count=2, how="fixed")
    asker, book = asker_of(model, store, exemplars=shown)
    first = asker(7, leases("hello"))
    again = VariantAsker(
        asker.variant,
        asker.chat,
        Exemplars(Answered([*store.exemplars, Exemplar(Item("y", {"text": "new"}), 0)]), shown),
    )
    (held,) = leases("hello")
    (vote,) = again(7, [replace(held, attempt=2)])
    assert len(model.asked) == 2, "the answer and its repair, once each"
    assert (vote.label, vote.micros) == (first[0].label, 0)
    assert [what for what, _ in book.done] == ["settled", "settled", "hit", "hit"]
    again(7, [replace(held, question=9)])
    assert len(model.asked) == 4, "another question is asked for itself"
    assert "new" in model.asked[-1]


def test_without_exemplars_nothing_is_read_and_with_them_not_each_time() -> None:
    store, now = Answered([Exemplar(Item("x", {"text": "known"}), 1)]), [0.0]
    assert Exemplars(store, ExemplarSettings()).of([Item("a", {"text": "t"})]) == []
    assert store.read == 0
    exemplars = Exemplars(store, ExemplarSettings(count=1, how="fixed"), lambda: now[0])
    for seconds in (0.0, FRESH_SECONDS - 1, FRESH_SECONDS):
        now[0] = seconds
        assert [[one.label for one in shown] for shown in exemplars.of([Item("a", {"text": "t"})])] == [[1]]
    assert store.read == 2
