"""`labelloop learn --compare-feedback`: rewards from people, from language models and from both."""

import json
import sys
from dataclasses import asdict, replace

from rich.console import Console
from rich.table import Table

from daemon.adapters.mlflow_registry import MlflowRegistry
from daemon.adapters.plots import feedback_plot
from daemon.adapters.store.learning import LearningRoom
from daemon.core.errors import RegistryUnavailable
from daemon.core.feedback_report import Estimate, FeedbackReport, logged, report
from daemon.core.settings import MICROS
from daemon.wiring import endpoints, parts
from daemon.wiring.config import Config

SPLITS = 4
ITEMS = 3_000
"""Newest pairs that are compared on, those that people answered always among them."""


def main(config: Config, as_json: bool) -> None:
    """Train, judge, print, and log a run to MLflow where there is one. Nothing is promoted.

    Raises:
        SetupProblem: the task is of another kind, or there are too few answers.
    """
    database = parts.open_database(config)
    try:
        rows = LearningRoom(database).training_rows(ITEMS)
        overview = parts.reports(config, database).overview()
    finally:
        database.close()
    found = report(rows, parts.policy(config), overview.spending, SPLITS)
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        Console().print(_table(found, config.currency))
    _log(config, found)


def _log(config: Config, found: FeedbackReport) -> None:
    """What was measured is on the screen already, whatever becomes of MLflow."""
    uri = config.mlflow.uri or endpoints.read(config.state, endpoints.MLFLOW)
    if uri is None:
        print("not logged: mlflow.uri names no server, and no `labelloop up` runs one", file=sys.stderr)
        return
    whole = logged(found)
    try:
        registry = MlflowRegistry(replace(config.mlflow, uri=uri), config.task)
        address = registry.log_report(whole, {"feedback": feedback_plot(whole.tables["feedback"])})
    except RegistryUnavailable as problem:
        print(f"not logged: {problem}", file=sys.stderr)
        return
    print(address, file=sys.stderr)


def _table(found: FeedbackReport, currency: str) -> Table:
    table = Table(
        title=f"Rewards by feedback, on {found.pairs:,} pairs that experts judged A or B ({found.drawn:,} of "
        f"them drawn at random, {found.ties:,} ties left out); prompts held out, {found.splits} splits",
    )
    for name in (
        "feedback",
        "accuracy",
        "log-loss",
        "pairs taught",
        "people's answers",
        "models' answers",
        currency,
    ):
        table.add_column(name, justify="left" if name == "feedback" else "right")
    for name, one in found.kinds.items():
        table.add_row(
            name,
            _shown(one.accuracy),
            _shown(one.log_loss),
            f"{one.taught:,.0f}",
            f"{one.people:,}",
            f"{one.models:,}",
            f"{one.micros / MICROS:,.2f}",
        )
    return table


def _shown(one: Estimate) -> str:
    return f"{one.mean:.3f} [{one.low:.3f}, {one.high:.3f}]"
