"""What the `openai` client raises, as failures of ours."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from labeling_functions.llm.chat_model import ChatBusy, ChatDown, ChatFailure, ChatRefused, ChatUnknown

NOT_SENT = (
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "ProxyError",
    "UnsupportedProtocol",
    "LocalProtocolError",
)
"""Errors of httpx after which nothing can have reached the server."""

BUSY = (429, 503)
NOT_RECEIVED = (408,)
"""The server gave up on a request that it had not got whole."""

NO_ANSWER_KNOWN = (504, 524)
"""A proxy gave up on a server that may still have done the work."""

SHOWN = 300


def failure(error: Exception) -> ChatFailure:
    """The failure that stands for an error of the client.

    Args:
        error: an openai.APIError: with `status_code` if the server answered, else caused by one of httpx.
    """
    status: int | None = getattr(error, "status_code", None)
    if status is None:
        return _without_answer(error)
    response: Any = getattr(error, "response", None)
    said = f"HTTP {status}: {_shown(error)}"
    if status in BUSY:
        return ChatBusy(said, retry_after(response.headers))
    if status in NO_ANSWER_KNOWN:
        return ChatUnknown(said)
    if status >= 500 or status in NOT_RECEIVED:
        return ChatDown(said)
    return ChatRefused(said)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a reply asks to wait (RFC 9110, 10.2.3): a number, or a date by the server's clock.

    None if it does not say, or not so that it can be understood.
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, headers.get("date", ""))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str, sent: str) -> float:
    """Seconds between two dates of HTTP, from now on if the second is missing; NaN if there is no first."""
    then, now = _date(date), _date(sent) or datetime.now(UTC)
    return (then - now).total_seconds() if then else math.nan


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _without_answer(error: Exception) -> ChatFailure:
    cause = error.__cause__
    said = f"{type(cause or error).__name__}: {cause or error}"
    if type(cause).__name__ in NOT_SENT:
        return ChatDown(f"not reachable ({said})")
    return ChatUnknown(f"sent, but no answer came ({said})")


def _shown(error: Exception) -> str:
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else body
    return str(said or error)[:SHOWN]
