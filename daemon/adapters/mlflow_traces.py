"""Traces on their way to MLflow: a bounded queue, and a thread that sends it in batches."""

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable

import httpx

from daemon.adapters import mlflow_http, otlp
from daemon.adapters.mlflow_settings import shown
from daemon.core.traces import Trace

log = logging.getLogger(__name__)

ROOM_BYTES = 16_000_000
"""Of traces that wait; what finds no room is dropped."""

BATCH_TRACES, BATCH_BYTES = 50, 1_000_000
"""Of one request, at most; a larger trace goes alone."""

GATHER_SECONDS = 1.0
"""A batch waits so long for more."""

REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0
"""After a failure, doubled after each further one."""

REQUEST_SECONDS = 10.0

SPOILED = frozenset(
    {httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.UNPROCESSABLE_ENTITY}
)
"""Statuses of a batch of which something can never be taken; all others may pass."""


class MlflowTraces:
    """`daemon.core.traces.TraceLog` on an MLflow server; its thread ends with `close`."""

    def __init__(
        self,
        uri: str,
        experiment: str,
        share: float = 1.0,
        *,
        currency: str = "USD",
        room_bytes: int = ROOM_BYTES,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Start the thread.

        Args:
            uri: address of the tracking server.
            experiment: name; made if absent.
            share: of askings that are kept, 0 to 1.
            currency: of prices.
            room_bytes: of traces that wait, as they are sent.
            chance: uniform in [0, 1), for the share.
        """
        self._uri = uri
        self._experiment = experiment
        self._share = share
        self._currency = currency
        self._room = room_bytes
        self._chance = chance
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._pending = 0
        self._dropped = 0
        self._until: float | None = None
        self._changed = threading.Condition()
        http = mlflow_http.client(uri, REQUEST_SECONDS)
        # A daemon: a server that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, args=(http,), name="traces", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Traces that were kept here and will never be seen there."""
        with self._changed:
            return self._dropped

    def begin(self) -> str | None:
        """Id of a new trace; None if this asking is not one of the share that is kept."""
        return otlp.new_id() if self._chance() < self._share else None

    def keep(self, trace: Trace) -> None:
        """Have it sent in the background."""
        encoded = otlp.encode(trace, self._currency)
        with self._changed:
            if self._until is not None or self._bytes + len(encoded) > self._room:
                self._dropped += 1
                return
            self._waiting.append(encoded)
            self._bytes += len(encoded)
            self._pending += 1
            self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Send what waits, for so long at most; what is left then is dropped. Nothing is kept afterwards."""
        with self._changed:
            if self._until is None:
                self._until = time.monotonic() + seconds
            self._changed.notify_all()
        self._thread.join(seconds)
        with self._changed:
            self._dropped += self._pending
            self._pending = 0
            if self._dropped:
                log.warning(
                    "%d traces were dropped on their way to MLflow at %s",
                    self._dropped,
                    shown(self._uri),
                    extra={"action": "traces_dropped"},
                )

    def _work(self, http: httpx.Client) -> None:
        with http:
            road = _Road(http, self._experiment)
            while batch := self._next():
                self._deliver(road, batch)

    def _next(self) -> list[bytes]:
        """The oldest that wait, once there are some; none when there is no more to come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._until is not None)
            self._changed.wait_for(self._has_batch, GATHER_SECONDS)
            batch: list[bytes] = []
            size = 0
            while self._waiting and len(batch) < BATCH_TRACES:
                size += len(self._waiting[0])
                if batch and size > BATCH_BYTES:
                    break
                batch.append(self._waiting.popleft())
            self._bytes -= sum(map(len, batch))
            return batch

    def _has_batch(self) -> bool:
        return self._until is not None or len(self._waiting) >= BATCH_TRACES or self._bytes >= BATCH_BYTES

    def _deliver(self, road: "_Road", batch: list[bytes]) -> None:
        """Try until it is taken; halve what is refused, until what cannot be taken stands alone."""
        rest = REST_SECONDS
        while not self._is_late():
            try:
                road.send(batch)
            except _Refused:
                if len(batch) == 1:
                    self._settle(1, dropped=1)
                    return
                half = len(batch) // 2
                self._deliver(road, batch[:half])
                self._deliver(road, batch[half:])
                return
            except httpx.HTTPError as error:
                road.lost(error)
                self._rest(rest)
                rest = min(2 * rest, LONGEST_REST_SECONDS)
            else:
                self._settle(len(batch))
                return

    def _settle(self, count: int, dropped: int = 0) -> None:
        with self._changed:
            if self._pending:  # else `close` has counted them
                self._pending -= count
                self._dropped += dropped

    def _is_late(self) -> bool:
        with self._changed:
            return self._until is not None and time.monotonic() >= self._until

    def _rest(self, seconds: float) -> None:
        """Less once there is an end to keep: then tries are worth more than peace."""
        with self._changed:
            if self._until is None:
                self._changed.wait_for(lambda: self._until is not None, seconds)
            else:
                self._changed.wait(REST_SECONDS)


class _Refused(Exception):
    """Something in the batch can never be taken."""


class _Road:
    """The way to one experiment, and whether it is open. For one thread."""

    def __init__(self, http: httpx.Client, experiment: str) -> None:
        self._http = http
        self._name = experiment
        self._id: str | None = None
        self._open = True

    def send(self, batch: list[bytes]) -> None:
        """Raises _Refused, or httpx.HTTPError for whatever may pass. Sending twice stores once."""
        if self._id is None:
            self._id = mlflow_http.experiment_id(self._http, self._name)
        headers = {"x-mlflow-experiment-id": self._id, "Content-Type": "application/json"}
        answer = self._http.post("v1/traces", content=otlp.body(batch), headers=headers)
        if answer.status_code in SPOILED:
            raise _Refused
        answer.raise_for_status()
        if not self._open:
            self._open = True
            log.info("MLflow takes traces again", extra={"action": "traces_back"})

    def lost(self, error: httpx.HTTPError) -> None:
        """It may be another server, or another experiment, next time."""
        self._id = None
        if self._open:
            self._open = False
            log.warning(
                "MLflow at %s takes no traces (%s); they wait, as many as find room",
                shown(str(self._http.base_url)),
                mlflow_http.brief(error),
                extra={"action": "traces_wait"},
            )
