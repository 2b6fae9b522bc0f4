"""Plain HTTP to an MLflow server, for processes that do without the mlflow package (3-4 s to import)."""

import os
import ssl
from collections.abc import Mapping

import httpx

from daemon.adapters.mlflow_settings import shown
from daemon.core.errors import SetupProblem

VARIABLE = "MLFLOW_TRACKING_"
"""MLflow's own variables that are honored here begin so."""


def client(uri: str, seconds: float, environ: Mapping[str, str] = os.environ) -> httpx.Client:
    """A client that logs in and trusts certificates as MLflow's own variables say.

    Args:
        uri: address of the tracking server.
        seconds: until a call is given up.
        environ: `MLFLOW_TRACKING_USERNAME` and `_PASSWORD`, or `_TOKEN`; `_INSECURE_TLS` and
            `_SERVER_CERT_PATH`.

    Raises:
        SetupProblem: the address cannot be one.
    """
    user, password, token = (environ.get(VARIABLE + key, "") for key in ("USERNAME", "PASSWORD", "TOKEN"))
    headers = {"Authorization": f"Bearer {token}"} if token and not user else {}
    try:
        return httpx.Client(
            base_url=uri,
            auth=(user, password) if user else None,
            headers=headers,
            timeout=seconds,
            verify=_trusted(environ),
            follow_redirects=True,
        )
    except httpx.InvalidURL as error:
        raise SetupProblem(f"mlflow.uri: {shown(uri)} is no address: {error}") from None


def experiment_id(http: httpx.Client, name: str) -> str:
    """Id of an experiment, made if absent. Raises httpx.HTTPError."""
    found = _by_name(http, name)
    if found.status_code == httpx.codes.NOT_FOUND:
        made = http.post("api/2.0/mlflow/experiments/create", json={"name": name})
        if made.is_success:
            return _told(made, "experiment_id")
        found = _by_name(http, name)  # somebody else made it meanwhile
    return _told(found.raise_for_status(), "experiment", "experiment_id")


def trace_experiment(http: httpx.Client, trace: str) -> str | None:
    """Id of the experiment that holds a trace; None if there is no such trace. Raises httpx.HTTPError."""
    found = http.get(f"api/3.0/mlflow/traces/{trace}")
    if found.status_code == httpx.codes.NOT_FOUND:
        return None
    path = ("trace", "trace_info", "trace_location", "mlflow_experiment", "experiment_id")
    return _told(found.raise_for_status(), *path)


def run_experiment(http: httpx.Client, run: str) -> str | None:
    """Id of the experiment that holds a run; None if there is no such run. Raises httpx.HTTPError."""
    found = http.get("api/2.0/mlflow/runs/get", params={"run_id": run})
    if found.status_code == httpx.codes.NOT_FOUND:
        return None
    return _told(found.raise_for_status(), "run", "info", "experiment_id")


def brief(error: httpx.HTTPError) -> str:
    """What happened, without the address, which may hold a password."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"status {error.response.status_code}"
    if isinstance(error, httpx.DecodingError):
        return "what answers there is no MLflow"
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else "nothing listens there"


def _by_name(http: httpx.Client, name: str) -> httpx.Response:
    return http.get("api/2.0/mlflow/experiments/get-by-name", params={"experiment_name": name})


def _told(answer: httpx.Response, *path: str) -> str:
    try:
        value = answer.json()
        for key in path:
            value = value[key]
    except (ValueError, KeyError, TypeError):
        raise httpx.DecodingError("an answer of another form") from None
    return str(value)


def _trusted(environ: Mapping[str, str]) -> ssl.SSLContext | bool:
    if environ.get(f"{VARIABLE}INSECURE_TLS", "").lower() in ("true", "1"):
        return False
    path = environ.get(f"{VARIABLE}SERVER_CERT_PATH")
    return ssl.create_default_context(cafile=path) if path else True
