"""`labelloop webhooks`: what was given up is shown, and told again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from database_fixtures import blank_sqlite
from sqlalchemy import insert, select

from daemon import cli
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import deliveries

CONFIG = """
task: {name: t, classes: [a, b]}
tiers: {expert: {final: true}}
webhooks:
  shop: {url: "http://shop.invalid", secret_env: SHOP}
  desk: {url: "http://desk.invalid", secret_env: DESK}
database: {url: "sqlite:///hooks.db"}
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database of a configuration in the folder where the program is called; two events were given up."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labelloop.yaml").write_text(CONFIG)
    made = Database(blank_sqlite(tmp_path / "hooks.db"))
    one = {"webhook": "shop", "event": "paused", "ref": 1, "at": 0, "tries": 10, "due": 0}
    lost = [{**one, "uid": str(number), "state": "dead", "problem": f"HTTP 50{number}"} for number in (2, 3)]
    with made.write() as connection:
        connection.execute(insert(deliveries), lost)
    yield made
    made.close()


def labelloop(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["-q", "webhooks", *arguments], env={"COLUMNS": "200"})


def test_what_was_given_up_is_shown_with_its_last_problem(database: Database) -> None:
    shown = labelloop("list").stdout
    (shop,) = [line for line in shown.splitlines() if "shop" in line]
    assert [cell.strip() for cell in shop.split("│")[1:-1]] == ["shop", "0", "2", "HTTP 503"]
    (desk,) = [line for line in shown.splitlines() if "desk" in line]
    assert [cell.strip() for cell in desk.split("│")[1:-1]] == ["desk", "0", "0", ""]


def test_it_is_told_again_from_the_first_try_on(database: Database) -> None:
    assert labelloop("resend", "shop").stdout == "2 events will be told to shop again, by `labelloop run`\n"
    with database.read() as connection:
        states = connection.execute(select(deliveries.c.state, deliveries.c.tries)).all()
    assert states == [("waiting", 0), ("waiting", 0)]


def test_a_name_that_is_none_is_refused(database: Database) -> None:
    refused = labelloop("resend", "shap")
    assert refused.exit_code != 0
    assert "there is no 'shap'; configured: shop, desk" in str(refused.exception or "") + refused.output
