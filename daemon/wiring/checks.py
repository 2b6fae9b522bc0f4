"""What `labelloop check` looks at, one function a part. None of them changes anything."""

import os
import socket
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import httpx
from sqlalchemy.exc import DatabaseError

from daemon.adapters.broker.apache import find_java
from daemon.adapters.broker.embedded import EmbeddedBroker
from daemon.adapters.kafka.settings import KafkaSettings
from daemon.adapters.kafka.topics import TopicState, describe, publishing_refused
from daemon.adapters.store.engine import Database
from daemon.adapters.store.problems import shown
from daemon.adapters.store.upgrade import VERSIONS, stored_version
from daemon.core.errors import SetupProblem
from daemon.wiring.config import Config
from daemon.wiring.config_env import literal_passwords
from daemon.wiring.config_file import read_yaml
from daemon.wiring.config_keys import dotted
from labeling_functions.ballot import BadVote, ballot_of
from labeling_functions.function import Function, Heuristic
from labeling_functions.heuristics.scan import slow_patterns
from labeling_functions.items import Item
from labeling_functions.loading import LoadError, load
from labeling_functions.pairs import FIELDS, SIDES
from labeling_functions.task import MATCHING, PREFERENCE
from models.encoder import EncoderUnavailable, SentenceEncoder, packaged_folder

CONNECT_SECONDS = 5.0
PAGE_SECONDS = 3.0
SAMPLE = Item("sample", {"text": "A sample of a text."})
SAMPLES = {
    PREFERENCE: Item("sample", dict(zip(FIELDS, ("A prompt.", "A response.", "Another."), strict=True))),
    MATCHING: Item("sample", dict(zip(SIDES, ("A sample of a text.", "Another text."), strict=True))),
}
"""Kind of task -> an item of it; of other kinds `SAMPLE`."""
EMBEDDED = "embedded: started by `labelloop up`"


class State(Enum):
    """How a part is."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one part, and what to do about it."""

    state: State
    text: str


Check = Callable[[Config], Finding]


def ok(text: str) -> Finding:
    """Nothing to do."""
    return Finding(State.OK, text)


def configuration(config: Config, file: Path) -> Finding:
    """What the file sets up, in one line; and whether it holds passwords, and who else can read them."""
    task = config.task
    said = (
        f"{file}: task {task.name!r}, {task.n_classes} classes, tiers {', '.join(config.tiers)}; "
        f"audits go to {config.audit_tier}"
    )
    held = literal_passwords(read_yaml(file.read_text(encoding="utf-8"), str(file)).data)
    if not held:
        return ok(said)
    places = ", ".join(dotted(place) for place in held)
    hint = "write ${NAME} for it, and set a variable of that name"
    if file.stat().st_mode & _READABLE_BY_OTHERS:
        hint += f", or let nobody else read the file (chmod 600 {file})"
        return Finding(State.PROBLEM, f"{said}; {places} holds a password that others can read: {hint}")
    return Finding(State.NOTE, f"{said}; {places} holds a password: {hint}")


