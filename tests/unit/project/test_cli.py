"""The command line: what it imports, how it fails, where its log goes."""

import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from patience import PATIENCE

from daemon import cli
from daemon.cli_imports import importing
from daemon.core.errors import PositionOutsideLog, SetupProblem
from labeling_functions.loading import LoadError
from models.encoder import EncoderUnavailable

HEAVY = [
    "torch",
    "snorkel",
    "mlflow",
    "sklearn",
    "sentence_transformers",
    "matplotlib",
    "sqlalchemy",
    "kafka",
    "pandas",
    "scipy",
]
COMMANDS = [
    "run",
    "send",
    "learn",
    "review",
    "annotate",
    "up",
    "demo",
    "lfs",
    "plan",
    "export",
    "check",
    "init",
    "status",
    "ledger",
    "reviewers",
    "gold",
    "users",
    "llm",
    "label-studio",
    "version",
    "webhooks",
    "replay",
]
CONFIG = "task: {name: t, classes: [a, b]}\ntiers: {expert: {final: true}}\n"


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Each test has its own folder, variables and logging."""
    monkeypatch.chdir(tmp_path)
    for name in ("LABELLOOP_LOG_LEVEL", "LABELLOOP_LOG_JSON"):
        monkeypatch.setenv(name, "")  # noted, so that it is put back at the end
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def labelloop(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program as people do."""
    return subprocess.run(
        [sys.executable, "-m", "daemon.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * PATIENCE,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from daemon.cli import main
main({arguments}, standalone_mode=False)
print("heavy:", [name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")


@pytest.mark.parametrize("before", [True, False])
def test_no_garbage_is_looked_for_while_modules_are_imported_nor_in_them(before: bool) -> None:
    frozen = gc.get_freeze_count()
    try:
        (gc.enable if before else gc.disable)()
        with pytest.raises(ImportError), importing():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is before
        assert gc.get_freeze_count() > frozen
    finally:
        gc.enable()


def test_every_command_is_there_and_says_what_it_does() -> None:
    assert sorted(cli.main.commands) == sorted(COMMANDS)
    for command in cli.main.commands.values():
        assert command.help
        context = click.Context(command, info_name=command.name)
        assert command.help.split("\n")[0] in command.get_help(context)


@pytest.mark.parametrize(
    "command", ["run", "learn", "review", "up", "lfs", "plan", "check", "status", "ledger"]
)
def test_a_config_error_is_said_without_a_traceback(command: str, tmp_path: Path) -> None:
    (tmp_path / "labelloop.yaml").write_text(CONFIG + "rout: {}\n")
    result = CliRunner().invoke(cli.main, [command])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("labelloop: config error in labelloop.yaml\n  rout: unknown key")


def test_the_process_ends_with_code_2_and_no_traceback() -> None:
    done = labelloop("run", "-c", "absent.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("labelloop: config error in absent.yaml\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "problem",
    [
        SetupProblem("no broker"),
        LoadError("no broker"),
        EncoderUnavailable("no broker"),
        PositionOutsideLog("no broker"),
    ],
)
def test_expected_problems_are_one_message(problem: Exception) -> None:
    result = CliRunner().invoke(_group_with_failing_command(problem), ["fail"])
    assert (result.exit_code, result.stderr) == (2, "labelloop: no broker\n")


def test_any_other_error_is_raised() -> None:
    result = CliRunner().invoke(_group_with_failing_command(KeyError("bug")), ["fail"])
    assert result.exit_code == 1
    assert isinstance(result.exception, KeyError)


def _group_with_failing_command(error: Exception) -> click.Group:
    @click.group(cls=cli.Commands)
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise error

    return group


def test_an_unknown_log_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELLOOP_LOG_LEVEL", "loud")
    result = CliRunner().invoke(cli.main, ["version"])
    assert result.exit_code == 2
    assert "'loud' is not one of debug, info, warning, error" in result.stderr


def test_verbose_and_quiet_exclude_each_other() -> None:
    assert "exclude each other" in CliRunner().invoke(cli.main, ["-v", "-q", "version"]).stderr


@pytest.mark.parametrize(
    ("option", "environment", "level"),
    [
        ([], None, logging.INFO),
        ([], "warning", logging.WARNING),
        (["-v"], "warning", logging.DEBUG),
        (["-q"], None, logging.WARNING),
    ],
)
def test_the_level_comes_from_option_or_environment(
    option: list[str], environment: str | None, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if environment:
        monkeypatch.setenv("LABELLOOP_LOG_LEVEL", environment)
    assert CliRunner().invoke(cli.main, [*option, "version"]).exit_code == 0
    assert logging.getLogger().level == level


def test_processes_started_from_here_log_alike() -> None:
    CliRunner().invoke(cli.main, ["-v", "--log-json", "version"])
    assert (os.environ["LABELLOOP_LOG_LEVEL"], os.environ["LABELLOOP_LOG_JSON"]) == ("debug", "1")
    CliRunner().invoke(cli.main, ["version"])
    [handler] = logging.getLogger().handlers
    record = logging.LogRecord("a", logging.INFO, "f", 1, "said", (), None)
    assert json.loads(handler.format(record))["message"] == "said"


def test_init_then_check_passes(tmp_path: Path) -> None:
    assert labelloop("init").returncode == 0
    (tmp_path / "labelloop.yaml").write_text(
        (tmp_path / "labelloop.yaml").read_text().replace("#port: ", "port: 0 # ")
    )
    done = labelloop("check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert labelloop("init").returncode == 2
