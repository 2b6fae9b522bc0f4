"""Where language models are reached, what they charge, and how much they may be asked at a time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le, MinLen

from labeling_functions.secret_variables import SecretUnreadable, secret


class KeyMissing(Exception):
    """The environment variable that should hold an endpoint's key is not there; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSettings:
    """An address that speaks OpenAI's chat completions: hosted ones, vLLM, Ollama, llama.cpp.

    Attributes:
        base_url: up to and including the version, as in https://api.example.com/v1; null for the small
            language model that `labelloop up` starts on this machine (extra `local-llm`).
        key_env: name of the environment variable that holds the key; null if the endpoint wants none.
        price_in: currency per 1,000 tokens of the prompt.
        price_out: currency per 1,000 tokens of the answer.
        timeout_seconds: an answer that is not there after this long counts as lost, and as paid.
        concurrency: calls under way at once, in one process.
        requests_per_minute: calls that may begin within any 60 s, in one process; null for no limit.
        tokens_per_minute: tokens within any 60 s, in one process, those of calls under way counted as they
            may be at most; null for no limit.
        schema: whether it holds answers to a JSON schema (`response_format`).
        samples: whether it gives several answers a call (`n`); otherwise it is asked once for each.
        limit_name: how it calls the longest answer; OpenAI's reasoning models want the newer name.
        image_tokens: tokens that one picture is billed at most. The default is above what any endpoint is
            known to bill; a lower one lets more calls be under way within a small budget.
        budget_per_day: currency that all tiers together may spend here in a UTC day; null for no limit.
    """

    base_url: Annotated[str, MinLen(1)] | None = None
    key_env: str | None = None
    price_in: Annotated[float, Ge(0)] = 0.0
    price_out: Annotated[float, Ge(0)] = 0.0
    timeout_seconds: Annotated[float, Gt(0), Le(3_600)] = 60.0
    concurrency: Annotated[int, Ge(1), Le(1_000)] = 4
    requests_per_minute: Annotated[int, Ge(1)] | None = None
    tokens_per_minute: Annotated[int, Ge(1)] | None = None
    schema: bool = False
    samples: bool = True
    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    image_tokens: Annotated[int, Ge(1)] = 50_000
    budget_per_day: Annotated[float, Ge(0)] | None = None

    def __post_init__(self) -> None:
        if self.base_url is not None:
            _check_address(self.base_url)
        if self.key_env is not None and not self.key_env.replace("_", "a").isalnum():
            raise ValueError("key_env: is no name of a variable; give the variable's name, never the key")

    @property
    def address(self) -> str:
        """Where it is; ValueError for the local model's as long as nobody has said where that runs."""
        if self.base_url is None:
            raise ValueError("base_url: the local language model's address is not known yet")
        return self.base_url

    def key(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The key to log in with, None where none is wanted. It is for the endpoint alone: never show it.

        Raises:
            KeyMissing: neither variable nor file is there, or both are empty.
        """
        if self.key_env is None:
            return None
        try:
            key = secret(self.key_env, environment)
        except SecretUnreadable as problem:
            raise KeyMissing(f"the key of {self.base_url} is missing: {problem}") from None
        if key:
            return key
        raise KeyMissing(
            f"the key of {self.base_url} is missing: set the environment variable {self.key_env}, or"
            f" {self.key_env}_FILE to a file that holds it (or leave key_env out if the endpoint wants none)"
        )


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("base_url: holds a login; name the variable that holds the key in key_env")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"base_url: {url!r} is no address; give one as https://host/v1")
    if parts.query or parts.fragment:
        raise ValueError("base_url: ends with a path; leave out everything from ? or # on")
