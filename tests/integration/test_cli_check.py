"""`labelloop check` against real parts: what answers, what does not, and how long that takes."""

import http.server
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_fixtures import KafkaForTests
from patience import PATIENCE

from daemon.adapters.kafka.topics import create_topics
from daemon.adapters.starting import free_port
from daemon.adapters.store.engine import Database
from daemon.core.errors import SetupProblem
from daemon.wiring import check, checks
from daemon.wiring.check import _side_by_side
from daemon.wiring.checks import Finding, State
from daemon.wiring.config import Config, load
from daemon.wiring.init import main as init

FUNCTIONS = """
from labeling_functions import keywords, labeling_function

found = keywords("found", ["word"], "{label}")

@labeling_function
def second(item):
    return {body}
"""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine that runs the tests."""
    for name in os.environ:
        if name.startswith("LABELLOOP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LABELLOOP_REVIEW__PORT", str(free_port()))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as `init` makes it."""
    init(tmp_path)
    return tmp_path


def config_of(project: Path, **settings: object) -> Config:
    """The project's configuration, some settings changed."""
    environ = {f"LABELLOOP_{name.upper()}": str(value) for name, value in settings.items()}
    return load(project / "labelloop.yaml", environ)


def write_functions(project: Path, body: str, label: str = "urgent") -> None:
    (project / "my_functions.py").write_text(FUNCTIONS.format(label=label, body=body))


