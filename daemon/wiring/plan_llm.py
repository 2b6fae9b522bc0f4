"""`labelloop plan --llm`: what language models will cost, take and be worth, before a coin is spent."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from daemon.adapters.store.call_plans import CallPlanRoom
from daemon.adapters.store.engine import Database
from daemon.adapters.store.planning import PlanRoom
from daemon.core.call_plan import CONFIDENCE, CallPlan, Judged, Seen, plan_calls
from daemon.core.decoding import decode_stored
from daemon.core.errors import SetupProblem
from daemon.wiring import parts
from daemon.wiring.config import Config
from daemon.wiring.ways import Way, requests_of, way_of
from labeling_functions.items import Item

SAMPLE = 200
"""Items whose prompts are built: the newest."""

NO_ITEMS = "plan --llm: prompts are built from items, and none has come yet; send some to a running worker"


@dataclass(frozen=True, slots=True)
class _Row:
    """One way of asking: its plan, and its answers that experts judged."""

    name: str
    plan: CallPlan
    judged: Judged


def main(config: Config, as_json: bool) -> None:
    """Print the plan of every way of asking that a tier uses.

    Raises:
        SetupProblem: no tier is answered by language models, or there are no items whose prompts could be
            built.
    """
    if not config.llm_tiers:
        raise SetupProblem("plan --llm: no tier is answered by language models; give one `backend: llm`")
    if not parts.has_database(config):
        raise SetupProblem(NO_ITEMS)
    database = parts.open_database(config)
    try:
        rows = _rows(config, database)
    finally:
        database.close()
    if as_json:
        print(json.dumps({row.name: _plain(row) for row in rows}, indent=2))
    else:
        _show(rows, config.currency)


def _rows(config: Config, database: Database) -> list[_Row]:
    items = [decode_stored(item.payload) for item in PlanRoom(database).recent(SAMPLE)]
    if not items:
        raise SetupProblem(NO_ITEMS)
    room = CallPlanRoom(database, parts.policy(config).final_tiers)
    rows = []
    for tier in config.llm_tiers:
        seen, judged = room.seen(tier), room.judged(tier)
        for name in config.variants(tier):
            way = way_of(config, tier, name)
            key = (way.name, way.version)
            plan = _plan(config, database, way, items, seen.get(key, Seen()))
            rows.append(_Row(way.name, plan, judged.get(key, Judged())))
    return rows


def _plan(config: Config, database: Database, way: Way, items: Sequence[Item], seen: Seen) -> CallPlan:
    requests = requests_of(config, database, way, items)
    return plan_calls(requests, len(items), config.endpoints[way.settings.endpoint], seen)


def _plain(row: _Row) -> dict[str, object]:
    judged = row.judged
    told = {"judged": judged.answers, "right": judged.right, "interval": judged.interval}
    return {**asdict(row.plan), **told}


def _show(rows: Sequence[_Row], currency: str) -> None:
    table = Table(title="Language models, per 1,000 items", title_justify="left", caption_justify="left")
    table.add_column("way of asking")
    for column in ("calls", "tokens in", "tokens out", currency, "at most", "hours", "right"):
        table.add_column(column, justify="right")
    for row in rows:
        plan = row.plan
        table.add_row(
            row.name,
            *(f"{1_000 * value:,.0f}" for value in (plan.calls, plan.tokens_in, plan.tokens_out)),
            *(f"{1_000 * value:,.2f}" for value in (plan.money, plan.most)),
            "unknown" if plan.seconds is None else f"{plan.seconds / 3.6:,.2f}",
            _right(row.judged),
        )
    table.caption = (
        f"Right: as experts answered blind, with its interval at {CONFIDENCE:.0%} confidence; "
        "unknown: no answer of theirs is on an audited item."
    )
    console = Console()
    console.print(table)
    if guessed := [row.name for row in rows if not row.plan.measured]:
        console.print(
            f"A guess: tokens of {', '.join(guessed)} are counted by the bytes of their prompts, for too few "
            "calls were made.",
            highlight=False,
        )


def _right(judged: Judged) -> str:
    if (interval := judged.interval) is None:
        return "unknown"
    low, high = interval
    return f"{judged.share:.1%} ({low:.1%} to {high:.1%}) of {judged.answers:,}"
