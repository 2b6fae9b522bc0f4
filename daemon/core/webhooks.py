"""Other programs are told what happened: signed, tried again and again, at least once.

What is to be told is written in the transaction in which it happens, so that no crash loses it.
"""

import hashlib
import hmac
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

import msgspec
from annotated_types import Ge, Le, MinLen

from labeling_functions.label_space import LabelSpace

log = logging.getLogger(__name__)

ANSWERED, ACCEPTED, PAUSED = "answered", "accepted", "paused"
EVENTS = (ANSWERED, ACCEPTED, PAUSED)
"""An answer was given; a window released labels; somebody is paused."""

FIRST_WAIT, LONGEST_WAIT = 5.0, 21_600.0
"""Seconds before the second try, and at most between two; each wait is four times the one before."""

AT_ONCE = 100
LOOK_SECONDS = 1.0
REST_SECONDS = 60.0
"""One that fails is left alone for its wait, but no longer than this, before anything else is told to it."""

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """A program that is told what happened.

    Attributes:
        url: where each event is posted.
        secret_env: name of the environment variable that holds the secret of the signatures.
        events: `answered`, `accepted` (a window released labels) and `paused` (a reviewer), or some of them.
        attempts: tries before an event is given up; the last of ten comes after about a day.
        timeout_seconds: patience with one call.
    """

    url: Annotated[str, MinLen(1)]
    secret_env: Annotated[str, MinLen(1)]
    events: Annotated[tuple[str, ...], MinLen(1)] = EVENTS
    attempts: Annotated[int, Ge(1), Le(100)] = 10
    timeout_seconds: Annotated[float, Ge(0.1), Le(120)] = 10.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} is no address that starts with http:// or https://")
        if unknown := [event for event in self.events if event not in EVENTS]:
            raise ValueError(f"events: {unknown[0]!r} is none of {', '.join(EVENTS)}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event to be told to one program.

    Attributes:
        uid: of the event, the same at every try. at: when it happened, ms.
        tries: made before.
        facts: what is told besides; under `label` a number, as `labeling_functions.label_space` has labels.
    """

    id: int
    uid: str
    webhook: str
    event: str
    at: int
    tries: int
    facts: Mapping[str, object]


class NotDelivered(Exception):
    """The other program did not say that it has the event."""


class WebhookStore(Protocol):
    """What is to be told to whom."""

    def subscribe(self, wanted: Mapping[str, Sequence[str]]) -> None:
        """Tell these programs, by name, of these events from now on, and no others."""

    def due(self, limit: int, resting: Sequence[str] = ()) -> list[Delivery]:
        """What is to be told now, oldest first; nothing to those that rest."""

    def delivered(self, ids: Sequence[int]) -> None:
        """They have it."""

    def failed(self, delivery: int, problem: str, wait: float | None) -> None:
        """Try again in so many seconds, or never (None)."""


class Post(Protocol):
    """One call to another program."""

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> None:
        """Raises NotDelivered, saying why, unless the answer is a success (2xx)."""


def wait_after(tries: int) -> float:
    """Seconds until the next try, after so many (1 or more)."""
    return float(min(LONGEST_WAIT, FIRST_WAIT * 4.0 ** min(tries - 1, 20)))


def signature(secret: str, moment: int, body: bytes) -> str:
    """HMAC-SHA256 of the moment (seconds since 1970), a dot and the body, as the header tells it."""
    made = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={made}"


def body_of(delivery: Delivery, space: LabelSpace) -> bytes:
    """The JSON that is posted."""
    facts = dict(delivery.facts)
    if isinstance(label := facts.get("label"), int):
        facts["label"] = space.said(label)
    return _encode({"id": delivery.uid, "event": delivery.event, "at": delivery.at / 1000, **facts})


@dataclass
class WebhookSender:
    """Tells what is to be told until asked to stop. For one thread; one process at a time has the duty.

    Attributes:
        hooks, secrets: settings and secret of each program, by name.
        working: whether this process is the one that may work now.
        clock: seconds since 1970.
    """

    store: WebhookStore
    post: Post
    hooks: Mapping[str, WebhookSettings]
    secrets: Mapping[str, str]
    space: LabelSpace
    working: Callable[[], bool]
    stop: threading.Event
    clock: Callable[[], float] = time.time
    _rests: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Work until told to stop; what is left stays for the next process."""
        while not self.stop.is_set():
            if not (self.working() and self.turn()):
                self.stop.wait(LOOK_SECONDS)

    def turn(self) -> int:
        """Tell what is due; how many were told."""
        now = self.clock()
        resting = [name for name, until in self._rests.items() if until > now]
        told = 0
        for delivery in self.store.due(AT_ONCE, resting):
            if self.stop.is_set() or not self.working():
                break
            if delivery.webhook not in resting:
                told += self._tell(delivery, resting)
        return told

    def _tell(self, delivery: Delivery, resting: list[str]) -> bool:
        hook = self.hooks[delivery.webhook]
        body, moment = body_of(delivery, self.space), int(self.clock())
        headers = {
            "Content-Type": "application/json",
            "Labelloop-Event": delivery.event,
            "Labelloop-Delivery": delivery.uid,
            "Labelloop-Signature": signature(self.secrets[delivery.webhook], moment, body),
        }
        try:
            self.post(hook.url, body, headers, hook.timeout_seconds)
        except NotDelivered as error:
            self._failed(delivery, hook, str(error))
            resting.append(delivery.webhook)
            return False
        self._rests.pop(delivery.webhook, None)
        self.store.delivered([delivery.id])
        return True

    def _failed(self, delivery: Delivery, hook: WebhookSettings, problem: str) -> None:
        tries = delivery.tries + 1
        wait = wait_after(tries) if tries < hook.attempts else None
        self.store.failed(delivery.id, problem, wait)
        rest = FIRST_WAIT if wait is None else min(wait, REST_SECONDS)
        self._rests[delivery.webhook] = self.clock() + rest
        log.warning(
            "webhook %s: %s %s was not delivered (%s); %s",
            delivery.webhook,
            delivery.event,
            delivery.uid,
            problem,
            "given up" if wait is None else f"trying again in {wait:.0f} s",
            extra={"action": "webhook_failed" if wait is not None else "webhook_dead"},
        )
