"""Language models in a multilabel task: annotate, plan, status and check, against a scripted model."""

import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows

from daemon import cli
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers, questions
from daemon.wiring import annotate
from daemon.wiring.config import load
from labeling_functions.llm.scripted_server import Asked, ScriptedServer

CONFIG = """
task: {{name: mail, kind: multilabel, classes: [billing, praise, delivery]}}
functions: {{modules: [own_set_functions.py]}}
tiers:
  llm: {{backend: llm, price: 0.01, variants: [told, drawn]}}
  expert: {{final: true}}
endpoints: {{scripted: {{base_url: "{url}", price_in: 0.01, price_out: 0.1, timeout_seconds: 5}}}}
llm:
  told: {{endpoint: scripted, model: told, exemplars: {{count: 2, how: fixed}}}}
  drawn: {{endpoint: scripted, model: drawn, samples: 4, temperature: 0.7}}
database: {{url: "{database}"}}
encoder: null
mlflow: {{traces: 0}}
"""
FUNCTIONS = """
from labeling_functions import labeling_function, only

@labeling_function
def short(item):
    return only() if len(item.text) < 5 else {"praise": "thanks" in item.text}
"""
SETS = [["billing"], [], ["praise", "delivery"], ["billing", "praise", "delivery"]]
CLASSES = ["billing", "praise", "delivery"]


def says(asked: Asked) -> str:
    """What the last item is about; the one that is drawn forgets delivery in every second sample, and the one
    that is told writes item 3 in no form at first."""
    number = int(re.findall(r"number (\d)", asked.prompt)[-1])
    if asked.body["model"] == "drawn":
        forgets = asked.sample % 2
        return json.dumps({"labels": [name for name in SETS[number] if name != "delivery" or not forgets]})
    if number == 3 and "An earlier answer" not in asked.prompt:
        return ", ".join(SETS[number])
    sure = {name: 0.75 if name in SETS[number] else 0.25 for name in CLASSES}
    return json.dumps({"labels": SETS[number], "confidence": sure})


@pytest.fixture
def file(tmp_path: Path, database: Database) -> Path:
    """A configuration whose database holds items for the models, and two that experts know."""
    (tmp_path / "own_set_functions.py").write_text(FUNCTIONS)
    ann = add_annotator(database, "ann")
    for name, label in (("e0", 0b101), ("e1", 0)):
        add_items(database, [name], payload=json.dumps({"id": name, "text": f"known {name}"}).encode())
        add_answer(database, name, ann, label, purpose="gold", n_facets=3)
    for number in range(4):
        text = f"number {number}"
        add_items(database, [f"i{number}"], payload=json.dumps({"id": f"i{number}", "text": text}).encode())
        for _ in range(2):
            add_question(database, f"i{number}", "llm")
    return tmp_path / "labelloop.yaml"


def written(file: Path, database: Database, server: ScriptedServer) -> None:
    address = database.url.render_as_string(hide_password=False)
    file.write_text(CONFIG.format(url=server.base_url, database=address))
    file.chmod(0o600)  # it may hold a password


def call(file: Path, *command: str) -> Result:
    shown = CliRunner().invoke(cli.main, [*command, "-c", str(file)], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    return shown


def work(file: Path, database: Database) -> None:
    """`labelloop annotate llm` in a thread, until every question has ended."""
    stop, waited = threading.Event(), threading.Event()
    annotator = annotate.make(load(file, {}), database, "llm", None, stop)
    annotator.look_seconds = 0.02
    thread = threading.Thread(target=annotator.run)
    thread.start()
    try:
        for _ in range(3_000):
            if all(row.state == "answered" for row in all_rows(database, questions)) or not thread.is_alive():
                break
            waited.wait(0.02)
    finally:
        stop.set()
        thread.join(60)
    assert {row.state for row in all_rows(database, questions)} == {"answered"}


def test_sets_are_answered_with_how_likely_each_class_is(file: Path, database: Database) -> None:
    with ScriptedServer(says) as server:
        written(file, database, server)
        work(file, database)
        asked = [body for body in server.requests if body["model"] == "told"]
    names = {row.id: row.name for row in all_rows(database, annotators)}
    given = {(names[row.annotator], row.item): row for row in all_rows(database, answers)}
    for number, wanted in enumerate(SETS):
        told, drawn = given["llm/told", f"i{number}"], given["llm/drawn", f"i{number}"]
        applies = np.array([name in wanted for name in CLASSES])
        assert [*told.labels] == applies.tolist()
        assert np.frombuffer(told.probabilities, "<f4") == pytest.approx(np.where(applies, 0.75, 0.25))
        assert [*drawn.labels] == [*applies[:2], False], "half of the samples are not most of them"
        shares = np.frombuffer(drawn.probabilities, "<f4")
        assert shares == pytest.approx(applies * [1.0, 1.0, 0.5])
    shown = [m["content"] for m in asked[0]["messages"] if m["role"] == "assistant"]
    assert shown == ['{"labels": ["billing", "delivery"]}', '{"labels": []}'], "as experts answered"


def test_plan_and_check_know_the_task(file: Path, database: Database) -> None:
    with ScriptedServer(says) as server:
        written(file, database, server)
        work(file, database)
        assert "llm/drawn" in call(file, "plan", "--llm").stdout
        checked = call(file, "check").stdout
    assert "1 functions: short" in checked
