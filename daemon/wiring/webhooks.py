"""Other programs are told what happened: a thread of `labelloop run`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from daemon.adapters.store.engine import Database
from daemon.adapters.store.stream import StreamRoom
from daemon.adapters.store.webhooks import WebhookRoom
from daemon.adapters.webhook_post import HttpPost
from daemon.core.desk import HeldDuty
from daemon.core.needed_secrets import needed_secret
from daemon.core.webhooks import WebhookSender
from daemon.wiring import parts
from daemon.wiring.config import Config

CALL_SECONDS = 10.0
"""More than one call may take on top of its timeout before another process believes this one dead."""


def secrets(config: Config) -> dict[str, str]:
    """Of each webhook. Raises SetupProblem if one is not set."""
    meaning = "the secret that signs what is sent"
    return {
        name: needed_secret(f"webhooks.{name}.secret_env", hook.secret_env, meaning)
        for name, hook in config.webhooks.items()
    }


@contextmanager
def telling(config: Config, database: Database, stop: threading.Event) -> Iterator[None]:
    """Tell them while the block runs; an error there sets `stop`, and is raised when the block has ended.

    Raises:
        SetupProblem: a secret is not set.
    """
    signed = secrets(config)
    store = WebhookRoom(database)
    store.subscribe({name: hook.events for name, hook in config.webhooks.items()})
    if not config.webhooks:
        yield
        return
    stream, post, done = StreamRoom(database, parts.caps(config)), HttpPost(), threading.Event()
    longest = CALL_SECONDS + max(hook.timeout_seconds for hook in config.webhooks.values())
    duty = HeldDuty(stream, "webhooks", parts.holder("run"), longest)
    space = config.task.space
    sender = WebhookSender(store, post, config.webhooks, signed, space, lambda: duty.get() is not None, done)
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            sender.run()
            duty.drop()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the main thread
            errors.append(error)
            stop.set()

    thread = threading.Thread(target=guarded, name="webhooks")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        post.close()
    if errors:
        raise errors[0]
