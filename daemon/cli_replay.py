"""`labelloop replay`: an archive labeled anew. The work is in `daemon.wiring.replay`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.core.errors import SetupProblem

if TYPE_CHECKING:
    from daemon.wiring.config import Config


@click.argument("files", nargs=-1, metavar="[FILES]...")
@click.option("--topic", help="Label what this topic holds now, instead of files.")
@click.option("--stored", is_flag=True, help="Label what the database holds now, instead of files.")
@click.option(
    "--rows", type=click.Path(path_type=Path, dir_okay=False),
    help="Write a row an item, to a file ending with .jsonl or .parquet.",
)  # fmt: skip
@click.option(
    "--diff", type=click.Path(path_type=Path, dir_okay=False),
    help="Write what would change of the labels that are stored, as JSON.",
)  # fmt: skip
@click.option(
    "--chunk", type=click.IntRange(min=1), default=5_000, show_default=True,
    help="Items labeled at once; so many a kill costs at most.",
)  # fmt: skip
@click.option("--bundle", type=int, help="Label with this bundle; the one in use unless given.")
@click.option("--dask", metavar="ADDRESS", help="Work on a Dask cluster: the address of its scheduler.")
@click.option(
    "--publish", is_flag=True,
    help="Then give the stored items these votes, and have them decided anew. Shows the report, and asks.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Publish without asking.")
def replay(config: "Config", *, yes: bool, **wish: Any) -> None:
    """Label files, a topic or stored items anew, and say what would change.

    FILES are JSON lines, CSV, Parquet or patterns. The same command goes on where an earlier one was ended.
    """
    from daemon.wiring import replay as wiring

    if wish["publish"] and not yes and not sys.stdin.isatty():
        raise SetupProblem("replay: --publish asks before it writes, and nobody can answer here; say --yes")
    for line in wiring.main(config, wiring.Wish(**wish), lambda told: _agree(told, yes)):
        click.echo(line)


def _agree(told: Sequence[str], yes: bool) -> bool:
    """Show what would change, and ask."""
    for line in told:
        click.echo(line)
    return yes or click.confirm("Give the stored items these votes?")
