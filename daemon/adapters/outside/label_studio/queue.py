"""Questions of one tier as tasks of a Label Studio project."""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from daemon.adapters.outside.label_studio.client import LabelStudioClient
from daemon.adapters.outside.label_studio.labeling import config_of, data_of, label_of, prediction_of
from daemon.core.outside import NOBODY, Look, OutsideVote, Verdict
from daemon.core.rows import Lease
from labeling_functions.task import Task

log = logging.getLogger(__name__)

MARK = "labelloop"
"""Key of a task's `meta` that holds the number of its question."""

LONGEST_SECONDS = 86_400.0

DELETED = "label-studio-deleted"
"""Who answered and is no user there any more; of several nobody knows which."""


class LabelStudioQueue:
    """`daemon.core.outside.OutsideQueue` on a project of Label Studio.

    Tasks without our mark are somebody else's, and left alone.
    """

    def __init__(self, client: LabelStudioClient, task: Task, title: str, suggest: bool) -> None:
        """Calls nothing yet.

        Args:
            title: of the project.
            suggest: whether tasks show what the votes at hand say; blind ones never do.
        """
        self._client = client
        self._task = task
        self._suggest = suggest
        self._title = title
        self._project: int | None = None
        self._names: dict[int, str] = {}
        self._tasks: dict[int, list[int]] = {}

    @property
    def project(self) -> int:
        """Id of the project, found or made at the first look, and its labeling config set."""
        if self._project is None:
            self._project = self._client.project(self._title, config_of(self._task))
        return self._project

    def look(self) -> Look:
        """All tasks of ours, and their annotations."""
        self._tasks, votes, unread = {}, [], 0
        for task in self._client.tasks(self.project):
            question = (task.get("meta") or {}).get(MARK)
            if not isinstance(question, int):
                continue
            self._tasks.setdefault(question, []).append(int(task["id"]))
            for annotation in task["annotations"]:
                if annotation["was_cancelled"]:
                    continue  # skipped: Label Studio offers it to somebody else
                vote = self._vote(question, annotation)
                votes += [] if vote is None else [vote]
                unread += vote is None
        return Look(frozenset(self._tasks), tuple(votes), unread)

    def offer(
        self,
        leases: Sequence[Lease],
        answered: Mapping[str, Collection[str]] = NOBODY,  # noqa: ARG002 (it shows everybody the same)
    ) -> None:
        """Add a task for each."""
        self._client.add(self.project, [self._new_task(lease) for lease in leases])

    def settle(self, verdicts: Sequence[tuple[OutsideVote, Verdict]]) -> None:
        """Nothing to do: answered tasks are withdrawn as all that is held no longer."""

    def withdraw(self, questions: Sequence[int]) -> None:
        """Delete their tasks."""
        gone = [task for question in questions for task in self._tasks.get(question, ())]
        if gone:
            self._client.delete(self.project, gone)

    def keep_out(self, paused: Collection[str]) -> None:
        """Nothing to do: Label Studio shows everybody the same."""

    def close(self) -> None:
        """Disconnect."""
        self._client.close()

    def _new_task(self, lease: Lease) -> dict[str, Any]:
        shown: dict[str, Any] = {"data": data_of(lease.payload, self._task), "meta": {MARK: lease.question}}
        if self._suggest and not lease.blind and lease.label is not None:
            shown["predictions"] = [prediction_of(self._task, lease.label, lease.sure)]
        return shown

    def _vote(self, question: int, annotation: Mapping[str, Any]) -> OutsideVote | None:
        try:
            label = label_of(self._task, annotation["result"])
        except ValueError as error:
            log.warning(
                "annotation %s of question %d is no answer: %s",
                annotation["id"],
                question,
                error,
                extra={"action": "outside_unread"},
            )
            return None
        seconds = min(float(annotation["lead_time"] or 0.0), LONGEST_SECONDS)
        # Label Studio gives the ids of what was deleted to new annotations: the time makes them differ.
        key = f"label_studio:{self.project}:{annotation['id']}:{annotation['created_at']}"
        return OutsideVote(question, self._name(annotation["completed_by"]), label, seconds, None, key)

    def _name(self, user: object) -> str:
        if user is None:
            return DELETED
        number = int(user["id"] if isinstance(user, Mapping) else str(user))
        if number not in self._names:
            self._names = self._client.names()
        return self._names.get(number, f"label-studio-{number}")
