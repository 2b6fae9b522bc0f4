"""Calls to MLflow: logins as its own variables say, never shown; what it answers, and what goes wrong."""

import base64
from collections.abc import Callable

import httpx
import pytest

from daemon.adapters.mlflow_http import brief, client, experiment_id, trace_experiment
from daemon.adapters.mlflow_settings import shown
from daemon.core.errors import SetupProblem

Answer = Callable[[httpx.Request], httpx.Response]


def answering(answer: Answer) -> httpx.Client:
    return httpx.Client(base_url="http://mlflow", transport=httpx.MockTransport(answer))


def authorization(environ: dict[str, str]) -> str | None:
    """What a call would be sent with."""
    with client("http://mlflow.example", 1, environ) as http:
        request = http.build_request("GET", "/")
        if http.auth is not None:
            request = next(http.auth.auth_flow(request))
    return request.headers.get("Authorization")


def test_the_login_of_mlflows_variables_is_used() -> None:
    named = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "secret"}
    assert authorization(named) == "Basic " + base64.b64encode(b"ann:secret").decode()
    assert authorization({"MLFLOW_TRACKING_TOKEN": "secret"}) == "Bearer secret"
    assert authorization({}) is None


def test_a_login_in_the_address_is_not_shown() -> None:
    assert shown("http://ann:secret@mlflow.example:5000/x/") == "http://mlflow.example:5000/x"


def test_an_address_that_cannot_be_one_is_a_problem_of_the_setup() -> None:
    with pytest.raises(SetupProblem, match=r"mlflow\.uri"):
        client("http://mlflow:port", 1)


def test_an_experiment_is_found_or_made() -> None:
    there: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            there["mail"] = "7"
            return httpx.Response(200, json={"experiment_id": "7"})
        known = there.get(request.url.params["experiment_name"])
        return httpx.Response(200 if known else 404, json={"experiment": {"experiment_id": known}})

    with answering(answer) as http:
        assert experiment_id(http, "mail") == "7"
        assert experiment_id(http, "mail") == "7"


def test_an_experiment_that_somebody_makes_meanwhile_is_taken() -> None:
    answers = iter(
        [
            httpx.Response(404),
            httpx.Response(400),
            httpx.Response(200, json={"experiment": {"experiment_id": 3}}),
        ]
    )
    with answering(lambda _: next(answers)) as http:
        assert experiment_id(http, "mail") == "3"


def test_a_trace_that_is_not_there_is_none() -> None:
    with answering(lambda _: httpx.Response(404)) as http:
        assert trace_experiment(http, "tr-1") is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(503), "status 503"),
        (httpx.Response(200, text="hello"), "what answers there is no MLflow"),
        (httpx.Response(200, json=[]), "what answers there is no MLflow"),
    ],
)
def test_what_goes_wrong_is_told_in_few_words(answer: httpx.Response, told: str) -> None:
    for call in (experiment_id, trace_experiment):
        with answering(lambda _: answer) as http, pytest.raises(httpx.HTTPError) as failure:
            call(http, "mail")
        assert brief(failure.value) == told
