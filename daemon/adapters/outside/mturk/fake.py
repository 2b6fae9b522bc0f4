"""A Mechanical Turk in memory, for tests: the calls that we make, with the rules and replies of the real one.

Written from the API reference of version 2017-01-17; `fake_server` puts it behind HTTP.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from daemon.adapters.outside.mturk.answers import NAMES
from daemon.adapters.outside.mturk.fake_rules import Asked, Refused, check, cost, page_of

TOKEN_SECONDS = 86_400
ANSWERS = NAMES.strip("{}")


@dataclass
class Assignment:
    """A HIT that a worker accepted. `status`: Accepted, Returned, Submitted, Approved or Rejected."""

    id: str
    worker: str
    accepted: float
    status: str = "Accepted"
    submitted: float = 0.0
    answer: str = ""


@dataclass
class Hit:
    """Work that is offered. `asked`: the request that made it."""

    id: str
    asked: Asked
    created: float
    expires: float
    assignments: list[Assignment] = field(default_factory=list)


class FakeMturk:
    """One requester's account, and the workers.

    Attributes:
        money: dollars on the account. hits: by id. calls: name of each call.
        unknown: ids of workers that there are not. clock: seconds since 1970.
    """

    def __init__(self, money: str = "100.00", clock: Callable[[], float] = time.time) -> None:
        self.money = Decimal(money)
        self.clock = clock
        self.hits: dict[str, Hit] = {}
        self.calls: list[str] = []
        self.unknown: set[str] = set()
        self.kinds: dict[str, Asked] = {}
        self.granted: dict[str, set[str]] = {}
        self._tokens: dict[str, tuple[float, str]] = {}
        self._numbers = itertools.count(1)

    def call(self, name: str, asked: Asked) -> dict[str, Any]:
        """The reply to a call of the API. Raises Refused, or KeyError for a call that it does not know."""
        self.calls.append(name)
        return CALLS[name](self, asked)

    # What workers do.

    def visible(self, worker: str) -> list[str]:
        """Ids of the HITs that a worker sees and can accept."""
        return [hit.id for hit in self.hits.values() if self._may(hit, worker)]

    def accept(self, hit: str, worker: str) -> str:
        """Begin; id of the assignment."""
        if not self._may(self.hits[hit], worker):
            raise ValueError(f"{worker} cannot accept {hit}")
        made = Assignment(self._id("3ASN"), worker, self.clock())
        self.hits[hit].assignments.append(made)
        return made.id

    def give_back(self, assignment: str) -> None:
        """Return it without an answer."""
        self._find(assignment)[1].status = "Returned"

    def submit(self, assignment: str, fields: Sequence[tuple[str, str]]) -> None:
        """Hand in the fields of the form."""
        _, found = self._find(assignment)
        if found.status != "Accepted" or not fields:
            raise ValueError(f"{assignment} is {found.status} and has {len(fields)} fields")
        root = ElementTree.Element("QuestionFormAnswers", xmlns=ANSWERS)
        for name, value in fields:
            answer = ElementTree.SubElement(root, "Answer")
            ElementTree.SubElement(answer, "QuestionIdentifier").text = name
            ElementTree.SubElement(answer, "FreeText").text = value
        found.answer = ElementTree.tostring(root, encoding="unicode")
        found.status, found.submitted = "Submitted", self.clock()

    def reject(self, assignment: str) -> None:
        """What a requester does by hand; ours never does."""
        self._find(assignment)[1].status = "Rejected"

    def page(self, hit: str) -> str:
        """The HTML of a HIT."""
        root = ElementTree.fromstring(self.hits[hit].asked["Question"])
        return root.findtext("{*}HTMLContent", "")

    def paid(self, worker: str) -> Decimal:
        """What a worker earned by HITs that are still there."""
        return sum(
            (
                Decimal(hit.asked["Reward"])
                for hit in self.hits.values()
                for one in hit.assignments
                if one.worker == worker and one.status == "Approved"
            ),
            Decimal(0),
        )

    def _may(self, hit: Hit, worker: str) -> bool:
        kept_out = any(
            (worker in self.granted[one["QualificationTypeId"]]) is not (one["Comparator"] == "Exists")
            for one in hit.asked["QualificationRequirements"]
            if one["QualificationTypeId"] in self.kinds
        )
        done = any(one.worker == worker and one.status != "Returned" for one in hit.assignments)
        return self.status(hit) == "Assignable" and not kept_out and not done

    # What the requester calls.

    def status(self, hit: Hit) -> str:
        """State of a HIT, now."""
        self._pass_time(hit)
        states = [one.status for one in hit.assignments]
        if "Accepted" in states:
            return "Unassignable"
        if {"Submitted", "Approved", "Rejected"} & set(states) or hit.expires <= self.clock():
            return "Reviewable"
        return "Assignable"

    def _pass_time(self, hit: Hit) -> None:
        now = self.clock()
        for one in hit.assignments:
            if one.status == "Accepted" and now > one.accepted + hit.asked["AssignmentDurationInSeconds"]:
                one.status = "Returned"
            due = one.submitted + hit.asked["AutoApprovalDelayInSeconds"]
            if one.status == "Submitted" and now > due:
                self._pay(hit, one)

    def _pay(self, hit: Hit, assignment: Assignment) -> None:
        assignment.status = "Approved"
        self.money -= cost(hit.asked)

    def _create(self, asked: Asked) -> dict[str, Any]:
        token = asked.get("UniqueRequestToken", "")
        at, made = self._tokens.get(token, (0.0, ""))
        if token and self.clock() < at + TOKEN_SECONDS:
            raise Refused("HitAlreadyExists", f"The HIT with ID {made} was made with this token already.")
        check(asked)
        if unknown := [
            one["QualificationTypeId"]
            for one in asked.get("QualificationRequirements", ())
            if one["QualificationTypeId"] not in self.kinds
            and not one["QualificationTypeId"].startswith("0000")
        ]:
            raise Refused("QualificationTypeDoesNotExist", f"QualificationType {unknown[0]} does not exist.")
        now = self.clock()
        hit = Hit(self._id("3HIT"), asked, now, now + asked["LifetimeInSeconds"])
        if self._available() < cost(hit.asked):
            raise Refused("InsufficientFunds", "This Requester has insufficient funds in their account.")
        self.hits[hit.id] = hit
        self._tokens[token] = (now, hit.id)
        return {"HIT": self._told(hit)}

    def _list(self, asked: Asked) -> dict[str, Any]:
        wanted = asked["QualificationTypeId"]
        found = [
            self._told(hit)
            for hit in reversed(self.hits.values())
            if any(one["QualificationTypeId"] == wanted for one in hit.asked["QualificationRequirements"])
        ]
        return page_of("HITs", found, asked)

    def _told(self, hit: Hit) -> dict[str, Any]:
        status = self.status(hit)
        return {
            "HITId": hit.id,
            "HITStatus": status,
            "CreationTime": hit.created,
            "Expiration": hit.expires,
            "RequesterAnnotation": hit.asked.get("RequesterAnnotation", ""),
            "MaxAssignments": hit.asked["MaxAssignments"],
            "NumberOfAssignmentsPending": int(status == "Unassignable"),
            "NumberOfAssignmentsAvailable": int(status == "Assignable"),
        }

    def _assignments(self, asked: Asked) -> dict[str, Any]:
        hit = self._hit(asked)
        self._pass_time(hit)
        found = [
            {
                "AssignmentId": one.id,
                "WorkerId": one.worker,
                "HITId": hit.id,
                "AssignmentStatus": one.status,
                "AcceptTime": one.accepted,
                "SubmitTime": one.submitted,
                "Answer": one.answer,
            }
            for one in hit.assignments
            if one.status in asked.get("AssignmentStatuses", ("Submitted", "Approved", "Rejected"))
        ]
        return page_of("Assignments", found, asked)

    def _approve(self, asked: Asked) -> dict[str, Any]:
        hit, assignment = self._find(asked["AssignmentId"])
        if assignment.status != "Submitted":
            said = f"This operation can be called with a status of: Submitted, not {assignment.status}"
            raise Refused("InvalidAssignmentState", said)
        self._pay(hit, assignment)
        return {}

    def _expire(self, asked: Asked) -> dict[str, Any]:
        self._hit(asked).expires = float(asked["ExpireAt"])
        return {}

    def _delete(self, asked: Asked) -> dict[str, Any]:
        hit = self._hit(asked)
        open_still = any(one.status == "Submitted" for one in hit.assignments)
        if self.status(hit) != "Reviewable" or open_still:
            raise Refused("InvalidHITState", f"This HIT is {self.status(hit)}, or has work not yet approved.")
        del self.hits[hit.id]
        return {}

    def _balance(self, _: Asked) -> dict[str, Any]:
        return {"AvailableBalance": f"{self._available():.2f}"}

    def _available(self) -> Decimal:
        """What is on the account and promised to nobody."""
        promised = [
            hit
            for hit in self.hits.values()
            if self.status(hit) != "Reviewable" or any(one.status == "Submitted" for one in hit.assignments)
        ]
        return self.money - sum((cost(hit.asked) for hit in promised), Decimal(0))

    def _new_kind(self, asked: Asked) -> dict[str, Any]:
        if asked["Name"] in [one["Name"] for one in self.kinds.values()]:
            raise Refused(
                "QualificationTypeAlreadyExists",
                "You have already created a QualificationType with this name.",
            )
        number = self._id("3QUAL")
        self.kinds[number], self.granted[number] = asked, set()
        return {"QualificationType": {"QualificationTypeId": number, **asked}}

    def _kinds(self, asked: Asked) -> dict[str, Any]:
        found = [
            {"QualificationTypeId": number, **kind}
            for number, kind in self.kinds.items()
            if asked.get("Query", "").lower() in kind["Name"].lower()
        ]
        return page_of("QualificationTypes", found, asked)

    def _grant(self, asked: Asked) -> dict[str, Any]:
        if asked["WorkerId"] in self.unknown:
            raise Refused("InvalidParameterValue", f"There is no Worker {asked['WorkerId']}.")
        self.granted[asked["QualificationTypeId"]].add(asked["WorkerId"])
        return {}

    def _revoke(self, asked: Asked) -> dict[str, Any]:
        holders = self.granted[asked["QualificationTypeId"]]
        if asked["WorkerId"] not in holders:
            raise Refused("QualificationDoesNotExist", "You requested a Qualification that does not exist.")
        holders.discard(asked["WorkerId"])
        return {}

    def _holders(self, asked: Asked) -> dict[str, Any]:
        found = [{"WorkerId": one} for one in sorted(self.granted[asked["QualificationTypeId"]])]
        return page_of("Qualifications", found, asked)

    def _hit(self, asked: Asked) -> Hit:
        if asked["HITId"] not in self.hits:
            raise Refused("HITDoesNotExist", f"Hit {asked['HITId']} does not exist.")
        return self.hits[asked["HITId"]]

    def _find(self, assignment: str) -> tuple[Hit, Assignment]:
        for hit in self.hits.values():
            self._pass_time(hit)
            for one in hit.assignments:
                if one.id == assignment:
                    return hit, one
        raise Refused("AssignmentDoesNotExist", f"Assignment {assignment} does not exist.")

    def _id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):08d}"


CALLS: Mapping[str, Callable[[FakeMturk, Asked], dict[str, Any]]] = {
    "CreateHIT": FakeMturk._create,
    "ListHITsForQualificationType": FakeMturk._list,
    "ListAssignmentsForHIT": FakeMturk._assignments,
    "ApproveAssignment": FakeMturk._approve,
    "UpdateExpirationForHIT": FakeMturk._expire,
    "DeleteHIT": FakeMturk._delete,
    "GetAccountBalance": FakeMturk._balance,
    "CreateQualificationType": FakeMturk._new_kind,
    "ListQualificationTypes": FakeMturk._kinds,
    "AssociateQualificationWithWorker": FakeMturk._grant,
    "DisassociateQualificationFromWorker": FakeMturk._revoke,
    "ListWorkersWithQualificationType": FakeMturk._holders,
}
