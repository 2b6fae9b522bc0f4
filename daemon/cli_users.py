"""`labelloop users`: commands about accounts. What they do is in `daemon.wiring.users`, imported late."""

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from daemon.cli_config import configured
from daemon.core.account_rows import AccountState, Role, Scope

if TYPE_CHECKING:
    from daemon.wiring.config import Config


@click.group()
def users() -> None:
    """Accounts of people: who may sign in to the pages, as what."""


ROLE_OPTION = click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="What the person is here for.",
)
TIER_OPTION = click.option(
    "--tier",
    "tiers",
    multiple=True,
    help="Tier to answer in, several times for several; all of the role if none.",
)
PASSWORD_OPTION = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@partial(configured, group=users)
@click.argument("name")
@ROLE_OPTION
@TIER_OPTION
@PASSWORD_OPTION
def add(config: "Config", name: str, role: str, tiers: tuple[str, ...], password_stdin: bool) -> None:
    """Make an account; without a password, a link to make it with."""
    from daemon.wiring import users as wiring

    password = _password(password_stdin, "Password (empty: print an invitation link)")
    click.echo(wiring.add(config, name, Role(role), tiers, password or None))


@partial(configured, group=users)
@ROLE_OPTION
@TIER_OPTION
def invite(config: "Config", role: str, tiers: tuple[str, ...]) -> None:
    """Print a link with which somebody makes an account of their own."""
    from daemon.wiring import users as wiring

    click.echo(wiring.invite(config, Role(role), tiers))


@partial(configured, group=users)
def list_(config: "Config") -> None:
    """Show everybody, and who is invited."""
    from daemon.wiring import users as wiring

    wiring.show(config)


@partial(configured, group=users)
@click.argument("name")
def disable(config: "Config", name: str) -> None:
    """Let somebody in no longer; their sessions and tokens end."""
    from daemon.wiring import users as wiring

    click.echo(wiring.set_state(config, name, AccountState.DISABLED))


@partial(configured, group=users)
@click.argument("name")
def enable(config: "Config", name: str) -> None:
    """Let somebody in again."""
    from daemon.wiring import users as wiring

    click.echo(wiring.set_state(config, name, AccountState.ACTIVE))


@partial(configured, group=users)
@click.argument("name")
@PASSWORD_OPTION
def password(config: "Config", name: str, password_stdin: bool) -> None:
    """Set somebody's password; their sessions end."""
    from daemon.wiring import users as wiring

    click.echo(wiring.set_password(config, name, _password(password_stdin, "New password")))


@partial(configured, group=users)
@click.argument("name")
@click.option(
    "--scope", "scopes", type=click.Choice([scope.value for scope in Scope]), multiple=True, required=True,
    help="What the token may be used for, several times for several.",
)  # fmt: skip
@click.option("--for", "purpose", default="command line", show_default=True, help="What the token is for.")
def token(config: "Config", name: str, scopes: tuple[str, ...], purpose: str) -> None:
    """Print an API token of somebody's; it is shown this once."""
    from daemon.wiring import users as wiring

    click.echo(wiring.token(config, name, [Scope(scope) for scope in scopes], purpose))


def _password(from_stdin: bool, asked: str) -> str:
    """The first line of standard input, or what is typed twice at a terminal; empty if neither is there."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        return ""
    return str(click.prompt(asked, default="", show_default=False, hide_input=True, confirmation_prompt=True))
