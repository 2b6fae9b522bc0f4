"""The command line. Each command imports what it runs when it is called, so that help answers at once."""

import contextlib
import os
from collections.abc import Callable
from functools import partial
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.cli_config import CONFIG_OPTION, configured, load_config
from daemon.cli_gold import gold
from daemon.cli_imports import importing
from daemon.cli_replay import replay
from daemon.cli_reviewers import reviewers
from daemon.cli_users import users
from daemon.cli_webhooks import webhooks
from daemon.core.errors import PositionOutsideLog, SetupProblem
from daemon.wiring import logs
from labeling_functions.loading import LoadError
from models.encoder import EncoderUnavailable

if TYPE_CHECKING:
    from daemon.wiring.config import Config


class Commands(click.Group):
    """Commands whose expected failures end with one message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what can be put right by the person at the keyboard is said plainly."""
        try:
            return super().invoke(ctx)
        except (SetupProblem, LoadError, EncoderUnavailable, PositionOutsideLog) as problem:
            with contextlib.suppress(OSError):  # a log on a full disk: the exit code still says it
                click.echo(f"labelloop: {problem}", err=True)
            ctx.exit(problem.exit_code if isinstance(problem, SetupProblem) else SetupProblem.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("-v", "--verbose", is_flag=True, help="Log everything.")
@click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors only.")
@click.option("--log-json", is_flag=True, envvar="LABELLOOP_LOG_JSON", help="Log one JSON object a line.")
def main(verbose: bool, quiet: bool, log_json: bool) -> None:
    """Labels a stream of items: rules, models and people in one loop, with a certified error."""
    if verbose and quiet:
        raise click.UsageError("--verbose and --quiet exclude each other")
    level = "debug" if verbose else "warning" if quiet else os.environ.get("LABELLOOP_LOG_LEVEL", "info")
    logs.set_up(level, as_json=log_json)
    # Processes that this one starts log in the same way.
    os.environ.update(LABELLOOP_LOG_LEVEL=level, LABELLOOP_LOG_JSON=str(int(log_json)))


def with_config(command: Callable[..., None], group: click.Group | None = None) -> click.Command:
    """A command (of `group`, or of the program) that is given the loaded configuration first."""
    return configured(command, group or main)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
def init(folder: Path) -> None:
    """Write a configuration and labelling functions to start from."""
    from daemon.wiring import init as wiring

    for line in wiring.main(folder):
        click.echo(line)


@main.command()
@CONFIG_OPTION
@click.option("--deep", is_flag=True, help="Also load the encoder and encode a sentence.")
@click.option("--show", is_flag=True, help="Print the effective configuration, passwords hidden.")
def check(file: Path, deep: bool, show: bool) -> None:
    """Try the configuration, the labelling functions and every connection."""
    with importing():
        from daemon.wiring import check as wiring

    healthy = wiring.main(file, deep=deep, show=show)
    raise SystemExit(0 if healthy else 1)


@with_config
def run(config: "Config") -> None:
    """Label the stream: the worker that reads items and decides."""
    with importing():
        from daemon.wiring import run as wiring

    wiring.main(config)


@with_config
@click.option("--once", is_flag=True, help="Train now, once, and end.")
@click.option(
    "--compare-feedback",
    is_flag=True,
    help="Train rewards from people, from language models and from both; show how good each is, and end.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON (with --compare-feedback).")
def learn(config: "Config", once: bool, compare_feedback: bool, as_json: bool) -> None:
    """Retrain the models when there is news."""
    if compare_feedback:
        from daemon.wiring import compare_feedback as comparing

        comparing.main(config, as_json)
        return
    with importing():
        from daemon.wiring import learn as wiring

    wiring.main(config, once=once)


@with_config
def review(config: "Config") -> None:
    """Serve the pages and the API where people answer."""
    with importing():
        from daemon.wiring import review as wiring

    wiring.main(config)


@with_config
@click.argument("tier")
@click.option("--run", help="Name that the cap of a run is counted under; another one for each process.")
def annotate(config: "Config", tier: str, run: str | None) -> None:
    """Have a tier answered by language models, or in another program."""
    if tier in config.outside_tiers:
        with importing():
            from daemon.wiring import outside

        outside.main(config, tier)
        return
    with importing():
        from daemon.wiring import annotate as wiring

    wiring.main(config, tier, run)


@main.command()
@CONFIG_OPTION
def up(file: Path) -> None:
    """Run everything on this machine, with what is not configured embedded."""
    config = load_config(file)
    with importing():
        from daemon.wiring import up as wiring

    wiring.main(config, file.resolve(), _kafka_home())


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, allow_dash=True), default=Path("-"))
@click.option(
    "-c", "--config", "config_file", type=click.Path(path_type=Path), default=Path("labelloop.yaml"),
    show_default=True, help="Configuration file.",
)  # fmt: skip
def send(file: Path, config_file: Path) -> None:
    """Send items from FILE or standard input: JSON lines, CSV or Parquet."""
    config = load_config(config_file)
    from daemon.wiring import send as wiring

    click.echo(f"sent {wiring.main(config, file):,} items to topic {config.kafka.topics.items}")


