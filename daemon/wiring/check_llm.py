"""What `labelloop check` looks at where language models answer. It makes no call that is paid."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from daemon.core.errors import SetupProblem
from daemon.wiring.annotate import check_ready
from daemon.wiring.checks import EMBEDDED, PAGE_SECONDS, Finding, State, ok
from daemon.wiring.config import Config
from daemon.wiring.endpoints import LANGUAGE_MODEL, read
from labeling_functions.llm.endpoint import EndpointSettings

GRAVITY = (State.OK, State.NOTE, State.PROBLEM)
REFUSED = (401, 403)


def endpoints(config: Config) -> Finding:
    """Are keys and templates there, and do the endpoints of all tiers answer and know their models?

    Raises:
        SetupProblem: a key, a template or the local model is not there, or an address does not answer.
    """
    for tier in config.llm_tiers:
        check_ready(config, tier)
    ways = {name: config.llm[name] for tier in config.llm_tiers for name in config.variants(tier)}
    found = [
        _endpoint(
            config.state,
            endpoint,
            config.endpoints[endpoint],
            {name: way.model for name, way in ways.items() if way.endpoint == endpoint},
        )
        for endpoint in sorted({way.endpoint for way in ways.values()})
    ]
    worst = max((one.state for one in found), key=GRAVITY.index)
    return Finding(worst, "; ".join(one.text for one in found))


def _endpoint(state: Path, name: str, endpoint: EndpointSettings, models: Mapping[str, str]) -> Finding:
    """`models`: of each way of asking it."""
    if (url := endpoint.base_url or read(state, LANGUAGE_MODEL)) is None:
        return ok(f"{name}: the local language model; {EMBEDDED}")
    key = endpoint.key()
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    try:
        answer = httpx.get(f"{url.rstrip('/')}/models", headers=headers, timeout=PAGE_SECONDS)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise SetupProblem(
            f"endpoints.{name}: nothing answers at {url} ({error or type(error).__name__}); "
            "start it, or correct base_url"
        ) from None
    if answer.status_code in REFUSED:
        held = f"the key in {endpoint.key_env}" if endpoint.key_env else "calls without a key (key_env)"
        return Finding(State.PROBLEM, f"endpoints.{name}: {url} refuses {held}: {answer.status_code}")
    known = _listed(answer)
    if known is None:
        return Finding(State.NOTE, f"{name} answers at {url}, but does not list its models")
    unknown = [f"llm.{way}.model: {model!r}" for way, model in models.items() if model not in known]
    if unknown:
        return Finding(
            State.NOTE,
            f"{', '.join(unknown)} is not among the models that {url} lists: {', '.join(sorted(known)[:5])}",
        )
    return ok(f"{name} answers at {url} and knows {', '.join(sorted(set(models.values())))}")


def _listed(answer: httpx.Response) -> set[str] | None:
    """Names of the models in an answer; None if it is not such a list."""
    try:
        return {str(model["id"]) for model in answer.json()["data"]} if answer.is_success else None
    except (ValueError, KeyError, TypeError):
        return None
