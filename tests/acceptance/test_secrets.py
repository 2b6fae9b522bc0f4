"""No secret of the configuration turns up where people or programs read: planted ones are looked for.

Everything runs that holds one, says all that it can say (level debug), and meets with failures.
"""

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from database_fixtures import private_server
from kafka_fixtures import KafkaForTests, wait_until
from mlflow_fixtures import end_group, running_mlflow
from patience import ANSWER_SECONDS, PATIENCE
from planted import PLANTED, files_below, leaks
from program import Program, _clean_environment, configuration, item
from secured_kafka import USER, SecuredKafka, secured_kafka

from daemon.adapters.mlflow_server import MlflowServer
from daemon.adapters.outside.mturk.fake import FakeMturk
from daemon.adapters.outside.mturk.fake_server import serving
from daemon.adapters.starting import free_port
from daemon.review.access_table import TABLE
from labeling_functions.llm.scripted_server import Fault, ScriptedServer

pytest.importorskip("boto3", reason="boto3 is not installed (the extra mturk)")

ROOT = "root"
START_SECONDS = 120.0
TRAINING_SECONDS = 300.0
"""The learner comes after everybody else: on a busy machine what takes ten seconds takes minutes."""
LOUD = {"LABELLOOP_LOG_LEVEL": "debug"}


class Refuses(BaseHTTPRequestHandler):
    """A web server where nothing goes well."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def do_GET(self) -> None:
        self.server.heard.append(dict(self.headers) | {"path": self.path})  # type: ignore[attr-defined]
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Not here."""


