"""Calls to Mechanical Turk's requester API, as far as they are needed.

https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMturkAPI/
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from daemon.adapters.outside.mturk.settings import MturkSettings
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideUnavailable

REGION = "us-east-1"
"""The only one that has Mechanical Turk."""

PAGE = 100

ATTEMPTS = 5
"""Of one call, by botocore, with waits between them; throttling is met so."""

EPOCH = datetime.fromtimestamp(0, UTC)

REFUSED_KEYS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes of errors about who calls."""

PASSING = frozenset(
    {
        "InternalFailure",
        "RequestLimitExceeded",
        "ServiceFault",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "InsufficientFunds",
        "QualificationTypeAlreadyExists",
    }
)
"""Codes of errors that time may mend: the service's own, money that somebody sends, and a qualification type
that was made a moment ago and is not listed yet."""

NO_KEYS = (
    "no keys of AWS were found for Mechanical Turk; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or any "
    "other place where boto3 looks for them"
)


class MturkClient:
    """One account of Mechanical Turk, as its requester.

    Raises from every call OutsideUnavailable where trying again may help, SetupProblem where somebody must
    change something first.
    """

    def __init__(self, settings: MturkSettings, attempts: int = ATTEMPTS) -> None:
        """Connects to nothing yet. Raises SetupProblem if boto3 or keys are not there."""
        self.url = settings.url
        self.api = _connect(settings, attempts)

    def balance(self) -> int:
        """What is left to spend, in millionths of a dollar."""
        return int(Decimal(self.call("get_account_balance")["AvailableBalance"]) * 1_000_000)

    def qualification(self, name: str, description: str) -> str:
        """Id of our qualification type of this name, made if there is none."""
        # All of ours, by no query: a search may read signs in a name as its own.
        wanted = {"MustBeRequestable": False, "MustBeOwnedByCaller": True}
        for found in self.pages("list_qualification_types", "QualificationTypes", **wanted):
            if found["Name"] == name:
                return str(found["QualificationTypeId"])
        made = {"Name": name, "Description": description, "QualificationTypeStatus": "Active"}
        return str(self.call("create_qualification_type", **made)["QualificationType"]["QualificationTypeId"])

    def hits(self, qualification: str) -> Iterator[Mapping[str, Any]]:
        """All HITs that ask for this qualification and are not deleted."""
        return self.pages("list_hits_for_qualification_type", "HITs", QualificationTypeId=qualification)

    def create(self, **asked: Any) -> None:
        """Make a HIT; one that was made with the same token is left as it is."""
        self._tolerating("HitAlreadyExists", "create_hit", **asked)

    def expire(self, hit: str) -> None:
        """Nobody can accept it any more; who has may still finish it."""
        self._tolerating("HITDoesNotExist", "update_expiration_for_hit", HITId=hit, ExpireAt=EPOCH)

    def delete(self, hit: str) -> None:
        """Delete a HIT that is done with. What cannot be deleted yet is left, what is gone is no error."""
        self._tolerating("HITDoesNotExist InvalidHITState", "delete_hit", HITId=hit)

    def assignments(self, hit: str) -> list[Mapping[str, Any]]:
        """What workers handed in, without what somebody rejected by hand."""
        wanted = {"HITId": hit, "AssignmentStatuses": ["Submitted", "Approved"]}
        return list(self.pages("list_assignments_for_hit", "Assignments", **wanted))

    def approve(self, assignment: str) -> None:
        """Pay the worker; what was approved before, or cannot be approved yet, is left as it is."""
        tolerated = "InvalidAssignmentState AssignmentDoesNotExist"
        self._tolerating(tolerated, "approve_assignment", AssignmentId=assignment)

    def holders(self, qualification: str) -> set[str]:
        """Workers that have this qualification."""
        granted = {"QualificationTypeId": qualification, "Status": "Granted"}
        found = self.pages("list_workers_with_qualification_type", "Qualifications", **granted)
        return {str(one["WorkerId"]) for one in found}

    def grant(self, qualification: str, worker: str) -> None:
        """Give a worker the qualification, without a letter. Who is unknown is no error."""
        given = {"QualificationTypeId": qualification, "WorkerId": worker, "SendNotification": False}
        self._tolerating("WorkerDoesNotExist", "associate_qualification_with_worker", **given)

    def revoke(self, qualification: str, worker: str) -> None:
        """Take it back; who does not have it is no error."""
        taken = {"QualificationTypeId": qualification, "WorkerId": worker}
        tolerated = "QualificationDoesNotExist WorkerDoesNotExist InvalidQualificationState"
        self._tolerating(tolerated, "disassociate_qualification_from_worker", **taken)

    def close(self) -> None:
        """Disconnect."""
        self.api.close()

    def pages(self, call: str, key: str, **asked: Any) -> Iterator[Mapping[str, Any]]:
        """Members of a list that comes in pages."""
        more: dict[str, Any] = {}
        while True:
            page = self.call(call, MaxResults=PAGE, **asked, **more)
            yield from page.get(key, ())
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def call(self, name: str, **asked: Any) -> Mapping[str, Any]:
        """One call by its name in boto3."""
        return self._tolerating("", name, **asked)

    def _tolerating(self, codes: str, name: str, **asked: Any) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        try:
            return dict(getattr(self.api, name)(**asked))
        except ClientError as error:
            code = _code(error.response)
            if code.lower() in codes.lower().split():
                return {}
            raise _refusal(name, code, error.response) from error
        except ResponseParserError as error:
            raise OutsideUnavailable(f"{self.url} sends no reply of Mechanical Turk's; is it one?") from error
        except BotoCoreError as error:
            raise _failure(self.url, name, error) from error


