"""A judge asked about leased pairs: both orders, what they cost, what is noted of them, one repair."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from call_book import ENDPOINT, Book

from daemon.core.ask_judge import JudgeAsker
from daemon.core.judge_rows import BothOrders, judge_record
from daemon.core.paid_chat import PaidChat
from daemon.core.rows import Lease
from labeling_functions.llm.chat_model import ChatRefused, ChatReply, ChatRequest
from labeling_functions.llm.judges import judge_of
from labeling_functions.llm.settings import LLMSettings
from labeling_functions.pairs import TIE, A, B
from labeling_functions.task import ABSTAIN

QUALITY = re.compile(r"quality (\d)")


@dataclass
class Noted:
    """What was noted, by item."""

    orders: dict[str, BothOrders] = field(default_factory=dict)

    def note(self, annotator: int, item: str, orders: BothOrders) -> None:
        assert annotator == 7
        self.orders[item] = orders


@dataclass
class Biased:
    """Prefers the better response, but adds `bias` to the one that it reads first; 10 tokens in and 5 out."""

    bias: int = 0
    says: Callable[[str], str] = str
    asked: int = 0

    def ask(self, request: ChatRequest) -> ChatReply:
        self.asked += 1
        first, second = map(int, QUALITY.findall(request.messages[-1].text))
        better = "tie" if first + self.bias == second else ("1" if first + self.bias > second else "2")
        return ChatReply((self.says(better),), (), 10, 5, 0.5)


class Scoring:
    """Gives a response its quality as score."""

    def ask(self, request: ChatRequest) -> ChatReply:
        (score,) = QUALITY.findall(request.messages[-1].text)
        return ChatReply((score,), (), 10, 5, 0.5)


def asker_of(model: object, **settings: object) -> tuple[JudgeAsker, Book, Noted]:
    book, noted = Book(), Noted()
    shaped = LLMSettings(endpoint="hosted", model="m", **{"confidence": "none", **settings})  # type: ignore[arg-type]
    chat = PaidChat(model, book, book, "hosted", ENDPOINT, "llm", "run")  # type: ignore[arg-type]
    return JudgeAsker(judge_of("llm/judge", "Be strict.", shaped), chat, noted), book, noted


def leases(*qualities: tuple[int, int]) -> list[Lease]:
    made = []
    for number, (a, b) in enumerate(qualities, start=1):
        fields = {"prompt": "p", "response_a": f"a of quality {a}", "response_b": f"b of quality {b}"}
        payload = json.dumps({"id": f"i{number}", "fields": fields}).encode()
        made.append(Lease(number, f"i{number}", "llm", payload, False, 0))
    return made


def test_both_orders_are_asked_and_paid() -> None:
    model = Biased()
    asker, _, noted = asker_of(model)
    better, worse, even = asker(7, leases((5, 1), (1, 4), (2, 2)))
    assert [better.label, worse.label, even.label] == [A, B, TIE]
    assert (model.asked, better.micros, better.seconds) == (6, 2 * 20_000, 1.0)
    assert (better.probabilities, even.probabilities) == ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert noted.orders["i1"] == BothOrders((A, A), (1.0, 0.0))


def test_a_vote_that_turns_with_the_order_is_an_abstention_and_is_noted() -> None:
    asker, _, noted = asker_of(Biased(bias=2))
    clear, close = asker(7, leases((1, 5), (2, 3)))
    assert (clear.label, close.label, close.probabilities) == (B, ABSTAIN, None)
    assert close.micros == 2 * 20_000, "it is paid all the same"
    assert noted.orders["i2"] == BothOrders((A, B), (1.0, 1.0))


def test_a_tie_in_one_order_is_half_a_vote() -> None:
    asker, _, _ = asker_of(Biased(bias=1))
    (vote,) = asker(7, leases((2, 3)))  # a tie with A first; B with B first
    assert (vote.label, vote.probabilities) == (B, (0.0, 0.5, 0.5))


def test_known_bias_is_found_in_what_is_noted() -> None:
    asker, _, noted = asker_of(Biased(bias=2))
    asker(7, leases((1, 5), (2, 3), (3, 3), (5, 1)))
    record = judge_record("j", "1", list(noted.orders.values()))
    assert (record.pairs, record.flips, record.first, record.flip_share) == (4, 2, 2, 0.5)
    low, high = record.interval
    assert low < record.bias < high
    assert record.bias > 0.5
    fair, _, even = asker_of(Biased())
    fair(7, leases((1, 5), (2, 3), (3, 2), (5, 1)))
    assert judge_record("j", "1", list(even.orders.values())).bias == 0.0


def test_reasons_before_the_answer_are_read_over() -> None:
    model = Biased(says=lambda better: f"I thought of 1, 2 and more.\nAnswer: {better}")
    asker, _, _ = asker_of(model, chain_of_thought=True)
    assert [vote.label for vote in asker(7, leases((5, 1), (1, 5)))] == [A, B]
    assert model.asked == 4


def test_an_answer_out_of_form_is_asked_for_once_more() -> None:
    turn = iter(["well", "1", "2", "1", "hm", "hm"])
    model = Biased(says=lambda better: next(turn))

    def ask(request: ChatRequest) -> ChatReply:
        model.asked += 1
        return ChatReply((next(turn),), (), 10, 5, 0.5)

    model.ask = ask  # type: ignore[method-assign]
    asker, _, noted = asker_of(model)
    (vote,) = asker(7, leases((5, 1)))  # AB: "well", BA: "1"; then AB again: "2"
    assert (vote.label, vote.micros, model.asked) == (B, 3 * 20_000, 3)
    (hopeless,) = asker(7, leases((4, 1)))  # AB: "1", BA: "hm", again "hm"
    assert (hopeless.label, hopeless.probabilities) == (ABSTAIN, None)
    assert list(noted.orders) == ["i1"]
    assert noted.orders["i1"].said == (B, B), "what could not be read tells nothing of the order"


def test_scores_are_of_each_response_alone_and_know_no_order() -> None:
    asker, _, noted = asker_of(Scoring(), judge="scores")
    better, even = asker(7, leases((4, 2), (3, 3)))
    assert [better.label, even.label] == [A, TIE]
    assert (better.probabilities, even.probabilities) == ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    assert noted.orders == {}


def test_an_item_that_is_no_pair_is_refused() -> None:
    asker, _, _ = asker_of(Biased())
    with pytest.raises(ChatRefused, match="response_a"):
        asker(7, [Lease(1, "i1", "llm", b'{"id": "i1", "text": "x"}', False, 0)])
