"""`labelloop llm compare` against a scripted endpoint."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rows_for_tests import add_annotator, add_answer, add_items, all_rows

from daemon import cli
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import answers, budgets, calls
from labeling_functions.llm.scripted_server import Asked, Fault, ScriptedServer

CONFIG = """
task: {{name: mail, classes: [ham, spam]}}
tiers:
  llm: {{backend: llm, price: 0.01, variants: [good, bad]}}
  expert: {{final: true}}
endpoints: {{scripted: {{base_url: "{url}", price_in: 0.01, price_out: 0.1, timeout_seconds: 5}}}}
llm:
  good: {{endpoint: scripted, model: good, confidence: none, exemplars: {{count: 0}}}}
  bad: {{endpoint: scripted, model: bad, confidence: none, exemplars: {{count: 0}}}}
database: {{url: "{database}"}}
encoder: null
"""
COUNT = 20


def answer(asked: Asked) -> str:
    """The good model is right, the bad one says ham of everything."""
    odd = int(asked.prompt.rsplit("number ", 1)[1].split()[0]) % 2
    return "spam" if odd and asked.body["model"] == "good" else "ham"


@pytest.fixture
def file(tmp_path: Path, database: Database) -> Path:
    """A configuration whose database holds items that an expert answered blind."""
    ann = add_annotator(database, "ann")
    for number in range(COUNT):
        add_items(
            database, [f"i{number}"], payload=f'{{"id": "i{number}", "text": "number {number} of"}}'.encode()
        )
        add_answer(database, f"i{number}", ann, number % 2, purpose="gold")
    return tmp_path / "labelloop.yaml"


def compare(
    file: Path, database: Database, server: ScriptedServer, *arguments: str, config: str = CONFIG
) -> Result:
    address = database.url.render_as_string(hide_password=False)
    file.write_text(config.format(url=server.base_url, database=address))
    command = ["-q", "llm", "compare", "-c", str(file), *arguments]
    return CliRunner().invoke(cli.main, command, env={"COLUMNS": "200"})


def test_the_better_way_of_asking_is_told_from_the_worse(file: Path, database: Database) -> None:
    with ScriptedServer(answer) as server:
        shown = compare(file, database, server, "--budget", "5", "--json")
        assert shown.exit_code == 0, shown.output
        found = json.loads(shown.stdout)
        good, bad = found["llm/good"], found["llm/bad"]
        assert (good["agreement"], good["kappa"], good["itself"]) == (1.0, 1.0, 1.0)
        assert (bad["agreement"], bad["kappa"]) == (0.5, 0.0)
        assert good["judged"] == {"answers": COUNT, "right": COUNT}
        assert good["money"] > 0 and good["calibration_error"] is None
        assert server.bill.calls == 4 * COUNT, "two ways, two rounds"
        assert len(all_rows(database, answers)) == COUNT, "nothing is stored as an answer"
        again = compare(file, database, server, "llm", "--budget", "5", "--repeat", "1")
        assert "100.0%" in again.stdout and "llm/bad" in again.stdout
        assert server.bill.calls == 4 * COUNT, "the first round is kept"
    booked = sum(row.spent for row in all_rows(database, budgets, budgets.c.tier == "llm"))
    assert booked == sum(row.micros for row in all_rows(database, calls)) > 0


def test_the_budget_holds(file: Path, database: Database) -> None:
    with ScriptedServer(answer) as server:
        shown = compare(file, database, server, "--budget", "0.05")
    assert shown.exit_code == 2
    assert "--budget" in shown.stderr and "Traceback" not in shown.output
    runs = all_rows(database, budgets, budgets.c.tier.startswith("run:"))
    assert sum(row.reserved + row.spent for row in runs) <= 50_000


def test_what_was_paid_for_is_shown_when_the_budget_ends(file: Path, database: Database) -> None:
    one_at_a_time = CONFIG.replace("timeout_seconds: 5", "timeout_seconds: 5, concurrency: 1")
    with ScriptedServer(answer) as server:
        shown = compare(file, database, server, "--budget", "0.025", "--json", config=one_at_a_time)
    assert shown.exit_code == 2 and "what was asked before" in shown.stderr
    found = json.loads(shown.stdout)
    assert list(found) == ["llm/good"]
    assert 0 < found["llm/good"]["items"] <= COUNT and found["llm/good"]["agreement"] == 1.0


def test_an_endpoint_that_is_out_is_said(file: Path, database: Database) -> None:
    with ScriptedServer(answer) as server:
        server.inject(Fault("status", 400))
        shown = compare(file, database, server, "--budget", "5", "--items", "3")
    assert shown.exit_code == 2 and "gave no answer" in shown.stderr


def test_without_answers_of_experts_there_is_nothing_to_compare(tmp_path: Path, database: Database) -> None:
    with ScriptedServer(answer) as server:
        shown = compare(tmp_path / "labelloop.yaml", database, server, "--budget", "5")
    assert shown.exit_code == 2 and "no expert has answered" in shown.stderr


def test_sets_agree_as_a_whole_and_class_by_class(tmp_path: Path, database: Database) -> None:
    ann = add_annotator(database, "ann")
    for number in range(8):
        payload = f'{{"id": "i{number}", "text": "number {number} of"}}'.encode()
        add_items(database, [f"i{number}"], payload=payload)
        add_answer(database, f"i{number}", ann, (0b01, 0b11)[number % 2], purpose="gold", n_facets=2)
    file = tmp_path / "labelloop.yaml"

    def names(asked: Asked) -> str:
        odd = int(asked.prompt.rsplit("number ", 1)[1].split()[0]) % 2
        return json.dumps({"labels": ["spam", "ham"] if odd and asked.body["model"] == "good" else ["ham"]})

    with ScriptedServer(names) as server:
        kind = CONFIG.replace("name: mail", "name: mail, kind: multilabel")
        kind = kind.replace("price_in:", "schema: true, price_in:")
        shown = compare(file, database, server, "--budget", "5", "--json", config=kind)
        assert shown.exit_code == 0, shown.output
        found = json.loads(shown.stdout)
        good, bad = found["llm/good"], found["llm/bad"]
        assert (good["agreement"], good["classes_right"], good["itself"]) == (1.0, 1.0, 1.0)
        assert (bad["agreement"], bad["classes_right"]) == (0.5, 0.75)
        table = compare(file, database, server, "--budget", "5", "--repeat", "1", config=kind)
        assert "classes right" in table.stdout and "75.0%" in table.stdout
        schema = server.requests[0]["response_format"]["json_schema"]["schema"]
        assert schema["properties"]["labels"]["items"]["enum"] == ["ham", "spam"]
