"""Calls to Mechanical Turk: what is sent, and what each kind of refusal means."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber
from mturk_fixtures import KEYS

from daemon.adapters.outside.mturk.client import EPOCH, MturkClient
from daemon.adapters.outside.mturk.settings import PRODUCTION, SANDBOX, MturkSettings
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideUnavailable

HIT, ASSIGNMENT, KIND = "3HIT", "3ASN", "3QUAL"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[MturkClient]:
    """Whose calls are answered by a Stubber."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    made = MturkClient(MturkSettings())
    yield made
    made.close()


@pytest.fixture
def stub(client: MturkClient) -> Iterator[Stubber]:
    """Checks each request against the API's model; all that was prepared must be asked for."""
    with Stubber(client.api) as stub:
        yield stub
        stub.assert_no_pending_responses()


def refuse(
    stub: Stubber, call: str, turk_code: str = "", code: str = "RequestError", status: int = 400
) -> None:
    more = {"TurkErrorCode": f"AWS.MechanicalTurk.{turk_code}"} if turk_code else {}
    stub.add_client_error(call, code, f"said {turk_code or code}", status, modeled_fields=more)


def test_the_sandbox_is_called_unless_the_real_one_is_wanted(client: MturkClient) -> None:
    assert client.api.meta.endpoint_url == SANDBOX
    assert client.api.meta.region_name == "us-east-1"
    real = MturkClient(MturkSettings(sandbox=False))
    assert real.api.meta.endpoint_url == PRODUCTION
    real.close()


def test_lists_are_read_page_by_page(client: MturkClient, stub: Stubber) -> None:
    asked = {"QualificationTypeId": KIND, "MaxResults": 100}
    first = {"HITs": [{"HITId": "1"}, {"HITId": "2"}], "NextToken": "n"}
    stub.add_response("list_hits_for_qualification_type", first, asked)
    stub.add_response(
        "list_hits_for_qualification_type", {"HITs": [{"HITId": "3"}]}, asked | {"NextToken": "n"}
    )
    assert [hit["HITId"] for hit in client.hits(KIND)] == ["1", "2", "3"]


def test_money_is_read_to_the_millionth(client: MturkClient, stub: Stubber) -> None:
    stub.add_response("get_account_balance", {"AvailableBalance": "10000.07"})
    assert client.balance() == 10_000_070_000


def test_a_qualification_type_is_found_by_its_whole_name_or_made(client: MturkClient, stub: Stubber) -> None:
    asked = {"MustBeRequestable": False, "MustBeOwnedByCaller": True, "MaxResults": 100}
    others = [{"Name": "ours too", "QualificationTypeId": "1"}, {"Name": "ours", "QualificationTypeId": "2"}]
    stub.add_response("list_qualification_types", {"QualificationTypes": others}, asked)
    assert client.qualification("ours", "what for") == "2"
    stub.add_response("list_qualification_types", {"QualificationTypes": others[:1]}, asked)
    made = {"Name": "ours", "Description": "what for", "QualificationTypeStatus": "Active"}
    reply = {"QualificationType": {"QualificationTypeId": "3"}}
    stub.add_response("create_qualification_type", reply, made)
    assert client.qualification("ours", "what for") == "3"


def test_one_that_was_made_and_is_not_listed_yet_is_waited_for(client: MturkClient, stub: Stubber) -> None:
    stub.add_response("list_qualification_types", {"QualificationTypes": []})
    refuse(stub, "create_qualification_type", "QualificationTypeAlreadyExists")
    with pytest.raises(OutsideUnavailable):
        client.qualification("ours", "what for")


def test_a_hit_expires_in_the_past_so_that_nobody_accepts_it(client: MturkClient, stub: Stubber) -> None:
    stub.add_response("update_expiration_for_hit", {}, {"HITId": HIT, "ExpireAt": EPOCH})
    client.expire(HIT)


def test_people_get_no_letter_when_they_are_kept_out(client: MturkClient, stub: Stubber) -> None:
    given = {"QualificationTypeId": KIND, "WorkerId": "A1", "SendNotification": False}
    stub.add_response("associate_qualification_with_worker", {}, given)
    client.grant(KIND, "A1")
    stub.add_response(
        "disassociate_qualification_from_worker", {}, {"QualificationTypeId": KIND, "WorkerId": "A1"}
    )
    client.revoke(KIND, "A1")


