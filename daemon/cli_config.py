"""Commands that take a configuration file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.cli_imports import importing

if TYPE_CHECKING:
    from daemon.wiring.config import Config

CONFIG_OPTION = click.option(
    "-c", "--config", "file", type=click.Path(path_type=Path), default=Path("labelloop.yaml"),
    show_default=True, help="Configuration file.",
)  # fmt: skip


def configured(command: Callable[..., None], group: click.Group) -> click.Command:
    """A command of `group` that is given the loaded configuration first."""

    def run(file: Path, **options: Any) -> None:
        command(load_config(file), **options)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    run.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return group.command(command.__name__.rstrip("_").replace("_", "-"))(CONFIG_OPTION(run))


def load_config(file: Path) -> "Config":
    """The configuration; the part that reads it is imported now, so that help answers at once."""
    with importing():
        from daemon.wiring.config import load

    return load(file)
