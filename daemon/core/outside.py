"""People who answer in another program: what is held for them, and what becomes of their votes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from daemon.core.rows import Lease
from daemon.core.wire import OutMessage, Span


@dataclass(frozen=True, slots=True)
class OutsideVote:
    """An answer that somebody gave elsewhere.

    Attributes:
        question: which one. annotator: who, by the name that the other program knows.
        label: as `labeling_functions.label_space` has labels; None where the answer names none of the task.
        seconds: what it took. probabilities: (C,) of each class as the annotator sees them, or None.
        external: key of the answer in the other program, where it has one: no key is taken twice.
    """

    question: int
    annotator: str
    label: int | None
    seconds: float = 0.0
    probabilities: tuple[float, ...] | None = None
    external: str | None = None


class Verdict(StrEnum):
    """What became of a vote. REPEATED ones changed nothing; all but these and TAKEN never can be taken."""

    TAKEN = "taken"
    REPEATED = "repeated"
    UNKNOWN_QUESTION = "unknown_question"
    NOT_OPEN = "not_open"
    ANSWERED_ALREADY = "answered_already"
    RESERVED = "reserved"
    PAUSED = "paused"
    UNREADABLE = "unreadable"


REASONS = {
    Verdict.UNKNOWN_QUESTION: "no tier that is answered there has such a question",
    Verdict.NOT_OPEN: "the question is not wanted any more: it was answered, or withdrawn",
    Verdict.ANSWERED_ALREADY: "this annotator has answered the item already, and nobody is asked twice",
    Verdict.RESERVED: "the question is meant for somebody else",
    Verdict.PAUSED: "this annotator is paused: `labelloop reviewers` says why",
    Verdict.UNREADABLE: "it names no label of the task",
}
"""Why a vote was not taken, for people."""

LOST = tuple(REASONS)

Announce = Callable[[Sequence[Lease]], Sequence[OutMessage]]
"""Called inside the transaction with the questions that are held from now on; pure; what to publish."""

Refuse = Callable[[Sequence[Verdict]], Sequence[OutMessage]]
"""Called inside the transaction with what became of each vote, in order; pure; what to publish."""


class OutsideStore(Protocol):
    """Questions held for people who answer elsewhere, and their answers."""

    def enroll(self, tier: str) -> int:
        """Id of the annotator that stands for the tier's queue: it holds questions and answers none."""

    def hold(
        self, queue: int, tier: str, most: int, seconds: float, announce: Announce = lambda _: ()
    ) -> list[Lease]:
        """Hold further questions, best first, until there are `most`, an item once; those that are new.

        What is no audit takes its money now, as far as the day's allowance reaches. What nobody answered
        within `seconds` is back in the queue, its money given back.
        """

    def held(self, queue: int) -> list[Lease]:
        """All that is held now."""

    def answered_by(self, items: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Item -> names of the people who have answered it, under any tier; no entry where nobody has."""

    def release(self, queue: int, questions: Sequence[int]) -> None:
        """Put those of the questions that are still held back into the tier's queue."""

    def paused(self, tier: str) -> frozenset[str]:
        """Names of the tier's people who are paused."""

    def take(
        self, votes: Sequence[OutsideVote], spans: Sequence[Span] = (), refuse: Refuse = lambda _: ()
    ) -> list[Verdict]:
        """Record and pay what can be taken; what became of each vote. One transaction.

        Each name is a person of the question's tier, enrolled here if new. A vote is taken while its
        question is open or held, late or not, and paid in any case.

        Args:
            votes: given in the same order. spans: of the log that they came from.
            refuse: what to publish of those that were not taken.

        Raises:
            FenceLost: a position is not what its span says; nothing was taken.
        """


NOBODY: Mapping[str, frozenset[str]] = MappingProxyType({})
"""Of no item it is known that anybody has answered it."""


class OutsideUnavailable(Exception):
    """The other program does not answer, or not as it should; nothing is lost, it is tried again."""


@dataclass(frozen=True, slots=True)
class Look:
    """What stands in the other program.

    Attributes:
        shown: questions that are there.
        votes: answers to them, each with its key; those seen before among them.
        unread: answers that name no label of the task, where these are no votes.
    """

    shown: frozenset[int]
    votes: tuple[OutsideVote, ...] = ()
    unread: int = 0


class OutsideQueue(Protocol):
    """Another program in which people answer. Every call may raise OutsideUnavailable.

    It keeps nothing here: what is held and what is shown are compared again and again, so that whatever a
    crash or an outage left behind is put right by the next turn.
    """

    def look(self) -> Look:
        """What is shown, and what was answered."""

    def offer(self, leases: Sequence[Lease], answered: Mapping[str, Collection[str]] = NOBODY) -> None:
        """Show these. Called by one process at a time, and only for questions that a look did not find.

        `answered`: item -> names of people whose answers to it would not be taken, as they have answered it.
        """

    def settle(self, verdicts: Sequence[tuple[OutsideVote, Verdict]]) -> None:
        """Told what became of each vote of the last look, before anything is withdrawn."""

    def withdraw(self, questions: Sequence[int]) -> None:
        """Show these no longer; those that are gone already are no error."""

    def keep_out(self, paused: Collection[str]) -> None:
        """These people are paused and are to be shown nothing; all others are not. Where the other program
        cannot tell people apart this does nothing: their answers are refused."""

    def close(self) -> None:
        """Disconnect."""
