"""What pages and outside queues need of questions."""

from collections.abc import Sequence
from typing import Protocol

from daemon.core.rows import Lease, Person


class QuestionStore(Protocol):
    """Leases and answers, for pages and outside queues. An id that is not enrolled is UnknownReviewer."""

    def enroll(self, name: str, tier: str) -> Person:
        """Register a reviewer of a tier, or find them."""

    def lease(self, person: int, tier: str, count: int, seconds: float) -> list[Lease]:
        """Up to `count` questions of the tier, best first, held by this person until then.

        Those that the person already holds come first, with a new lease. Nobody gets an item that they
        answered, skipped or hold; expired leases of others are free again. Audits were paid when they were
        made; all else is reserved now, within what the day's money allows by now, and given back when the
        lease ends without an answer.
        """

    def unpaid(self, tier: str) -> int:
        """Open questions of the tier that must wait until its budget allows them."""

    def answer(
        self,
        question: int,
        person: int,
        label: int,
        seconds: float,
        probabilities: Sequence[float] | None = None,
    ) -> int:
        """Record, pay and ask for a recheck; id of the answer.

        Repeating the same answer returns the same id. A late answer counts, and is paid, if its slot is still
        free; else raises LeaseLost. `label` outside the task's classes is the caller's to refuse.
        `probabilities`: (K,) of an answer that is no bare label, kept beside it.
        """

    def skip(self, question: int, person: int) -> None:
        """Pass the question on to somebody else."""

    def flag(self, question: int, person: int, note: str) -> None:
        """The person wants the item to go up a tier, for the reason in `note`; they never get it again.

        A question that is to settle its item ends, and the router goes on above its tier; others are passed
        on to somebody else. Repeating it changes the note.
        """

    def undo(self, person: int, seconds: float, question: int | None = None) -> Lease | None:
        """Retract the person's last answer and lease its question again; None if there is none to undo.

        With `question`, only an answer to this one is retracted: a repeated call returns the same lease.
        An answer that a closed window or a settled entry of the ledger rests on stands.
        """
