"""Every call of the API, fuzzed from its own description: answers are what it promises, and never a crash."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from review_house import PASSWORD, House, blank_database
from starlette.testclient import TestClient

from daemon.core.account_rows import Role
from daemon.review.access_table import TABLE

with warnings.catch_warnings():  # what it imports is deprecated in newer Python
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis import BaseSchema, Case, GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

HERE = "http://127.0.0.1"
EXAMPLES = 8
"""Of each call: all of them together stay well under a minute."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

OURS = {"Sec-Fetch-Site": "same-origin", "Origin": HERE}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, BaseSchema]]:
    """With an admin, items, answers and open questions; and what is described."""
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    made = House(folder, blank_database(folder))
    made.register_functions("prize", "friend")
    made.ask(["win a prize", "hello friend", "\u05e9\u05dc\u05d5\u05dd", "lunch?"])
    made.add_account("root", Role.ADMIN, ("expert", "crowd"))
    person = made.questions.enroll("root", "expert")
    (lease,) = made.questions.lease(person.id, "expert", 1, 600)
    made.questions.answer(lease.question, person.id, 1, 2.0)
    app = made.app()
    with TestClient(app, base_url=HERE, follow_redirects=False) as client:
        yield client, schemathesis.openapi.from_dict(app.openapi())
    made.close()


CALLS = [
    (method, path.replace(":path}", "}"))
    for method, path, _ in TABLE
    if (path.startswith("/api/") and path != "/api/docs") or path in ("/healthz", "/readyz", "/metrics")
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "wrong"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_answers_as_it_is_described(
    world: tuple[TestClient, BaseSchema], method: str, path: str, mode: GenerationMode
) -> None:
    client, described = world

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    def call(case: Case) -> None:
        sign_in(client)
        case.validate_response(send(client, case), checks=CHECKS)

    try:
        call()
    except Unsatisfiable:
        pytest.skip("nothing of this call can be wrong")


def send(client: TestClient, case: Case) -> Any:
    """Make the call; whatever cookies were thought up, ours are sent."""
    wanted = case.as_transport_kwargs(base_url=HERE)
    headers = {**{name: value for name, value in wanted["headers"].items() if name not in OURS}, **OURS}
    body = {name: wanted[name] for name in ("json", "content") if wanted.get(name) is not None}
    if wanted.get("data") is not None:
        body["content"] = wanted["data"]
    return client.request(
        wanted["method"], wanted["url"], params=wanted.get("params"), headers=headers, **body
    )


def sign_in(client: TestClient) -> None:
    """As the admin, whatever the last call did to the session."""
    if client.get("/api/account").status_code == 401:
        answer = client.post("/api/login", json={"name": "root", "password": PASSWORD}, headers=OURS)
        assert answer.status_code == 200, answer.text


def test_every_call_under_api_is_described(world: tuple[TestClient, BaseSchema]) -> None:
    described = {
        (method.upper(), path) for path, calls in world[1].raw_schema["paths"].items() for method in calls
    }
    assert described == set(CALLS)
