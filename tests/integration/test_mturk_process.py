"""`labelloop annotate TIER` of a tier at Mechanical Turk: a configuration, a database, and workers."""

import subprocess
import sys
import threading
from pathlib import Path

from kafka_fixtures import wait_until
from mturk_fixtures import Turk
from patience import PATIENCE
from rows_for_tests import add_items, add_question, all_rows

from daemon.adapters.store.schema import answers, processes, spend
from daemon.wiring import outside, parts
from daemon.wiring.config import load

FILE = """
task: {name: mail, classes: [ham, spam], guidelines: "Is it spam?"}
tiers:
  crowd: {backend: mturk, price: 0.06, lease_seconds: 3600}
  expert: {final: true}
mturk:
  endpoint: "ENDPOINT"
  poll_seconds: 0.1
  tiers:
    crowd:
      reward: 0.05
      title: Is it spam?
      description: Read and say.
      qualifications: {place: {type: "00000000000000000071", comparator: EqualTo, locales: [US]}}
"""


def test_the_command_serves_the_tier_until_it_is_told_to_end(tmp_path: Path, turk: Turk) -> None:
    file = tmp_path / "labelloop.yaml"
    file.write_text(FILE.replace("ENDPOINT", turk.server.url))
    database = parts.open_database(load(file, {}))
    add_items(database, ["a"], payload=b'{"id": "a", "text": "hello"}')
    question = add_question(database, "a", "crowd", price=60_000)
    command = [sys.executable, "-m", "daemon.cli", "annotate", "crowd", "-c", str(file)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: turk.offered == [question] or process.poll() is not None, 60)
        process.terminate()
        _, said = process.communicate(timeout=30 * PATIENCE)
    finally:
        process.kill()
        process.wait()
        database.close()
    assert process.returncode == 0, said
    assert turk.offered == [question], "somebody may be answering it"


def test_every_database_has_a_queue_of_its_own_there(tmp_path: Path) -> None:
    names = set()
    for folder in ("one", "two", "one"):
        file = tmp_path / folder / "labelloop.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(FILE.replace("ENDPOINT", "http://127.0.0.1:1").replace("mail", "mail" * 20))
        config = load(file, {})
        database = parts.open_database(config)
        names.add(outside.queue_name(config, database, "crowd"))
        database.close()
    assert len(names) == 2
    assert {len(name) for name in names} == {50}


def test_a_question_goes_there_and_its_answer_comes_back(tmp_path: Path, turk: Turk) -> None:
    file = tmp_path / "labelloop.yaml"
    file.write_text(FILE.replace("ENDPOINT", turk.server.url))
    config = load(file, {})
    database = parts.open_database(config)
    stop = threading.Event()
    process = threading.Thread(target=outside.WORK["mturk"], args=(config, database, "crowd", stop))
    try:
        add_items(database, ["a"], payload=b'{"id": "a", "text": "hello"}')
        question = add_question(database, "a", "crowd", price=60_000)
        process.start()
        wait_until(lambda: turk.offered == [question])
        asked = turk.hit(question).asked
        assert [one["Comparator"] for one in asked["QualificationRequirements"]] == [
            "DoesNotExist",
            "EqualTo",
        ]
        assert (asked["Reward"], asked["LifetimeInSeconds"]) == ("0.05", 3_600)
        assert "Keywords" not in asked
        with turk.server.lock:
            in_vain = turk.mturk.accept(turk.hit(question).id, "A1BOT")
            turk.mturk.submit(in_vain, [("label", "eggs")])
        wait_until(lambda: [row.state for row in all_rows(database, spend)] == ["spent", "reserved"])
        wait_until(lambda: turk.offered == [question])
        with turk.server.lock:
            turk.answer(question)
        wait_until(lambda: len(all_rows(database, answers)) == 1)
        wait_until(lambda: turk.offered == [] and not turk.mturk.hits)
    finally:
        stop.set()
        process.join(30)
        reports = [row.report for row in all_rows(database, processes)]
        database.close()
    assert any("crowd" in str(report) for report in reports)
