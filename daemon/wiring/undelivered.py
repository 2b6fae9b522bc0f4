"""`labelloop webhooks`: events that did not arrive, and another try."""

from rich.console import Console
from rich.table import Table

from daemon.adapters.store.webhooks import WebhookRoom
from daemon.core.errors import SetupProblem
from daemon.wiring import parts
from daemon.wiring.config import Config


def show(config: Config) -> None:
    """Print each webhook with what it was not told."""
    if not config.webhooks:
        Console().print("no webhooks are configured: docs/webhooks.md")
        return
    database = parts.open_database(config)
    try:
        room = WebhookRoom(database)
        standing, problems = room.standing(), room.last_problems()
    finally:
        database.close()
    table = Table("webhook", "waiting", "given up", "last problem", title="Webhooks", title_justify="left")
    for name in config.webhooks:
        states = standing.get(name, {})
        waiting, dead = states.get("waiting", 0), states.get("dead", 0)
        table.add_row(name, f"{waiting:,}", f"{dead:,}", problems.get(name, ""))
    Console().print(table)


def resend(config: Config, name: str) -> str:
    """Have its given-up events told again, from the first try on; what is said of it.

    Raises:
        SetupProblem: no webhook of this name is configured.
    """
    if name not in config.webhooks:
        known = ", ".join(config.webhooks) or "none"
        raise SetupProblem(f"webhooks: there is no {name!r}; configured: {known}")
    database = parts.open_database(config)
    try:
        count = WebhookRoom(database).resend(name)
    finally:
        database.close()
    events = "1 event" if count == 1 else f"{count:,} events"
    return f"{events} will be told to {name} again, by `labelloop run`"
