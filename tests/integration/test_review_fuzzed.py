"""Every call of the API, fuzzed from its own description: answers are what it promises, and never a crash."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from review_house import PASSWORD, House
from starlette.testclient import TestClient

from daemon.core.account_rows import Role
from daemon.review.access_table import TABLE

HERE = "http://127.0.0.1"
EXAMPLES = 8
"""Of each call: all of them together stay well under a minute."""

OURS = {"Sec-Fetch-Site": "same-origin", "Origin": HERE}


@dataclass(frozen=True)
class World:
    """A server and what it describes.

    Attributes:
        checks: what must hold of its answers. modes: name of a way to ask -> what the library calls it.
    """

    client: TestClient
    described: Any
    checks: Sequence[Any]
    modes: Mapping[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With an admin, items, answers and open questions."""
    with warnings.catch_warnings():  # what it imports is deprecated in newer Python
        warnings.simplefilter("ignore")
        import schemathesis  # here: every process of a run imports this module, and one runs its tests
        from schemathesis.checks import not_a_server_error
        from schemathesis.specs.openapi import checks
    folder: Path = tmp_path_factory.mktemp("fuzzed")
    made = House(folder)
    made.register_functions("prize", "friend")
    made.ask(["win a prize", "hello friend", "\u05e9\u05dc\u05d5\u05dd", "lunch?"])
    made.add_account("root", Role.ADMIN, ("expert", "crowd"))
    person = made.questions.enroll("root", "expert")
    (lease,) = made.questions.lease(person.id, "expert", 1, 600)
    made.questions.answer(lease.question, person.id, 1, 2.0)
    app = made.app()
    with TestClient(app, base_url=HERE, follow_redirects=False) as client:
        yield World(
            client,
            schemathesis.openapi.from_dict(app.openapi()),
            [
                not_a_server_error,
                checks.status_code_conformance,
                checks.content_type_conformance,
                checks.response_schema_conformance,
            ],
            {"fitting": schemathesis.GenerationMode.POSITIVE, "wrong": schemathesis.GenerationMode.NEGATIVE},
        )
    made.close()


CALLS = [
    (method, path.replace(":path}", "}"))
    for method, path, _ in TABLE
    if (path.startswith("/api/") and path != "/api/docs") or path in ("/healthz", "/readyz", "/metrics")
]


@pytest.mark.parametrize("mode", ["fitting", "wrong"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_answers_as_it_is_described(world: World, method: str, path: str, mode: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=world.described[path][method].as_strategy(generation_mode=world.modes[mode]))
    def call(case: Any) -> None:
        sign_in(world.client)
        case.validate_response(send(world.client, case), checks=world.checks)

    try:
        call()
    except Unsatisfiable:
        pytest.skip("nothing of this call can be wrong")


def send(client: TestClient, case: Any) -> Any:
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


def test_every_call_under_api_is_described(world: World) -> None:
    paths = world.described.raw_schema["paths"]
    assert {(method.upper(), path) for path, calls in paths.items() for method in calls} == set(CALLS)