def state_folder(config: Config) -> Finding:
    """Can the embedded parts keep their files there?"""
    there = next(folder for folder in (config.state, *config.state.parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding(State.PROBLEM, f"state: {there} is no folder that can be written to; name another")
    return ok(str(config.state) if there == config.state else f"{config.state}, made when it is needed")


def functions(config: Config) -> Finding:
    """Do the labelling functions load, and what do they say of a sample?"""
    try:
        found = load(config.functions.modules, config.folder)
    except LoadError as error:
        return Finding(State.PROBLEM, f"functions.modules: {error}")
    if not found:
        return Finding(State.NOTE, "none; models learn from people's answers alone")
    ballot = ballot_of(config.task.space)
    raised: list[str] = []
    for function in found:
        try:
            ballot.votes(_answer_on(SAMPLES.get(config.task.kind, SAMPLE), function))
        except BadVote as error:
            return Finding(State.PROBLEM, f"labelling function {function.name!r} {error}")
        except Exception as error:  # noqa: BLE001 (users' code may raise anything)
            raised.append(f"{function.name} ({type(error).__name__}: {error})")
    if raised:
        return Finding(
            State.NOTE,
            f"{len(found)} functions; on a plain item of this kind these raise, and would abstain: "
            + "; ".join(raised),
        )
    slow = slow_patterns(found)
    hint = f"; RE2 cannot say the patterns of {', '.join(slow)}, which take longer" if slow else ""
    return ok(f"{len(found)} functions: {', '.join(function.name for function in found)}{hint}")


def _answer_on(sample: Item, function: Function) -> object:
    # A heuristic says nothing of most texts; its class is checked all the same.
    return function.label if isinstance(function, Heuristic) else function(sample)


def encoder(config: Config) -> Finding:
    """Is the encoder on this machine? Looks for files; loads nothing."""
    name = config.encoder
    if name is None:
        return Finding(State.NOTE, "none; there will be no classifier")
    try:
        if packaged_folder(name) is not None:
            return ok(f"{name}, from an installed package")
    except EncoderUnavailable as error:
        return Finding(State.PROBLEM, str(error))
    if Path(name).is_dir():
        return ok(f"{name}, a folder")
    if _cached(name):
        return ok(f"{name}, downloaded before")
    return Finding(State.NOTE, f"{name} is not on this machine; the first use tries to download it")


def _cached(name: str) -> bool:
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    owner_and_name = name if "/" in name else f"sentence-transformers/{name}"
    return (hub / f"models--{owner_and_name.replace('/', '--')}" / "snapshots").is_dir()


def encoder_loaded(config: Config) -> Finding:
    """Does the encoder work? Loads it, which takes seconds."""
    started = time.monotonic()
    if config.encoder is None:
        return encoder(config)
    try:
        model = SentenceEncoder(config.encoder, config.encoding.precision)
        size = model.encode([SAMPLE.plain_text]).shape[1]
    except EncoderUnavailable as error:
        return Finding(State.PROBLEM, str(error))
    return ok(
        f"{config.encoder} in {model.precision} ({model.reason}): {size} numbers a text, "
        f"loaded in {time.monotonic() - started:.1f} s"
    )


def kafka(config: Config) -> Finding:
    """Does a broker answer, are the topics there, and may we publish?"""
    settings = config.kafka
    if settings.bootstrap is None:
        return _embedded_kafka(os.environ.get("LABELLOOP_KAFKA_HOME"))
    seconds = min(settings.connect_seconds, CONNECT_SECONDS)
    hasty = replace(settings, connect_seconds=seconds)
    found = _topics(settings, describe(hasty))
    if found.state is not State.PROBLEM and publishing_refused(hasty):
        allow = f"allow this user Write and Describe on transactional id {settings.publishing_id!r}"
        return Finding(State.PROBLEM, f"{settings.bootstrap}: labels could not be published; {allow}")
    return found


def _topics(settings: KafkaSettings, states: Sequence[TopicState]) -> Finding:
    missing = [state for state in states if state.problem]
    if missing and not settings.create_topics:
        return Finding(State.PROBLEM, "; ".join(state.problem or "" for state in missing))
    there = [f"{state.name} ({state.partitions} partitions)" for state in states if not state.problem]
    later = [f"{state.name} (made at the start)" for state in missing]
    return ok(f"{settings.bootstrap}: topics {', '.join(there + later)}")


def _embedded_kafka(home: str | None) -> Finding:
    if home:
        if not any((Path(home) / "libs").glob("kafka_*.jar")):
            return Finding(State.PROBLEM, f"LABELLOOP_KAFKA_HOME: there is no Apache Kafka in {home}")
        find_java()
        return ok(f"{EMBEDDED}, Apache Kafka from {home}")
    EmbeddedBroker(0).prepare()
    return ok(f"{EMBEDDED}; it forgets its log when it stops")


def database(config: Config) -> Finding:
    """Can the database be opened, and how old are its tables?"""
    opened = Database(config.database_url)
    try:
        # Opening a SQLite file that is not there would make it.
        if opened.is_sqlite and not Path(opened.url.database or "").exists():
            return ok(f"{EMBEDDED} or the first process, in {opened.url.database}")
        return _schema(opened)
    except DatabaseError as error:
        return Finding(State.PROBLEM, f"database.url: its tables cannot be read ({error.orig})")
    finally:
        opened.close()


def _schema(opened: Database) -> Finding:
    address = shown(opened.url)
    with opened.read() as connection:
        current = stored_version(connection)
    if current is None:
        return ok(f"{address}: no tables yet; the first start makes them")
    if current not in VERSIONS:
        return Finding(
            State.PROBLEM,
            f"{address}: its tables (version {current}) are newer than this program; update labelloop",
        )
    if current != VERSIONS[-1]:
        older = f"{address}: older tables (version {current}); the next start updates them"
        return Finding(State.NOTE, older)
    return ok(f"{address}: tables of version {current}")


def mlflow(config: Config) -> Finding:
    """Does the tracking server answer?"""
    uri = config.mlflow.uri
    if uri is None:
        return ok(EMBEDDED)
    if not uri.startswith(("http://", "https://")):
        return Finding(State.NOTE, f"{uri} is not tried; only http addresses are")
    try:
        answer = httpx.get(f"{uri.rstrip('/')}/health", timeout=PAGE_SECONDS)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise SetupProblem(
            f"mlflow.uri: no MLflow server answers at {uri} ({error or type(error).__name__}); "
            "start it, or correct the address"
        ) from None
    if not answer.is_success:
        return Finding(
            State.PROBLEM, f"mlflow.uri: {uri} answers {answer.status_code}; is that MLflow's address?"
        )
    return ok(uri)


def review_port(config: Config) -> Finding:
    """Can the pages be served there?"""
    host, port = config.review.host, config.review.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        return Finding(State.PROBLEM, f"review.host: there is no host {host!r}")
    except OSError as error:
        if _serves(f"http://{host}:{port}/healthz"):
            return ok(f"http://{host}:{port} is being served")
        return Finding(
            State.PROBLEM, f"review.port: {host}:{port} cannot be used ({error.strerror}); set another port"
        )
    return ok(f"http://{host}:{port} is free")


def _serves(url: str) -> bool:
    try:
        return httpx.get(url, timeout=PAGE_SECONDS).is_success
    except httpx.TransportError:
        return False