@pytest.fixture
def page_server() -> Iterator[str]:
    """A web server where /health, /healthz answer 200 and all else 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in ("/health", "/healthz") else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def hang_up(server: socket.socket) -> None:
    """Answer as a server of another kind."""
    server.accept()[0].close()


def run_check(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "daemon.cli", "check", "-c", str(project / "labelloop.yaml")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * PATIENCE,
    )


def test_everything_embedded_passes(project: Path) -> None:
    done = run_check(project)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert [line[1] for line in lines] == ["config", *check.CHECKS]
    assert {line[0] for line in lines} == {"ok"}
    assert done.stdout.count("embedded: started by `labelloop up`") == 3
    assert not (project / "state").exists()  # looking makes nothing


def test_everything_out_of_reach_is_reported_part_by_part_in_time(project: Path) -> None:
    closed = [free_port() for _ in range(3)]
    started = time.monotonic()
    done = run_check(
        project,
        LABELLOOP_KAFKA__BOOTSTRAP=f"127.0.0.1:{closed[0]}",
        LABELLOOP_DATABASE__URL=f"postgresql://me:s3cret@127.0.0.1:{closed[1]}/loop",
        LABELLOOP_MLFLOW__URI=f"http://me:s3cret@127.0.0.1:{closed[2]}",
    )
    seconds = time.monotonic() - started
    assert done.returncode == 1
    wrong = {line.split()[1]: line for line in done.stdout.splitlines() if line.startswith("problem")}
    assert sorted(wrong) == ["database", "kafka", "mlflow"]
    for part, port in zip(("kafka", "database", "mlflow"), closed, strict=True):
        assert f"127.0.0.1:{port}" in wrong[part]
    assert "s3cret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert seconds < 15 * PATIENCE  # nine, and what a busy machine needs to start Python


@pytest.mark.parametrize(
    ("address", "mode", "state"),
    [
        ("postgresql://me:s3cret@h/x", 0o644, State.PROBLEM),
        ("postgresql://me:s3cret@h/x", 0o640, State.PROBLEM),
        ("postgresql://me:s3cret@h/x", 0o600, State.NOTE),
        ("postgresql://me:${DB_PASSWORD}@h/x", 0o644, State.OK),
    ],
)
def test_a_password_in_the_file_is_a_problem_where_others_can_read_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, address: str, mode: int, state: State
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "s3cret")
    file = project / "labelloop.yaml"
    file.write_text(file.read_text().replace("\ndatabase:\n", f"\ndatabase:\n  url: {address}\n"))
    file.chmod(mode)
    found = checks.configuration(load(file), file)
    assert found.state is state
    assert ("database.url holds a password" in found.text) is (state is not State.OK)
    assert ("chmod 600" in found.text) is (state is State.PROBLEM)
    assert "s3cret" not in found.text


@pytest.mark.postgres
def test_a_password_that_others_can_read_fails_the_check(project: Path, postgres_url: str) -> None:
    file = project / "labelloop.yaml"
    file.write_text(file.read_text().replace("\ndatabase:\n", f"\ndatabase:\n  url: {postgres_url}\n"))
    file.chmod(0o600)
    assert check.main(file)
    file.chmod(0o644)
    assert not check.main(file)


def test_a_part_that_hangs_or_breaks_does_not_hold_up_the_others(project: Path) -> None:
    release = threading.Event()

    def hangs(_config: Config) -> Finding:
        release.wait(30)
        return checks.ok("late")

    def breaks(_config: Config) -> Finding:
        raise RuntimeError("bug")

    def refuses(_config: Config) -> Finding:
        raise SetupProblem("put it right")

    chosen = {"hangs": hangs, "breaks": breaks, "refuses": refuses, "works": lambda _: checks.ok("fine")}
    found = dict(_side_by_side(config_of(project), chosen, 0.5))
    release.set()
    assert found == {
        "hangs": Finding(State.PROBLEM, "no answer within 0.5 s"),
        "breaks": Finding(State.PROBLEM, "RuntimeError: bug"),
        "refuses": Finding(State.PROBLEM, "put it right"),
        "works": checks.ok("fine"),
    }


def test_kafka_says_which_topics_are_there(project: Path, kafka: KafkaForTests) -> None:
    settings = kafka.settings_with_topic(partitions=2)
    topics = {f"kafka__topics__{name}": getattr(settings.topics, name) for name in settings.topics.__slots__}
    config = config_of(project, kafka__bootstrap=kafka.bootstrap, **topics)
    found = checks.kafka(config)
    assert found.state is State.OK
    assert f"{settings.topics.items} (2 partitions)" in found.text
    assert f"{settings.topics.labels} (made at the start)" in found.text
    strict = config_of(project, kafka__bootstrap=kafka.bootstrap, kafka__create_topics="false", **topics)
    found = checks.kafka(strict)
    assert found.state is State.PROBLEM
    assert f"topic '{settings.topics.labels}' does not exist" in found.text
    create_topics(settings)
    assert checks.kafka(strict).state is State.OK


def test_a_kafka_home_without_kafka_is_a_problem(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABELLOOP_KAFKA_HOME", str(project))
    found = checks.kafka(config_of(project))
    assert found.state is State.PROBLEM and f"no Apache Kafka in {project}" in found.text


def test_the_database_is_looked_at_and_not_touched(project: Path) -> None:
    config = config_of(project)
    assert "first process" in checks.database(config).text
    config.state.mkdir()
    assert list(config.state.iterdir()) == []
    database = Database(config.database_url)
    database.migrate()
    assert checks.database(config).state is State.OK
    assert "tables of version" in checks.database(config).text
    database.close()


def test_a_database_of_another_version_is_told_apart(project: Path) -> None:
    config = config_of(project)
    config.state.mkdir()
    file = config.state / "labelloop.db"
    sqlite3.connect(file).close()
    file.touch()
    assert "no tables yet" in checks.database(config).text
    database = Database(config.database_url)
    database.migrate()
    database.close()
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    found = checks.database(config)
    assert found.state is State.PROBLEM and "newer than this program" in found.text


def test_a_file_that_is_no_database_is_a_problem(project: Path) -> None:
    (project / "x.db").write_text("certainly not a database, but long enough to be read as one " * 40)
    with pytest.raises(SetupProblem, match="this file is something else"):
        checks.database(config_of(project, database__url=f"sqlite:///{project}/x.db"))


def test_an_address_of_no_database_is_a_problem(project: Path) -> None:
    with pytest.raises(SetupProblem, match="not a database address"):
        checks.database(config_of(project, database__url="mysql://h/x"))


def test_mlflow_is_asked_for_its_health(project: Path, page_server: str) -> None:
    assert checks.mlflow(config_of(project, mlflow__uri=page_server)) == checks.ok(page_server)
    found = checks.mlflow(config_of(project, mlflow__uri=f"{page_server}/elsewhere"))
    assert found.state is State.PROBLEM and "answers 404" in found.text
    assert checks.mlflow(config_of(project, mlflow__uri="databricks")).state is State.NOTE
    with pytest.raises(SetupProblem, match="no MLflow server answers"):
        checks.mlflow(config_of(project, mlflow__uri=f"http://127.0.0.1:{free_port()}"))


def test_a_taken_port_is_a_problem_unless_the_pages_are_served_there(project: Path, page_server: str) -> None:
    served = checks.review_port(config_of(project, review__port=page_server.rpartition(":")[2]))
    assert served.state is State.OK and "is being served" in served.text
    with socket.create_server(("127.0.0.1", 0)) as taken:
        threading.Thread(target=hang_up, args=(taken,), daemon=True).start()
        found = checks.review_port(config_of(project, review__port=taken.getsockname()[1]))
        assert found.state is State.PROBLEM and "set another port" in found.text


def test_a_host_that_is_not_ours_is_a_problem(project: Path) -> None:
    # 192.0.2.0/24 is for documentation; no machine has an address in it.
    assert checks.review_port(config_of(project, review__host="192.0.2.1")).state is State.PROBLEM


@pytest.mark.parametrize(
    ("body", "label", "state", "expected"),
    [
        ("None", "urgent", State.OK, "2 functions: found, second"),
        ("item.title", "urgent", State.NOTE, "second (AttributeError: item 'sample' has no field 'title')"),
        (
            "'urgnt'",
            "urgent",
            State.PROBLEM,
            "'second' voted 'urgnt', which is no class; did you mean 'urgent'?",
        ),
        ("True", "urgent", State.PROBLEM, "'second' voted True (bool)"),
        ("None", "urgnt", State.PROBLEM, "'found' voted 'urgnt', which is no class; did you mean 'urgent'?"),
        ("(", "urgent", State.PROBLEM, "functions.modules: my_functions.py fails to import: SyntaxError"),
    ],
)
def test_labelling_functions_are_tried_on_a_sample(
    project: Path, body: str, label: str, state: State, expected: str
) -> None:
    write_functions(project, body, label)
    found = checks.functions(config_of(project))
    assert found.state is state
    assert expected in found.text


def test_patterns_that_are_searched_twice_are_named(project: Path) -> None:
    (project / "my_functions.py").write_text(
        "from labeling_functions import matches\n"
        "doubled = matches('doubled', r'(.)\\1', 'urgent')\n"
        "plain = matches('plain', r'\\bnow\\b', 'urgent')\n"
    )
    found = checks.functions(config_of(project))
    assert found.state is State.OK
    assert "2 functions: doubled, plain; RE2 cannot say the patterns of doubled, which" in found.text


def test_a_module_that_is_not_there_is_a_problem(project: Path) -> None:
    found = checks.functions(config_of(project, functions__modules="[absent.py]"))
    assert found.state is State.PROBLEM and "absent.py" in found.text
    assert checks.functions(config_of(project, functions__modules="[]")).state is State.NOTE


def test_the_encoder_is_looked_for_without_loading_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(project / "hub"))
    assert checks.encoder(config_of(project, encoder="null")).state is State.NOTE
    assert checks.encoder(config_of(project, encoder=str(project))) == checks.ok(f"{project}, a folder")
    absent = config_of(project, encoder="some-model")
    assert checks.encoder(absent).state is State.NOTE
    (project / "hub/hub/models--sentence-transformers--some-model/snapshots").mkdir(parents=True)
    assert checks.encoder(absent).state is State.OK


def test_a_state_folder_that_cannot_be_made_is_a_problem(project: Path) -> None:
    assert checks.state_folder(config_of(project)).state is State.OK
    (project / "state").write_text("a file")
    found = checks.state_folder(config_of(project))
    assert found.state is State.PROBLEM and "no folder" in found.text


def test_show_prints_the_configuration_in_force(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check.main(project / "labelloop.yaml", show=True)
    assert "target_error: 0.05" in capsys.readouterr().out


def test_the_deep_check_of_no_encoder_loads_none(project: Path) -> None:
    assert checks.encoder_loaded(config_of(project, encoder="null")).state is State.NOTE
