"""Judges of pairs in the running program: annotate, status, compare and plan, against a scripted judge."""

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rows_for_tests import add_annotator, add_answer, add_items, add_question, all_rows

from daemon import cli
from daemon.adapters.store.engine import Database
from daemon.adapters.store.schema import annotators, answers, judgments, questions
from daemon.wiring import annotate
from daemon.wiring.config import load
from labeling_functions.llm.scripted_server import Asked, ScriptedServer
from labeling_functions.pairs import A, B

CONFIG = """
task: {{name: answers, kind: preference, guidelines: Better is what helps more.}}
tiers:
  llm: {{backend: llm, price: 0.01, variants: [biased, scores]}}
  expert: {{final: true}}
endpoints: {{scripted: {{base_url: "{url}", price_in: 0.01, price_out: 0.1, timeout_seconds: 5}}}}
llm:
  biased: {{endpoint: scripted, model: biased, confidence: none}}
  scores: {{endpoint: scripted, model: scores, confidence: none, judge: scores}}
database: {{url: "{database}"}}
encoder: null
mlflow: {{traces: 0}}
"""
QUALITIES = [(5, 1), (1, 5), (4, 3), (3, 4), (5, 2), (2, 5), (3, 2), (2, 3)]
"""Half of the pairs are so close that a bias of 2 decides them."""


def judge(asked: Asked) -> str:
    """The biased one adds 2 to what it reads first, the other one gives each response its quality."""
    found = [int(one) for one in re.findall(r"of quality (\d)", asked.prompt)]
    if asked.body["model"] == "scores":
        return str(found[-1])
    return "1" if found[0] + 2 > found[1] else "2"


@pytest.fixture
def file(tmp_path: Path, database: Database) -> Path:
    """A configuration whose database holds pairs that an expert compared blind, in questions for judges."""
    ann = add_annotator(database, "ann")
    for number, (a, b) in enumerate(QUALITIES):
        fields = {"prompt": "p", "response_a": f"of quality {a}", "response_b": f"of quality {b}"}
        payload = json.dumps({"id": f"i{number}", "fields": fields}).encode()
        add_items(database, [f"i{number}"], payload=payload)
        add_answer(database, f"i{number}", ann, A if a > b else B, purpose="gold")
    return tmp_path / "labelloop.yaml"


def written(file: Path, database: Database, server: ScriptedServer) -> Path:
    address = database.url.render_as_string(hide_password=False)
    file.write_text(CONFIG.format(url=server.base_url, database=address))
    return file


def call(file: Path, *command: str) -> Result:
    shown = CliRunner().invoke(cli.main, [*command, "-c", str(file)], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    return shown


def work(file: Path, database: Database, done: Callable[[], bool]) -> None:
    """`labelloop annotate llm` in a thread, until something is so."""
    stop = threading.Event()
    annotator = annotate.make(load(file, {}), database, "llm", None, stop)
    annotator.look_seconds = 0.02
    thread = threading.Thread(target=annotator.run)
    thread.start()
    try:
        waited = threading.Event()
        for _ in range(3_000):
            if done() or not thread.is_alive():
                break
            waited.wait(0.02)
    finally:
        stop.set()
        thread.join(60)
    assert done()


def test_judges_answer_and_what_turns_with_the_order_is_counted(file: Path, database: Database) -> None:
    for number in range(len(QUALITIES)):
        for _ in range(2):
            add_question(database, f"i{number}", "llm")
    with ScriptedServer(judge) as server:
        written(file, database, server)

        def is_done() -> bool:
            return all(row.state in ("answered", "passed") for row in all_rows(database, questions))

        work(file, database, is_done)
    names = {row.id: row.name for row in all_rows(database, annotators)}
    given = [(names[row.annotator], row.item, row.labels[0]) for row in all_rows(database, answers)]
    truth = {f"i{number}": A if a > b else B for number, (a, b) in enumerate(QUALITIES)}
    scores = {item: label for name, item, label in given if name == "llm/scores"}
    biased = {item: label for name, item, label in given if name == "llm/biased"}
    assert scores == truth
    assert biased == {item: truth[item] for item in ("i0", "i1", "i4", "i5")}, "close ones are passed on"
    assert len(all_rows(database, judgments)) == len(QUALITIES)
    shown = call(file, "status").stdout
    line = next(line for line in shown.splitlines() if "llm/biased" in line and "50.0%" in line)
    assert " 8 " in line and "+1.1" in line


def test_judges_are_compared_and_planned(file: Path, database: Database) -> None:
    with ScriptedServer(judge) as server:
        written(file, database, server)
        plan = json.loads(call(file, "-q", "plan", "--llm", "--json").stdout)
        assert {name: one["calls"] for name, one in plan.items()} == {"llm/biased": 2.0, "llm/scores": 2.0}
        found = json.loads(call(file, "-q", "llm", "compare", "--budget", "5", "--json").stdout)
        biased, scores = found["llm/biased"], found["llm/scores"]
        assert (scores["agreement"], scores["answered"], scores["order_flips"]) == (1.0, 1.0, None)
        assert (biased["agreement"], biased["answered"], biased["order_flips"]) == (1.0, 0.5, 0.5)
        assert biased["position_bias"] > 1
        table = call(file, "-q", "llm", "compare", "--budget", "5", "--repeat", "1").stdout
        assert "contradicts itself turned" in table
    assert all_rows(database, judgments) == [], "comparing stores nothing"