def _connect(settings: MturkSettings, attempts: int) -> Any:
    try:
        import boto3
        import defusedxml  # noqa: F401 (which reads answers)
        from botocore.config import Config
    except ImportError as error:
        raise SetupProblem(
            f"{error.name} is not installed, which Mechanical Turk needs; `pip install 'labelloop[mturk]'` "
            "brings it"
        ) from error
    session = boto3.session.Session()
    if session.get_credentials() is None:
        raise SetupProblem(NO_KEYS)
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=settings.timeout_seconds,
        read_timeout=settings.timeout_seconds,
    )
    return session.client("mturk", region_name=REGION, endpoint_url=settings.url, config=config)


def _code(reply: Mapping[str, Any]) -> str:
    """`HITDoesNotExist` of AWS.MechanicalTurk.HITDoesNotExist; AWS's own code where there is none."""
    return str(reply.get("TurkErrorCode") or reply["Error"]["Code"]).rpartition(".")[2]


def _refusal(call: str, code: str, reply: Mapping[str, Any]) -> Exception:
    said = reply["Error"].get("Message") or code
    status = int(reply.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    if code in REFUSED_KEYS:
        return SetupProblem(
            f"Mechanical Turk refuses the keys ({code}: {said}); they must be of an AWS account that is "
            "linked with a requester of this place, the sandbox or the real one"
        )
    if code == "InsufficientFunds":
        return OutsideUnavailable(f"the account at Mechanical Turk has too little money: {said}")
    if code in PASSING or status >= 500 or status == 429:
        return OutsideUnavailable(f"Mechanical Turk does not take {call} now ({code}: {said})")
    return SetupProblem(f"Mechanical Turk refuses {call} ({code}): {said}")


def _failure(url: str, call: str, error: Exception) -> Exception:
    """What is wrong when there was no reply."""
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return SetupProblem(NO_KEYS)
    if isinstance(error, exceptions.ParamValidationError):
        return SetupProblem(f"{call} cannot be sent to Mechanical Turk: {error}")
    return OutsideUnavailable(f"Mechanical Turk at {url}: {error}")
