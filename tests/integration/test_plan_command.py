"""`labelloop plan`: from the settings alone, and from a database."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from database_fixtures import blank_sqlite
from sqlalchemy import insert

from daemon import cli
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import items
from daemon.adapters.store.stream import StreamRoom
from daemon.core.rows import FunctionVersion

CONFIG = """
task: {name: t, classes: [ham, spam]}
tiers: {crowd: {price: 0.05}, expert: {final: true, price: 0.5}}
database: {url: 'sqlite:///plan.db'}
"""
MINUTE = 60_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelloop.yaml").write_text(CONFIG)
    return tmp_path


def labelloop(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["-q", "plan", *arguments], env={"COLUMNS": "200"})


def fill(folder: Path, count: int) -> None:
    """Items over ten minutes; two functions agree on most of them."""
    database = Database(blank_sqlite(folder / "plan.db"))
    functions = StreamRoom(database, {}).register_functions([FunctionVersion(name, "1") for name in "abcd"])
    with database.write() as connection:
        rows = [
            {
                "id": f"i{number}",
                "topic_id": "t",
                "partition": 0,
                "offset": number,
                "payload": b'{"id": "x", "text": "hello"}',
                "digest": bytes(16),
                "arrived": 1_700_000_000_000 + number * 10 * MINUTE // count,
                "functions": functions.id,
                "inline": np.array([1, 1, 1, 1] if number % 4 else [1, 0, -1, -1], np.int8).tobytes(),
                "posterior": np.array([0.1, 0.9], np.float32).tobytes(),
                "labels": np.array([1], np.int8).tobytes(),
                "score": 0.9,
                "state": "ready",
                "revision": 1,
                "changed": 0,
            }
            for number in range(count)
        ]
        connection.execute(insert(items), rows)
    database.close()


def test_before_there_is_a_database_the_settings_alone_are_planned_with(folder: Path) -> None:
    shown = labelloop()
    assert shown.exit_code == 0, shown.output
    assert "A guess: No item has come yet" in shown.stdout
    assert "45" in shown.stdout
    assert not (folder / "plan.db").exists()


def test_a_plan_from_stored_items(folder: Path) -> None:
    fill(folder, 200)
    plan = json.loads(labelloop("--json").stdout)
    assert plan["items_per_day"] == pytest.approx(200 * 144, rel=0.02)
    assert plan["ready_share"] == 0.0, "four functions without a trained model are not sure enough"
    assert plan["windows"] == []
    assert 0.5 < plan["today"]["accuracy"] < 1
    assert any("No random blind answer is in" in guess for guess in plan["guesses"])


def test_another_budget_beside_todays(folder: Path) -> None:
    fill(folder, 200)
    table = labelloop("--what-if", "budget=expert:0,crowd:100")
    assert table.exit_code == 0, table.output
    assert "labels right" in table.stdout and "28,9" in table.stdout
    answer = json.loads(labelloop("--what-if", "budget=1000", "--items-per-day", "1000", "--json").stdout)
    assert 0 < answer["what_if"]["cost"] <= 1.0
    assert answer["what_if"]["accuracy"] > 0.5


def test_without_a_pace_a_budget_means_nothing(folder: Path) -> None:
    refused = labelloop("--what-if", "budget=25")
    assert refused.exit_code == 2
    assert "--items-per-day" in refused.stderr
    assert "Traceback" not in refused.output
    assert labelloop("--what-if", "budget=25", "--items-per-day", "100").exit_code == 0


LLM = """
tiers: {llm: {backend: llm, price: 0.01}, expert: {final: true, price: 0.5}}
endpoints:
  hosted: {base_url: 'http://127.0.0.1:1/v1', price_in: 0.1, price_out: 0.4, requests_per_minute: 60}
llm: {plain: {endpoint: hosted, model: m}, thinking: {endpoint: hosted, model: m, chain_of_thought: true}}
"""


def ask_models(folder: Path) -> None:
    crowd = "tiers: {crowd: {price: 0.05}, expert: {final: true, price: 0.5}}\n"
    several = LLM.replace("price: 0.01}", "price: 0.01, variants: [plain, thinking]}")
    (folder / "labelloop.yaml").write_text(CONFIG.replace(crowd, several))


def test_what_language_models_will_cost_is_told_without_a_call(folder: Path) -> None:
    ask_models(folder)
    assert "none has come yet" in labelloop("--llm").stderr
    fill(folder, 50)
    told = json.loads(labelloop("--llm", "--json").stdout)
    plain, thinking = told["llm/plain"], told["llm/thinking"]
    assert 0 < plain["money"] < plain["most"] < thinking["most"]
    assert plain["seconds"] == 1.0, "one call a second, by the endpoint's limit"
    assert plain["interval"] is None
    shown = " ".join(labelloop("--llm").stdout.split())
    assert "llm/thinking" in shown and "A guess: tokens of" in shown
    assert "unknown: no answer of theirs is on an audited item" in shown


def test_without_language_models_there_is_nothing_to_plan_for_them(folder: Path) -> None:
    refused = labelloop("--llm")
    assert refused.exit_code == 2
    assert "no tier is answered by language models" in refused.stderr
    assert "--llm goes with --json alone" in labelloop("--llm", "--what-if", "budget=1").stderr
