"""Events posted over HTTP."""

from collections.abc import Mapping

from daemon.core.webhooks import NotDelivered


class HttpPost:
    """`daemon.core.webhooks.Post`; redirects are not followed, as they would carry what is told elsewhere."""

    def __init__(self) -> None:
        import httpx  # a sixth of a second that a worker without webhooks does without

        self._failures = (httpx.HTTPError, httpx.InvalidURL)
        self._client = httpx.Client(follow_redirects=False)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> None:
        """Raises NotDelivered, saying why, unless the answer is a success (2xx)."""
        try:
            reply = self._client.post(url, content=body, headers=dict(headers), timeout=seconds)
        except self._failures as error:
            raise NotDelivered(str(error) or type(error).__name__) from error
        if not reply.is_success:
            raise NotDelivered(f"HTTP {reply.status_code}")

    def close(self) -> None:
        """Disconnect."""
        self._client.close()
