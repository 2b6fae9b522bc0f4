"""Asks a judge about leased pairs: in both orders, or about each response, with one try to repair."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from daemon.core.ask_variant import Chat, about_leases
from daemon.core.call_rows import ModelVote
from daemon.core.decoding import decode_stored
from daemon.core.judge_rows import BothOrders
from daemon.core.paid_chat import About, Paid
from daemon.core.rows import Lease
from labeling_functions.items import Item
from labeling_functions.llm.chat_model import ChatRefused
from labeling_functions.llm.judges import Judge
from labeling_functions.llm.preference import PairVote
from labeling_functions.llm.templates import PromptError
from labeling_functions.pairs import Pair, pair_of


class JudgmentBook(Protocol):
    """Keeps what judges said in both orders."""

    def note(self, annotator: int, item: str, orders: BothOrders) -> None:
        """What it said about this pair; the last time counts."""


@dataclass(frozen=True, slots=True)
class JudgeAsker:
    """`daemon.core.annotate.AskItems` of one judge."""

    judge: Judge
    chat: Chat
    book: JudgmentBook

    def __call__(self, annotator: int, leases: Sequence[Lease]) -> list[ModelVote]:
        """Ask about the pairs of these leases, one by one."""
        return [self._one(decode_stored(lease.payload), about_leases(annotator, [lease])) for lease in leases]

    def ask(self, items: Sequence[Item], about: About) -> list[ModelVote]:
        """What the judge says about each item, in order. Raises as `AskItems` does."""
        return [self._one(item, about) for item in items]

    def _one(self, item: Item, about: About) -> ModelVote:
        try:
            vote, paid = self._judged(pair_of(item), about)
        except (PromptError, ValueError) as error:
            raise ChatRefused(str(error)) from error
        if vote.first is not None and about.annotator is not None:
            self.book.note(about.annotator, item.id, BothOrders(vote.said, vote.first))
        return ModelVote(
            label=vote.label,
            probabilities=vote.probabilities,
            micros=sum(one.micros for one in paid),
            seconds=sum(one.reply.seconds for one in paid),
        )

    def _judged(self, pair: Pair, about: About) -> tuple[PairVote, list[Paid]]:
        paid = [self.chat.ask(request, about) for request in self.judge.requests(pair)]
        replies = [one.reply for one in paid]
        for place, request in self.judge.repairs(pair, replies).items():
            again = self.chat.ask(request, replace(about, repair=True))
            paid.append(again)
            replies[place] = again.reply
        return self.judge.vote((replies[0], replies[1])), paid
