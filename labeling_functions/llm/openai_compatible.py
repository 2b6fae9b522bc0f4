"""Asks any endpoint that speaks OpenAI's chat completions, through the `openai` client."""

import time
import weakref
from collections.abc import Callable
from typing import Any

from labeling_functions.llm import completion
from labeling_functions.llm.chat_model import ChatFailure, ChatRefused, ChatReply, ChatRequest, Message
from labeling_functions.llm.endpoint import EndpointSettings
from labeling_functions.llm.openai_failures import failure

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 2.0
"""Connections are used again for this long; servers close idle ones after 5 s, and a request that meets with
that would count as sent and lost."""

NO_KEY = "none"
"""The client insists on a key, and would otherwise send that of another endpoint from OPENAI_API_KEY."""


class OpenAICompatible:
    """One call an `ask`, nothing tried again.

    Args:
        key: to log in with; it never stands in a message or log of ours, nor in one that the server wrote.
        clock: seconds that never go back.
    """

    def __init__(
        self, endpoint: EndpointSettings, key: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoint = endpoint
        self._key = key
        self._clock = clock
        self._client = _client(endpoint, key)
        weakref.finalize(self, self._client.close)  # connections end with whoever uses them

    def ask(self, request: ChatRequest) -> ChatReply:
        """As ChatModel's."""
        started = self._clock()
        try:
            raw = self._send(_body(request, self._endpoint))
            return completion.read(raw, request, self._endpoint, self._clock() - started)
        except ChatFailure as failed:
            failed.args = (self._told(str(failed)),)
            raise

    def _send(self, body: dict[str, Any]) -> bytes:
        from openai import APIError

        try:
            content: bytes = self._client.chat.completions.with_raw_response.create(**body).content
        except APIError as error:
            raise failure(error) from None  # what it is made from may quote the key
        except UnicodeEncodeError as error:
            raise ChatRefused(f"the prompt is no text that can be sent: {error.reason}") from None
        return content

    def _told(self, said: str) -> str:
        """The message with the place in front, without the key, which some servers quote."""
        said = f"{self._endpoint.address}: {said}"
        return said.replace(self._key, "***") if self._key else said


def _client(endpoint: EndpointSettings, key: str | None) -> Any:
    import httpx2
    from openai import DefaultHttpxClient, OpenAI

    limits = httpx2.Limits(max_connections=endpoint.concurrency, keepalive_expiry=IDLE_SECONDS)
    seconds = endpoint.timeout_seconds
    timeout = httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    client = OpenAI(
        base_url=endpoint.address,
        api_key=key or NO_KEY,
        timeout=timeout,
        max_retries=0,
        http_client=DefaultHttpxClient(limits=limits, timeout=timeout),
    )
    client.organization = client.project = None  # of OpenAI's own environment variables; not for others
    return client


def _body(request: ChatRequest, endpoint: EndpointSettings) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [_message(message) for message in request.messages],
        "temperature": request.temperature,
        endpoint.limit_name: request.max_tokens,
    }
    if request.seed is not None:
        body["seed"] = request.seed
    if request.samples > 1:
        body["n"] = request.samples
    if request.top_logprobs:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    if request.schema is not None and endpoint.schema:
        held = {"name": "answer", "strict": True, "schema": dict(request.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": held}
    return body


def _message(message: Message) -> dict[str, Any]:
    if not message.images:
        return {"role": message.role, "content": message.text}
    text = {"type": "text", "text": message.text}
    pictures = [{"type": "image_url", "image_url": {"url": address}} for address in message.images]
    return {"role": message.role, "content": [text, *pictures]}
