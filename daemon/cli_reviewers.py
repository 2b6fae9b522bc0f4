"""`labelloop reviewers`: how people answer, and who is paused. The work is in `daemon.wiring.reviewers`."""

from functools import partial
from typing import TYPE_CHECKING

import click

from daemon.cli_config import configured
from daemon.core.states import PersonState

if TYPE_CHECKING:
    from daemon.wiring.config import Config


@click.group()
def reviewers() -> None:
    """People who answer: how well, how fast, and who is paused."""


TIER = click.option("--tier", help="Only in this tier; in all of theirs if none.")


@partial(configured, group=reviewers)
def list_(config: "Config") -> None:
    """Show everybody who ever enrolled."""
    from daemon.wiring import reviewers as wiring

    wiring.show(config)


@partial(configured, group=reviewers)
def agreement(config: "Config") -> None:
    """Show how far the people of each tier agree, on all labels and class by class."""
    from daemon.wiring import agreement as wiring

    wiring.show(config)


@partial(configured, group=reviewers)
@click.argument("name")
@TIER
@click.option("--reason", required=True, help="Why; the reviewer reads it.")
def pause(config: "Config", name: str, tier: str | None, reason: str) -> None:
    """Give NAME no more questions; what they hold goes back into the queue."""
    from daemon.wiring import reviewers as wiring

    click.echo(wiring.set_state(config, name, tier, PersonState.PAUSED, reason))


@partial(configured, group=reviewers)
@click.argument("name")
@TIER
def resume(config: "Config", name: str, tier: str | None) -> None:
    """Let NAME go on; their control questions are counted anew."""
    from daemon.wiring import reviewers as wiring

    click.echo(wiring.set_state(config, name, tier, PersonState.ACTIVE, ""))