class World:
    """All that the program talks to, and the program."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        for name in ("broker", "certificates", "secrets"):
            (folder / name).mkdir()
        self.kafka: SecuredKafka = stack.enter_context(secured_kafka(folder / "broker", PLANTED["kafka"]))
        self.outside = KafkaForTests(self.kafka.plain, "secured", is_apache=True)
        stack.callback(self.outside.close)
        postgres = stack.enter_context(private_server())
        self.database = self._database(postgres.url)
        server, self.mlflow_process = stack.enter_context(running_mlflow(folder / "mlflow-server"))
        self.mlflow: MlflowServer = server
        self.model = stack.enter_context(ScriptedServer(lambda _: "spam"))
        self.turk = stack.enter_context(serving(FakeMturk()))
        self.refuses = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Refuses))
        self.refuses.heard = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=self.refuses.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(self.refuses.shutdown)
        self.program = Program(folder / "program", self._configuration())
        self.program.write()
        stack.callback(self.program.stop)
        self.review = f"http://127.0.0.1:{self.program.config['review']['port']}"

    def _database(self, server: str) -> str:
        """A database of somebody whose password is planted; the address without it."""
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE loop LOGIN PASSWORD '{PLANTED['database']}'".encode())
            connection.execute(b"CREATE DATABASE loop OWNER loop")
        self.superuser = server.replace("/postgres", "/loop")
        return server.replace("tester:secret@", "loop:${DB_PASSWORD}@").replace("/postgres", "/loop")

    def _configuration(self) -> dict[str, Any]:
        settings = self.outside.settings
        names = ("items", "labels", "questions", "dead_letters")
        topics = dict(zip(names, settings.topics.all(), strict=True))
        config = configuration(self.kafka.sasl, topics, self.database, settings.group)
        config["kafka"]["security"] = {
            "protocol": "SASL_SSL",
            "sasl_mechanism": "PLAIN",
            "username": USER,
            "password_env": "KAFKA_PASSWORD",
            "ca_file": str(self.kafka.authority.file),
        }
        mlflow = self.mlflow.uri.replace("http://", "http://loop:${MLFLOW_PASSWORD}@")
        config["mlflow"] = {"uri": mlflow}
        config["review"] = {"port": free_port()}
        config["metrics"] = {"port": 0}
        config["guarantee"] = {"cold_start_gold": 20}
        config["learning"] = {"min_answers": 20, "max_seconds": 20}
        config["tiers"] = {
            "model": {"backend": "llm", "price": 0.001, "accuracy": 0.8, "when": "always"},
            "turk": {"backend": "mturk", "price": 0.06, "lease_seconds": 3_600},
            "studio": {"backend": "label_studio", "price": 0.05},
            "expert": {"price": 0.6, "final": True},
        }
        config["endpoints"] = {"hosted": {"base_url": self.model.base_url, "key_env": "MODEL_KEY"}}
        config["llm"] = {"model": {"endpoint": "hosted", "model": "scripted", "confidence": "none"}}
        elsewhere = f"http://127.0.0.1:{self.refuses.server_address[1]}"
        hook = {"url": elsewhere + "/hooks/${HOOK_ADDRESS}", "secret_env": "HOOK_SECRET"}
        config["webhooks"] = {"shop": hook}
        config["label_studio"] = {"url": elsewhere, "poll_seconds": 0.5}
        hits = {"reward": 0.05, "title": "Is it spam?", "description": "Read and say."}
        config["mturk"] = {"endpoint": self.turk.url, "poll_seconds": 0.5, "tiers": {"turk": hits}}
        return config

    @property
    def secrets(self) -> dict[str, str]:
        """Variables that hold them, some through files."""
        key = self.folder / "secrets" / "model"
        key.write_text(PLANTED["model"] + "\n")
        return {
            "KAFKA_PASSWORD": PLANTED["kafka"],
            "DB_PASSWORD": PLANTED["database"],
            "MLFLOW_PASSWORD": PLANTED["mlflow"],
            "MODEL_KEY_FILE": str(key),
            "HOOK_ADDRESS": PLANTED["webhook-address"],
            "HOOK_SECRET": PLANTED["webhook-secret"],
            "LABEL_STUDIO_TOKEN": PLANTED["label-studio"],
            "LABELLOOP_PREDICTIONS_TOKEN": PLANTED["predictions"],
            "AWS_ACCESS_KEY_ID": "AKIDFAKE",
            "AWS_SECRET_ACCESS_KEY": PLANTED["turk"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database past the program."""
        with psycopg.connect(self.superuser) as connection:
            return list(connection.execute(sql.encode()))

    def count(self, sql: str) -> int:
        return int(self.ask(sql)[0][0])

    def runs(self) -> int:
        """Training runs that MLflow has, whole."""
        api = f"{self.mlflow.uri}/api/2.0/mlflow"
        found = httpx.post(
            f"{api}/experiments/search", json={"max_results": 10}, timeout=ANSWER_SECONDS
        ).json()
        ids = [one["experiment_id"] for one in found.get("experiments", [])]
        told = {"experiment_ids": ids, "filter": "attributes.status = 'FINISHED'"}
        return len(httpx.post(f"{api}/runs/search", json=told, timeout=ANSWER_SECONDS).json().get("runs", []))

    def said(self, *command: str, given: str | None = None, **environment: str) -> str:
        """All that a command prints."""
        done = subprocess.run(
            [sys.executable, "-m", "daemon.cli", *command, "-c", str(self.program.file)],
            env={**_clean_environment(), **self.secrets, **LOUD, **environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=60 * PATIENCE,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


def works(world: World, client: httpx.Client) -> None:
    """Items are labeled, asked about and answered until models were trained and other programs were told."""
    topic = world.program.topics["items"]
    for first in (0, 150):
        world.outside.produce(topic, [item(number, 5) for number in range(first, first + 150)])
    world.program.until(lambda: world.count("SELECT count(*) FROM items") == 300, "300 items")
    reviewer = client.post("/api/reviewers", json={"name": ROOT, "tier": "expert"}).json()["id"]

    def trained() -> bool:
        wish = {"reviewer": reviewer, "tier": "expert", "count": 10}
        for lease in client.post("/api/leases", json=wish).json()["leases"]:
            told = {"question": lease["question"], "reviewer": reviewer, "label": "ham", "seconds": 1.0}
            client.post("/api/answers", json=told)
        return world.runs() > 0

    world.program.until(trained, "a training run", TRAINING_SECONDS)
    world.outside.produce(topic, [item(number, 5) for number in range(300, 400)])
    world.program.until(lambda: world.model.bill.billed > 0, "calls to the model")
    heard = world.refuses.heard  # type: ignore[attr-defined]
    hooks = f"/hooks/{PLANTED['webhook-address']}"
    wait_until(lambda: any(one["path"] == hooks for one in heard), 60, "a call of the webhook")
    token = f"Token {PLANTED['label-studio']}"
    wait_until(lambda: any(token in one.values() for one in heard), 60, "a call of Label Studio")


def fails(world: World) -> None:
    """The model refuses our key and quotes it, MLflow goes away, messages cannot be read."""
    quoted = f"Incorrect API key provided: {PLANTED['model']}"
    world.model.inject(Fault("status", 401, message=quoted))
    end_group(world.mlflow_process)
    topic = world.program.topics["items"]
    world.outside.produce(topic, [b"{", *(item(number, 2) for number in range(400, 440))])
    world.program.until(lambda: world.count("SELECT count(*) FROM items") == 440, "440 items")
    wait_until(lambda: "401" in world.program.logs() or "refused" in world.program.logs(), 60, "a refusal")


def pages(world: World, client: httpx.Client) -> dict[str, bytes]:
    """All that the server says to an admin."""
    found = {}
    for method, path, _ in TABLE:
        if method == "GET" and not path.startswith("/static"):
            answered = client.get(path.replace("{id:path}", "item-0").replace("{id}", "nothing"))
            found[f"GET {path}"] = str(answered.headers).encode() + answered.content
    return found


def commands(world: World) -> dict[str, bytes]:
    """All that commands print, with the right secrets and with wrong ones."""
    wrong = {name: f"wrong-{secret}" for name, secret in world.secrets.items() if "PASSWORD" in name}
    said = {
        "check": world.said("check", "--show"),
        "status": world.said("status"),
        "webhooks": world.said("webhooks", "list"),
        "run with a wrong Kafka": world.said("run", KAFKA_PASSWORD=wrong["KAFKA_PASSWORD"]),
        "run with a wrong database": world.said("run", DB_PASSWORD=wrong["DB_PASSWORD"]),
        "check with all wrong": world.said("check", **wrong),
    }
    assert "refused the login" in said["run with a wrong Kafka"]
    assert "refused the user name or password" in said["run with a wrong database"]
    return {name: text.encode() for name, text in said.items()}


def stored(world: World) -> dict[str, bytes]:
    """All rows of all tables, and all messages."""
    tables = world.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    found = {
        f"table {name}": "\n".join(
            str(row) for (row,) in world.ask(f'SELECT one::text FROM "{name}" AS one')
        ).encode()
        for (name,) in tables
    }
    for topic in world.program.topics.values():
        read = world.outside.read_all(topic, lambda _: True)
        found[f"topic {topic}"] = b"\n".join(bytes(str((r.headers, r.value)), "utf-8") for r in read)
    return found


@pytest.mark.kafka_only
@pytest.mark.postgres
@pytest.mark.timeout(1_200)
def test_planted_secrets_turn_up_nowhere(world: World) -> None:
    add = ("users", "add", ROOT, "--role", "admin", "--password-stdin")
    places: dict[str, bytes] = {"users add": world.said(*add, given=PLANTED["person"] + "\n").encode()}
    token = world.said("users", "token", ROOT, "--scope", "read", LABELLOOP_LOG_LEVEL="error").split()[-1]
    up = world.program.start("up", **world.secrets, **LOUD)
    said = lambda: world.program.logs_of(up)  # noqa: E731
    wait_until(lambda: "is up" in said() or up.poll() is not None, START_SECONDS, "a welcome")
    assert up.poll() is None, world.program.logs()
    with httpx.Client(
        base_url=world.review, headers={"Sec-Fetch-Site": "same-origin"}, timeout=ANSWER_SECONDS
    ) as client:
        login = client.post("/api/login", json={"name": ROOT, "password": PLANTED["person"]})
        assert login.status_code == 200, login.text
        wrong = {"name": ROOT, "password": f"wrong-{PLANTED['person']}"}
        assert httpx.post(f"{world.review}/api/login", json=wrong, timeout=ANSWER_SECONDS).status_code == 401
        by_token = httpx.get(
            f"{world.review}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=ANSWER_SECONDS
        )
        assert by_token.status_code == 200
        works(world, client)
        fails(world)
        places |= pages(world, client)
        session = next(iter(client.cookies.values()))
    places |= commands(world)
    up.terminate()
    assert up.wait(60 * PATIENCE) == 0, world.program.logs()
    places |= stored(world) | files_below(world.program.folder, world.folder / "mlflow-server")
    logs = [name for name in places if name.endswith(".log")]
    assert {Path(name).stem for name in logs} >= {"run", "learn", "review", "annotate-model", "annotate-turk"}
    secrets: Mapping[str, str] = {**PLANTED, "session": session, "token": token}
    assert leaks(places, secrets) == []


def test_secrets_are_found_in_whatever_form() -> None:
    """The search that the test above rests on finds what it is to find."""
    secret = PLANTED["kafka"]
    for lead in ("", "a", "ab", "user:", "\0ann\0"):
        text = f"{lead}{secret} and more".encode()
        for written in (text, base64.b64encode(text), text.hex().encode()):
            assert leaks({"somewhere": b"before " + written}, {"kafka": secret}), (lead, written)
    assert leaks({"somewhere": b"nothing"}, PLANTED) == []
