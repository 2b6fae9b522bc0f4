"""No call without a line in the ledger, whatever becomes of it; no answer paid twice."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from call_book import ENDPOINT, Book

from daemon.core.call_rows import CallBill
from daemon.core.errors import CapReached, PartAway
from daemon.core.paid_chat import About, PaidChat, cache_key
from labeling_functions.llm.chat_model import (
    ChatBusy,
    ChatDown,
    ChatRefused,
    ChatReply,
    ChatRequest,
    ChatStoodStill,
    ChatUnknown,
    Message,
    Token,
)
from labeling_functions.llm.prices import longest

REQUEST = ChatRequest("m", (Message("user", "ham or spam? héllo"),), max_tokens=10)
REPLY = ChatReply(("ham",), ((Token("ham", -0.5, {"ham": -0.5, "spam": -1.0}),),), 20, 1, 0.25)
ABOUT = About(annotator=3, question=4, item="a", trace="tr-1")


@dataclass
class Model:
    """Says what it is told to, and looks at the ledger while it is asked."""

    book: Book
    says: Iterator[ChatReply | BaseException]

    def ask(self, request: ChatRequest) -> ChatReply:
        assert len(self.book.calls) == len(self.book.done) + 1, "reserved before it is made"
        said = next(self.says)
        if isinstance(said, BaseException):
            raise said
        return said


def chat_of(book: Book, *says: ChatReply | BaseException) -> PaidChat:
    return PaidChat(Model(book, iter(says)), book, book, "hosted", ENDPOINT, "llm", "run")


def test_what_was_paid_for_is_saved_when_the_database_is_back(caplog: pytest.LogCaptureFixture) -> None:
    book, waits = Book(away=3), list[float]()
    paid = replace(chat_of(book, REPLY), wait=waits.append).ask(REQUEST, ABOUT)
    assert paid.reply == REPLY
    assert (len(waits), len(book.kept), [what for what, _ in book.done]) == (3, 1, ["settled"])
    assert [record.action for record in caplog.records] == ["call_waits"], "told once"  # type: ignore[attr-defined]
    assert chat_of(book).ask(REQUEST, ABOUT).micros == 0


@pytest.mark.parametrize(("failure", "outcome"), [(ChatBusy("429"), "released"), (ChatUnknown("?"), "lost")])
def test_what_became_of_a_call_that_failed_is_saved_when_the_database_is_back(
    failure: Exception, outcome: str
) -> None:
    book = Book(away=2)
    with pytest.raises(type(failure)):
        replace(chat_of(book, failure), wait=lambda _: False).ask(REQUEST, ABOUT)
    assert book.done == [(outcome, None)]


def test_a_reply_counts_as_unsaved_until_its_price_is_booked() -> None:
    book, seen = Book(away=1), list[frozenset[int]]()
    chat = chat_of(book, REPLY)

    def wait(_: float) -> None:
        seen.append(chat.unsaved.questions())

    chat = replace(chat, wait=wait)
    chat.ask(REQUEST, replace(ABOUT, leases=((4, 1), (5, 2))))
    assert (seen, chat.unsaved.questions()) == ([frozenset({4, 5})], frozenset())


def test_a_call_that_failed_is_no_reply_that_waits() -> None:
    book, seen = Book(away=1), list[frozenset[int]]()
    chat = chat_of(book, ChatBusy("429"))
    chat = replace(chat, wait=lambda _: seen.append(chat.unsaved.questions()))
    with pytest.raises(ChatBusy):
        chat.ask(REQUEST, replace(ABOUT, leases=((4, 1),)))
    assert seen == [frozenset()]


def test_who_does_not_wait_for_the_database_is_told_that_it_is_away() -> None:
    book = Book(away=1)
    with pytest.raises(PartAway):
        chat_of(book, REPLY).ask(REQUEST, ABOUT)


def test_an_answer_is_kept_before_its_price_is_booked() -> None:
    """Killed in between, the process has lost a little of the budget, not the answer."""
    book = Book()
    chat_of(book, REPLY).ask(REQUEST, ABOUT)
    assert book.noted == ["reply", "line"]


def test_a_call_is_reserved_at_its_longest_and_settled_at_its_price() -> None:
    book = Book()
    paid = chat_of(book, REPLY).ask(REQUEST, ABOUT)
    assert (paid.reply, paid.micros) == (REPLY, 22_000)
    (call,) = book.calls
    assert (call.tier, call.endpoint, call.run) == ("llm", "hosted", "run")
    assert (call.annotator, call.question, call.item, call.trace) == (3, 4, "a", "tr-1")
    assert call.micros == longest(REQUEST, ENDPOINT) > 22_000
    assert call.seconds > ENDPOINT.timeout_seconds
    assert book.done == [("settled", CallBill(22_000, 20, 1, 0.25))]


def test_the_same_question_is_paid_once() -> None:
    book = Book()
    chat_of(book, REPLY).ask(REQUEST, ABOUT)
    again = chat_of(book).ask(REQUEST, About(5, trace="tr-2"))
    assert (again.reply, again.micros) == (replace(REPLY, cached=True), 0)
    assert (book.calls[1].micros, book.calls[1].trace) == (0, "tr-2")
    assert book.done[1] == ("hit", CallBill(0, 20, 1, 0.0))


@pytest.mark.parametrize("failure", [ChatRefused("no"), ChatBusy("429"), ChatStoodStill(), ChatDown("500")])
def test_what_was_not_billed_is_given_back_and_not_kept(failure: Exception) -> None:
    book = Book()
    with pytest.raises(type(failure)):
        chat_of(book, failure).ask(REQUEST, ABOUT)
    assert (book.done, book.kept) == ([("released", None)], {})


@pytest.mark.parametrize("failure", [ChatUnknown("timeout"), ValueError("bug"), KeyboardInterrupt()])
def test_what_nobody_knows_is_lost(failure: BaseException) -> None:
    book = Book()
    with pytest.raises(type(failure)):
        chat_of(book, failure).ask(REQUEST, ABOUT)
    assert (book.done, book.kept) == ([("lost", None)], {})


def test_without_money_nothing_is_sent_and_what_is_kept_still_serves() -> None:
    book = Book()
    chat_of(book, REPLY).ask(REQUEST, ABOUT)
    book.full = True
    with pytest.raises(CapReached, match="'llm'"):
        chat_of(book).ask(replace(REQUEST, model="other"), ABOUT)
    assert chat_of(book).ask(REQUEST, ABOUT).micros == 0


ASKING = replace(ABOUT, asking=((4, "a"),))
OTHER_PROMPT = replace(REQUEST, messages=(Message("user", "ham or spam? now with an example"),))


def test_a_question_whose_prompt_may_change_is_paid_once_whatever_its_prompt() -> None:
    book = Book()
    chat_of(book, REPLY).ask(REQUEST, ASKING)
    later = replace(ASKING, leases=((4, 2),), trace="tr-2")
    assert chat_of(book).ask(OTHER_PROMPT, later).reply.texts == REPLY.texts
    assert chat_of(book).ask(REQUEST, About()).micros == 0, "the prompt alone serves others"


@pytest.mark.parametrize(
    ("request_", "about"),
    [
        (OTHER_PROMPT, ABOUT),
        (OTHER_PROMPT, replace(ASKING, annotator=8)),
        (OTHER_PROMPT, replace(ASKING, asking=((5, "a"),))),
        (OTHER_PROMPT, replace(ASKING, asking=((4, "b"),))),
        (OTHER_PROMPT, replace(ASKING, asking=((4, "a"), (5, "b")))),
        (OTHER_PROMPT, replace(ASKING, place=1)),
        (OTHER_PROMPT, replace(ASKING, repair=True)),
        (replace(OTHER_PROMPT, model="n"), ASKING),
        (replace(OTHER_PROMPT, temperature=0.5), ASKING),
    ],
)
def test_another_question_is_asked_for_itself(request_: ChatRequest, about: About) -> None:
    book = Book()
    chat_of(book, REPLY).ask(REQUEST, ASKING)
    assert chat_of(book, REPLY).ask(request_, about).micros == 22_000


def test_everything_that_shapes_an_answer_is_in_its_key() -> None:
    others = [
        replace(REQUEST, model="n"),
        replace(REQUEST, messages=(Message("user", "ham or spam? hello"),)),
        replace(REQUEST, messages=(Message("system", "ham or spam? héllo"),)),
        replace(REQUEST, messages=(Message("user", "ham or spam? héllo", ("http://a/b.png",)),)),
        replace(REQUEST, max_tokens=11),
        replace(REQUEST, temperature=0.5),
        replace(REQUEST, seed=1),
        replace(REQUEST, samples=2),
        replace(REQUEST, top_logprobs=2),
        replace(REQUEST, schema={"type": "string"}),
    ]
    keys = [cache_key("u", request) for request in [REQUEST, *others]] + [cache_key("v", REQUEST)]
    assert len(set(keys)) == len(keys)
    assert cache_key("u", replace(REQUEST)) == keys[0]


@pytest.mark.parametrize("kept", [b"", b"not json", b"{}", b'{"texts": 3}'])
def test_a_kept_reply_that_cannot_be_read_is_asked_for_again(kept: bytes) -> None:
    book = Book()
    book.kept[cache_key(ENDPOINT.base_url, REQUEST)] = kept
    assert chat_of(book, REPLY).ask(REQUEST, ABOUT).micros == 22_000
    assert chat_of(book).ask(REQUEST, ABOUT).micros == 0


def test_a_reply_with_an_impossible_token_is_kept_or_asked_again() -> None:
    book = Book()
    odd = replace(REPLY, tokens=((Token("ham", -math.inf, {}),),))
    chat_of(book, odd).ask(REQUEST, ABOUT)
    assert chat_of(book, REPLY).ask(REQUEST, ABOUT).reply.texts == ("ham",)
