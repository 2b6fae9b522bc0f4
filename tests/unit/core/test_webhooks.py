"""What is posted to other programs, how it is signed, and when it is tried again."""

import hashlib
import hmac
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from daemon.core.webhooks import (
    Delivery,
    NotDelivered,
    WebhookSender,
    WebhookSettings,
    body_of,
    signature,
    wait_after,
)
from labeling_functions.label_space import LabelSpace

SPACE = LabelSpace(("ham", "spam"))
EVENT = Delivery(1, "e1", "shop", "answered", 1_500, 0, {"item": "a", "label": 1})
HOOK = WebhookSettings("https://shop.example/hook", "SECRET", attempts=3)


@dataclass
class Store:
    """What a store would do."""

    waiting: list[Delivery]
    failures: list[tuple[int, float | None]] = field(default_factory=list)

    def subscribe(self, wanted: Mapping[str, Sequence[str]]) -> None:
        """Nothing to do."""

    def due(self, limit: int, resting: Sequence[str] = ()) -> list[Delivery]:
        """Whatever waits."""
        return [one for one in self.waiting if one.webhook not in resting]

    def delivered(self, ids: Sequence[int]) -> None:
        """Forget them."""
        self.waiting = [one for one in self.waiting if one.id not in ids]

    def failed(self, delivery: int, problem: str, wait: float | None) -> None:
        """Count the try; what is given up waits no longer."""
        self.failures.append((delivery, wait))
        tried = [replace(one, tries=one.tries + (one.id == delivery)) for one in self.waiting]
        self.waiting = [one for one in tried if wait is not None or one.id != delivery]


@dataclass
class Receiver:
    """Takes what is posted, or refuses while `down` names the address."""

    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> None:
        if url in self.down:
            raise NotDelivered("HTTP 500")
        self.got.append((url, body, headers))


@dataclass
class Clock:
    """Seconds that the test moves."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def sender(store: Store, receiver: Receiver, clock: Clock) -> WebhookSender:
    hooks = {"shop": HOOK, "desk": replace(HOOK, url="https://desk.example")}
    secrets = {"shop": "s1", "desk": "s2"}
    return WebhookSender(store, receiver, hooks, secrets, SPACE, lambda: True, threading.Event(), clock)


def test_the_body_is_signed_with_the_moment() -> None:
    receiver = Receiver()
    sender(Store([EVENT]), receiver, Clock()).turn()
    ((url, body, headers),) = receiver.got
    assert url == HOOK.url
    assert json.loads(body) == {"id": "e1", "event": "answered", "at": 1.5, "item": "a", "label": "spam"}
    expected = hmac.new(b"s1", b"1000." + body, hashlib.sha256).hexdigest()
    assert headers["Labelloop-Signature"] == f"t=1000,v1={expected}"
    assert (headers["Labelloop-Delivery"], headers["Labelloop-Event"]) == ("e1", "answered")


def test_another_secret_moment_or_body_gives_another_signature() -> None:
    made = {signature(*given) for given in (("a", 1, b"x"), ("b", 1, b"x"), ("a", 2, b"x"), ("a", 1, b"y"))}
    assert len(made) == 4


def test_sets_are_told_as_lists() -> None:
    event = replace(EVENT, facts={"label": 0b11})
    assert json.loads(body_of(event, LabelSpace(("x", "y"), sets=True)))["label"] == ["x", "y"]


def test_waits_grow_until_six_hours() -> None:
    waits = [wait_after(tries) for tries in range(1, 10)]
    assert waits == [5, 20, 80, 320, 1_280, 5_120, 20_480, 21_600, 21_600]
    assert wait_after(10**6) == 21_600


def test_one_that_fails_rests_and_holds_up_nobody() -> None:
    store = Store([EVENT, replace(EVENT, id=2, uid="e2"), replace(EVENT, id=3, webhook="desk")])
    receiver, clock = Receiver(down={HOOK.url}), Clock()
    sending = sender(store, receiver, clock)
    assert sending.turn() == 1
    assert store.failures == [(1, 5.0)], "the second event is not tried while its program rests"
    assert [url for url, _, _ in receiver.got] == ["https://desk.example"]
    sending.turn()
    assert len(store.failures) == 1
    clock.now += 6
    receiver.down.clear()
    assert sending.turn() == 2
    assert store.waiting == []


def test_after_so_many_tries_an_event_is_given_up() -> None:
    store, receiver, clock = Store([EVENT]), Receiver(down={HOOK.url}), Clock()
    sending = sender(store, receiver, clock)
    for _ in range(5):
        sending.turn()
        clock.now += 100_000
    assert store.failures == [(1, 5.0), (1, 20.0), (1, None)]


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"url": "ftp://x"}, "url"), ({"events": ("asked",)}, "events: 'asked' is none of answered")],
)
def test_settings_say_what_is_wrong(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(HOOK, **changes)  # type: ignore[arg-type]
