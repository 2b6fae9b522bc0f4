"""`labelloop plan`: what the target costs before it is spent, and what another budget would buy."""

import json
from dataclasses import asdict

from rich.console import Console

from daemon.core.errors import SetupProblem
from daemon.core.planning import Budgets, buy, make_plan
from daemon.core.policy import Policy
from daemon.wiring import parts
from daemon.wiring.config import Config
from daemon.wiring.plan_tables import forecast_table, tables
from daemon.wiring.situation import Situation, guessed_situation, read_situation


def main(config: Config, what_if: str | None, items_per_day: float | None, as_json: bool) -> None:
    """Print the plan, or with `what_if` what that budget would buy beside today's.

    Raises:
        SetupProblem: the budget cannot be read, or nobody knows how many items share it.
    """
    policy = parts.policy(config)
    wanted = None if what_if is None else parse_budget(what_if, policy)
    situation = _situation(config, policy, items_per_day)
    sample, windows = situation.sample, situation.overview.windows
    plan = make_plan(sample, situation.overview, situation.bundle, policy)
    changed = None
    if wanted is not None:
        if not sample.per_day:
            raise SetupProblem(
                "--what-if: nobody knows yet how many items share a day's budget; say it with --items-per-day"
            )
        changed = buy(sample, windows, situation.bundle, policy, _per_item(wanted, sample.per_day))
    if as_json:
        what = None if changed is None else asdict(changed)
        print(json.dumps({**asdict(plan), "items_per_day": sample.per_day, "what_if": what}, indent=2))
        return
    console = Console()
    if changed is None:
        for table in tables(plan, config.currency):
            console.print(table)
    else:
        console.print(forecast_table(plan, changed, what_if or "", sample.per_day or 0.0, config.currency))
    for guess in plan.guesses:
        console.print(f"A guess: {guess}", highlight=False)


def parse_budget(text: str, policy: Policy) -> Budgets:
    """`budget=25` (all tiers together) or `budget=expert:50,crowd:10`; currency a day.

    Raises SetupProblem, saying how it is written.
    """
    name, _, value = text.partition("=")
    if name.strip() != "budget" or not value:
        raise SetupProblem(
            f"--what-if: {text!r} is not understood; write budget=25 or budget=expert:50,crowd:10"
        )
    if ":" not in value:
        return Budgets(total=_amount(value))
    tiers = []
    for part in value.split(","):
        tier, _, amount = part.partition(":")
        if tier.strip() not in policy.tiers:
            raise SetupProblem(
                f"--what-if: there is no tier {tier.strip()!r}; there are {', '.join(policy.tiers)}"
            )
        tiers.append((tier.strip(), _amount(amount)))
    return Budgets(tiers=tuple(tiers))


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = -1.0
    if not 0 <= amount < float("inf"):
        raise SetupProblem(f"--what-if: {text.strip()!r} is no amount of money; write a number, 0 or more")
    return amount


def _per_item(budgets: Budgets, per_day: float) -> Budgets:
    total = None if budgets.total is None else budgets.total / per_day
    return Budgets(total, tuple((name, money / per_day) for name, money in budgets.tiers))


def _situation(config: Config, policy: Policy, items_per_day: float | None) -> Situation:
    """From the database; from the settings alone where there is none yet, or nothing in it."""
    if not parts.has_database(config):
        return guessed_situation(policy, items_per_day)
    database = parts.open_database(config)
    try:
        return read_situation(database, parts.reports(config, database), policy, items_per_day)
    finally:
        database.close()