@pytest.mark.parametrize(
    ("call", "code", "do"),
    [
        ("create_hit", "HitAlreadyExists", lambda client: client.create(**NEW)),
        ("create_hit", "HITAlreadyExists", lambda client: client.create(**NEW)),
        ("delete_hit", "InvalidHITState", lambda client: client.delete(HIT)),
        ("delete_hit", "HITDoesNotExist", lambda client: client.delete(HIT)),
        ("update_expiration_for_hit", "HITDoesNotExist", lambda client: client.expire(HIT)),
        ("approve_assignment", "InvalidAssignmentState", lambda client: client.approve(ASSIGNMENT)),
        (
            "associate_qualification_with_worker",
            "WorkerDoesNotExist",
            lambda client: client.grant(KIND, "A1"),
        ),
        (
            "disassociate_qualification_from_worker",
            "QualificationDoesNotExist",
            lambda client: client.revoke(KIND, "A1"),
        ),
    ],
)
def test_what_is_done_already_is_no_error(
    client: MturkClient, stub: Stubber, call: str, code: str, do: Any
) -> None:
    refuse(stub, call, code)
    do(client)


NEW: dict[str, Any] = {
    "LifetimeInSeconds": 60,
    "AssignmentDurationInSeconds": 60,
    "Reward": "0.05",
    "Title": "t",
    "Description": "d",
}


@pytest.mark.parametrize(
    ("turk_code", "code", "status"),
    [
        ("", "ServiceFault", 500),
        ("", "ThrottlingException", 400),
        ("", "Unheard", 503),
        ("", "Unheard", 429),
        ("InsufficientFunds", "RequestError", 400),
    ],
)
def test_what_time_can_mend_is_waited_for(
    client: MturkClient, stub: Stubber, turk_code: str, code: str, status: int
) -> None:
    refuse(stub, "create_hit", turk_code, code, status)
    with pytest.raises(OutsideUnavailable, match=turk_code or code):
        client.create(**NEW)


@pytest.mark.parametrize(
    ("turk_code", "code", "says"),
    [
        ("", "UnrecognizedClientException", "refuses the keys"),
        ("", "AccessDeniedException", "refuses the keys"),
        ("", "ExpiredTokenException", "refuses the keys"),
        ("InvalidParameterValue", "RequestError", r"refuses create_hit \(InvalidParameterValue\): said"),
    ],
)
def test_what_somebody_must_mend_stops_it(
    client: MturkClient, stub: Stubber, turk_code: str, code: str, says: str
) -> None:
    refuse(stub, "create_hit", turk_code, code)
    with pytest.raises(SetupProblem, match=says):
        client.create(**NEW)


def test_a_call_that_the_api_cannot_take_stops_it(client: MturkClient) -> None:
    with pytest.raises(SetupProblem, match="cannot be sent"):
        client.create(**(NEW | {"LifetimeInSeconds": "soon"}))


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=SANDBOX, error="refused"),
        ReadTimeoutError(endpoint_url=SANDBOX, error="late"),
    ],
)
def test_one_that_does_not_answer_is_waited_for(
    client: MturkClient, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: object) -> None:
        raise error

    monkeypatch.setattr(client.api, "get_account_balance", fails)
    with pytest.raises(OutsideUnavailable, match="sandbox"):
        client.balance()


def test_missing_keys_are_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SetupProblem, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        MturkClient(MturkSettings())


@pytest.mark.parametrize("name", ["boto3", "defusedxml"])
def test_a_missing_package_is_said_plainly(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SetupProblem, match=rf"{name} is not installed.*pip install 'labelloop\[mturk\]'"):
        MturkClient(MturkSettings())


def test_nobody_else_needs_these_packages() -> None:
    code = (
        "import sys; sys.modules.update(boto3=None, botocore=None, defusedxml=None); "
        "import daemon.wiring.check, daemon.wiring.outside, daemon.wiring.up"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