@main.command()
@click.option("--drift", is_flag=True, help="Let the second half of the messages be of another kind.")
@click.option("--llm", is_flag=True, help="Let a small language model on this machine answer too.")
@click.option("--exit", "leave", is_flag=True, help="End when the stream is labelled.")
@click.option(
    "--reviewers", type=click.Choice(["simulated", "you"]), default="simulated", show_default=True,
    help="Who answers the queue.",
)  # fmt: skip
@click.option("--items", type=click.IntRange(min=1), help="Stream only the first so many messages.")
@click.option(
    "--port-base", "port", type=click.IntRange(1024, 65_000), default=8_400, show_default=True,
    help="Port of the pages; another one if it is taken.",
)  # fmt: skip
@click.option(
    "--state", type=click.Path(path_type=Path), default=Path(".labelloop/demo"), show_default=True,
    help="Folder for everything; what an earlier demo left there goes.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Go on with what the folder holds.")
def demo(leave: bool, **options: Any) -> None:
    """Run the whole loop on real SMS messages, everything embedded."""
    from daemon.wiring.demo import DemoOptions
    from daemon.wiring.demo import main as run_demo

    run_demo(DemoOptions(exit=leave, kafka_home=_kafka_home(), **options))


@with_config
@click.option("--file", "items", type=click.Path(path_type=Path), help="Items as JSON lines or CSV.")
@click.option("--label-column", help="Column or field of the file that holds the true class.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=10_000, show_default=True, help="Items looked at."
)
def lfs(config: "Config", items: Path | None, label_column: str | None, limit: int) -> None:
    """Report on the labelling functions: coverage, overlap, conflict, accuracy."""
    from daemon.wiring import lfs as wiring

    wiring.main(config, items, label_column, limit)


@with_config
def status(config: "Config") -> None:
    """Show how the loop is doing."""
    with importing():
        from daemon.wiring import status as wiring

    wiring.main(config)


@with_config
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv", "parquet", "hf", "trl"]), default="jsonl",
    show_default=True,
    help="Items with their labels (hf: a folder that Hugging Face datasets load), or prompt, chosen and "
    "rejected as TRL reads them (preference tasks).",
)  # fmt: skip
@click.option(
    "--status", "statuses", default="certified,human", show_default=True,
    help="What labels may rest on; provisional is the third.",
)  # fmt: skip
@click.option(
    "--min-preference", "least", type=click.FloatRange(0.5, 1),
    help="Of pairs: how likely the preferred response must be preferred; a tie counts half.",
)  # fmt: skip
@click.option("--soft", is_flag=True, help="Write that probability too, as chosen_probability.")
def export(config: "Config", out: Path, form: str, statuses: str, least: float | None, soft: bool) -> None:
    """Write labeled items to OUT, with all that their labels rest on."""
    from daemon.wiring import export as wiring

    written, left_out = wiring.main(config, out, form, statuses, least, soft)
    told = "".join(f", {count:,} {why} left out" for why, count in sorted(left_out.items()))
    click.echo(f"wrote {written:,} items to {out}{told}")


@with_config
@click.option("--what-if", help="Another budget a day: budget=25, or budget=expert:50,crowd:10.")
@click.option("--items-per-day", type=click.FloatRange(min=0, min_open=True), help="Items expected in a day.")
@click.option("--llm", is_flag=True, help="What calls to language models will cost, take and be worth.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def plan(
    config: "Config", what_if: str | None, items_per_day: float | None, llm: bool, as_json: bool
) -> None:
    """Show what the target costs, or what another budget would buy."""
    if llm:
        if what_if is not None or items_per_day is not None:
            raise click.UsageError("--llm goes with --json alone")
        from daemon.wiring import plan_llm

        plan_llm.main(config, as_json)
        return
    from daemon.wiring import plan as wiring

    wiring.main(config, what_if, items_per_day, as_json)


@main.group()
def llm() -> None:
    """Ways of asking language models."""


@partial(with_config, group=llm)
@click.argument("tier", required=False)
@click.option(
    "--items",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Answered items to ask about.",
)
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Rounds; what differs between them is noise.",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0),
    required=True,
    help="What all calls may cost at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(
    config: "Config", tier: str | None, items: int, repeat: int, budget: float, as_json: bool
) -> None:
    """Ask about items that experts answered, and show how good each way is."""
    from daemon.wiring import compare as wiring

    wiring.main(config, tier, wiring.Wanted(items, repeat, budget), as_json)


@main.group(invoke_without_command=True)
@CONFIG_OPTION
@click.pass_context
def ledger(ctx: click.Context, file: Path) -> None:
    """Show how many released labels audits found wrong, and what follows."""
    ctx.obj = file
    if ctx.invoked_subcommand is None:
        from daemon.wiring import ledger as wiring

        wiring.show(load_config(file))


@ledger.command()
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--reason", required=True, help="What went wrong, and how it was mended.")
@click.pass_obj
def restart(given: Path, file: Path | None, reason: str) -> None:
    """Start a new ledger, once the cause of wrong labels is mended."""
    from daemon.wiring import ledger as wiring

    wiring.restart(load_config(file or given), reason)


main.add_command(gold)
main.add_command(reviewers)
main.add_command(webhooks)
with_config(replay)


@with_config
def label_studio(config: "Config") -> None:
    """Serve predictions to a Label Studio, as its ML backend."""
    from daemon.wiring import label_studio as wiring

    wiring.main(config)


main.add_command(users)


@main.command()
def version() -> None:
    """Print the version."""
    click.echo(f"labelloop {installed_version('labelloop')}")


def _kafka_home() -> Path | None:
    home = os.environ.get("LABELLOOP_KAFKA_HOME")
    return Path(home) if home else None


if __name__ == "__main__":
    main()
