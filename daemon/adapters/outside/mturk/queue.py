"""Questions of one tier as HITs of Mechanical Turk."""

import hashlib
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from daemon.adapters.outside.mturk.answers import label_of, seconds_of
from daemon.adapters.outside.mturk.client import MturkClient
from daemon.adapters.outside.mturk.page import Page
from daemon.adapters.outside.mturk.settings import HitSettings
from daemon.core.errors import SetupProblem
from daemon.core.outside import NOBODY, Look, OutsideUnavailable, OutsideVote, Verdict
from daemon.core.rows import Lease
from labeling_functions.task import Task

log = logging.getLogger(__name__)

MARK = re.compile(r"labelloop (\d+)")
"""A HIT's annotation, with the number of its question; workers do not see it."""

AUTO_APPROVAL_SECONDS = 86_400
"""Who answers is paid a day later at the latest, also if this program is down."""

WHAT_FOR = "Given to people who are asked no further questions of this kind for now."
"""Description of the qualification type."""

ON_SHOW = ("Assignable", "Unassignable")
"""States of HITs that somebody can accept, or has accepted and not handed in."""

_WORKER = re.compile(r"A[A-Z0-9]+")


class MturkQueue:
    """`daemon.core.outside.OutsideQueue` on Mechanical Turk.

    Each HIT asks for a qualification type of ours: that the worker is not among the paused people of this
    tier. By it the tier's HITs are found again, and everybody else's are left alone.

    A HIT takes one answer. Where that is not taken, the question goes back to its tier's queue and another
    HIT is made when it is held again. Requests carry a token that names the question and until when it is
    held: sent again, by whatever crash, one makes no second HIT, and one that is meant anew does.
    """

    def __init__(
        self,
        client: MturkClient,
        task: Task,
        name: str,
        settings: HitSettings,
        lease_seconds: int,
        page: Page,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Calls nothing yet.

        Args:
            name: that no other queue of the account has.
            lease_seconds: how long a HIT can be accepted.
            page: what workers see of a question.
        """
        self._client = client
        self._task = task
        self._name = name
        self._settings = settings
        self._lease_seconds = lease_seconds
        self._page = page
        self._now = now
        self._paused: set[str] | None = None
        self._shown: dict[int, list[Mapping[str, Any]]] = {}
        self._handed_in: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}
        self._qualification: str | None = None

    @property
    def qualification(self) -> str:
        """Id of our qualification type, found or made at the first look."""
        if self._qualification is None:
            self._qualification = self._client.qualification(self._name[:200], WHAT_FOR)
        return self._qualification

    def look(self) -> Look:
        """All HITs of this tier, and what was handed in, first come first. HITs that nobody answered in time
        are deleted."""
        self._shown, self._handed_in = {}, {}
        votes: list[OutsideVote] = []
        for hit in list(self._client.hits(self.qualification)):
            mark = MARK.fullmatch(hit.get("RequesterAnnotation") or "")
            if mark is None:
                continue
            question = int(mark[1])
            if hit["HITStatus"] in ON_SHOW:
                self._shown.setdefault(question, []).append(hit)
            else:
                votes += self._read(question, hit)
        in_order = sorted(votes, key=lambda vote: self._handed_in[str(vote.external)][1]["SubmitTime"])
        return Look(frozenset(self._shown), tuple(in_order))

    def offer(self, leases: Sequence[Lease], answered: Mapping[str, Collection[str]] = NOBODY) -> None:
        """Make a HIT for each, as far as the money on the account goes."""
        cost, balance = self._settings.cost_micros, self._client.balance()
        paid = min(len(leases), max(0, balance // cost))
        for lease in leases[:paid]:
            self._client.create(**self._request(lease, answered.get(lease.item, ())))
        if paid < len(leases):
            raise OutsideUnavailable(
                f"the account at Mechanical Turk has {balance / 1e6:.2f} USD left, and the next "
                f"{len(leases)} questions cost {len(leases) * cost / 1e6:.2f} with the fee; add money there"
            )

    def settle(self, verdicts: Sequence[tuple[OutsideVote, Verdict]]) -> None:
        """Approve every answer, whatever became of it: somebody did the work."""
        for vote, _ in verdicts:
            hit, assignment = self._handed_in[str(vote.external)]
            if assignment["AssignmentStatus"] == "Submitted":
                self._client.approve(assignment["AssignmentId"])
            self._client.delete(hit["HITId"])

    def withdraw(self, questions: Sequence[int]) -> None:
        """Let nobody accept their HITs any more. What somebody is working on is taken when it comes in."""
        for question in questions:
            for hit in self._shown.get(question, ()):
                if hit["Expiration"] > self._now():
                    self._client.expire(hit["HITId"])

    def keep_out(self, paused: Collection[str]) -> None:
        """Paused people have the qualification with which HITs cannot be seen; others have it no more."""
        wanted = {name for name in paused if _WORKER.fullmatch(name)}
        if self._paused is None:
            self._paused = self._client.holders(self.qualification)
        for worker in sorted(wanted - self._paused):
            self._change(self._client.grant, worker)
            self._paused.add(worker)
        for worker in sorted(self._paused - wanted):
            self._change(self._client.revoke, worker)
            self._paused.discard(worker)

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _change(self, change: Callable[[str, str], None], worker: str) -> None:
        """One person must not stop the tier: a name may be of the sandbox, or of somebody on the pages."""
        try:
            change(self.qualification, worker)
        except SetupProblem as problem:
            log.warning("worker %s: %s", worker, problem, extra={"action": "outside_not_kept_out"})

    def _read(self, question: int, hit: Mapping[str, Any]) -> list[OutsideVote]:
        assignments = self._client.assignments(hit["HITId"])
        if not assignments:
            self._client.delete(hit["HITId"])
            return []
        return [self._vote(question, hit, assignment) for assignment in assignments]

    def _vote(self, question: int, hit: Mapping[str, Any], assignment: Mapping[str, Any]) -> OutsideVote:
        key = f"mturk:{assignment['AssignmentId']}"
        self._handed_in[key] = (hit, assignment)
        label: int | None = None
        try:
            label = label_of(self._task, assignment.get("Answer") or "")
        except ValueError as error:
            log.warning(
                "assignment %s of question %d is no answer: %s",
                assignment["AssignmentId"],
                question,
                error,
                extra={"action": "outside_unread"},
            )
        return OutsideVote(question, str(assignment["WorkerId"]), label, seconds_of(assignment), None, key)

    def _request(self, lease: Lease, answered: Collection[str]) -> dict[str, Any]:
        settings, workers = self._settings, [name for name in answered if _WORKER.fullmatch(name)]
        paused = {"QualificationTypeId": self.qualification, "Comparator": "DoesNotExist"}
        guarded = paused | {"ActionsGuarded": "DiscoverPreviewAndAccept"}
        return {
            "MaxAssignments": 1,
            "AutoApprovalDelayInSeconds": AUTO_APPROVAL_SECONDS,
            "LifetimeInSeconds": self._lease_seconds,
            "AssignmentDurationInSeconds": settings.assignment_seconds,
            "Reward": f"{settings.reward:.2f}",
            "Title": settings.title,
            "Description": settings.description,
            "Question": self._page.question(lease, workers),
            "RequesterAnnotation": f"labelloop {lease.question}",
            "UniqueRequestToken": self._token(lease),
            "QualificationRequirements": [
                guarded,
                *(one.requirement() for one in settings.qualifications.values()),
            ],
        } | ({"Keywords": ", ".join(settings.keywords)} if settings.keywords else {})

    def _token(self, lease: Lease) -> str:
        """The same for the same wish: this question, as it is held now."""
        said = f"{self._name} {lease.question} {lease.until}"
        return hashlib.blake2b(said.encode(), digest_size=24).hexdigest()
