"""`labelloop gold`: labels that are known to be right. The work is in `daemon.wiring.known_labels`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli_config import configured

if TYPE_CHECKING:
    from daemon.wiring.config import Config


@click.group()
def gold() -> None:
    """Labels that somebody vouches for: people are asked about these items again."""


@partial(configured, group=gold)
@click.argument("labels", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--id-column", default="id", show_default=True, help="Column or field of the item's id.")
@click.option("--label-column", default="label", show_default=True, help="Column or field of its class.")
def add(config: "Config", labels: Path, id_column: str, label_column: str) -> None:
    """Vouch for the labels in FILE (CSV with a heading, or JSON lines); items may still have to come."""
    from daemon.wiring import known_labels as wiring

    click.echo(wiring.add(config, labels, id_column, label_column))


@partial(configured, group=gold)
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="The newest so many."
)
def list_(config: "Config", limit: int) -> None:
    """Show labels that somebody vouches for."""
    from daemon.wiring import known_labels as wiring

    wiring.show(config, limit)


@partial(configured, group=gold)
@click.argument("item")
def remove(config: "Config", item: str) -> None:
    """Vouch for the label of ITEM no longer."""
    from daemon.wiring import known_labels as wiring

    click.echo(wiring.remove(config, item))
