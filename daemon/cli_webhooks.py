"""`labelloop webhooks`: what other programs were not told. The work is in `daemon.wiring.undelivered`."""

from functools import partial
from typing import TYPE_CHECKING

import click

from daemon.cli_config import configured

if TYPE_CHECKING:
    from daemon.wiring.config import Config


@click.group()
def webhooks() -> None:
    """Events that other programs are told, and those that they were not."""


@partial(configured, group=webhooks)
def list_(config: "Config") -> None:
    """Show how many events wait and how many were given up, and why the last one failed."""
    from daemon.wiring import undelivered as wiring

    wiring.show(config)


@partial(configured, group=webhooks)
@click.argument("name")
def resend(config: "Config", name: str) -> None:
    """Tell webhook NAME the events that were given up, now that it is mended."""
    from daemon.wiring import undelivered as wiring

    click.echo(wiring.resend(config, name))
