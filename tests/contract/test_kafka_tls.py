"""Encryption and logins on a real Apache Kafka: who is let in, who is not, and what is said then."""

import gc
import logging
import socket
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from certificates import Authority
from kafka.admin import ACLOperation, ResourceType
from kafka_fixtures import KafkaForTests, wait_until
from kafka_worlds import Positions, take
from patience import PATIENCE
from secured_kafka import GUEST, USER, SecuredKafka, allow_guest, secured_kafka

from daemon.adapters.kafka import topics
from daemon.adapters.kafka.fenced import FencedKafkaPublisher
from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings
from daemon.adapters.kafka.source import KafkaSource
from daemon.core.errors import PartAway, PublishFailed, SetupProblem
from daemon.core.wire import OutMessage
from daemon.wiring.demo.heard import read_labels

PASSWORD, VARIABLE = "Kafka-s3cret", "TEST_KAFKA_PASSWORD"
CONNECT_SECONDS = 5.0 * PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with secured_kafka(tmp_path_factory.mktemp("secured"), PASSWORD) as running:
        yield running


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """kafka-python logs refused connections as errors and leaves their sockets to the garbage collector."""
    logger = logging.getLogger("kafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    monkeypatch.setenv(VARIABLE, PASSWORD)
    yield
    logger.setLevel(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def login(secured: SecuredKafka, mechanism: str = "SCRAM-SHA-512") -> SecuritySettings:
    ca = str(secured.authority.file)
    return SecuritySettings("SASL_SSL", mechanism, USER, VARIABLE, ca_file=ca)


def settings(bootstrap: str, security: SecuritySettings) -> KafkaSettings:
    names = KafkaForTests(bootstrap, "secured", True).settings
    return replace(names, connect_seconds=CONNECT_SECONDS, security=security)


def works(wanted: KafkaSettings) -> None:
    """Topics are made, something is published in a transaction and read by both kinds of reader."""
    assert topics.create_topics(wanted) == list(wanted.topics.all())
    assert topics.check_topics(wanted) == []
    publisher = FencedKafkaPublisher(wanted)
    label = b'{"item": "1", "revision": 1, "label": "spam", "status": "provisional"}'
    try:
        assert publisher.claim(1)
        publisher.send(
            [
                OutMessage(wanted.topics.items, 0, b"1", b"an item"),
                OutMessage(wanted.topics.labels, 0, b"1", label),
            ]
        )
    finally:
        publisher.close()
    reads_the_item(wanted)
    assert read_labels(wanted, seconds=10.0).labels["1"].label == "spam"


def passes(wanted: KafkaSettings) -> None:
    """What a worker does: it reads items, and publishes under the group's transactional id."""
    publisher = FencedKafkaPublisher(wanted)
    try:
        assert publisher.claim(1)
        publisher.send([OutMessage(name, 0, b"1", b"{}") for name in wanted.topics.all()[1:]])
    finally:
        publisher.close()
    reads_the_item(wanted)


def reads_the_item(wanted: KafkaSettings) -> None:
    source = KafkaSource(wanted, Positions().locate)
    try:
        assert [record.value for record in take(source, 1)] == [b"an item"]
    finally:
        source.close()


def refused(wanted: KafkaSettings, words: str) -> SetupProblem:
    """What is said by all who connect; before their time is up, as the broker would say nothing else."""
    started = monotonic()
    with pytest.raises(SetupProblem, match=words) as problem:
        topics.ping(wanted, CONNECT_SECONDS)
    with pytest.raises(SetupProblem, match=words):
        KafkaSource(wanted, Positions().locate)
    with pytest.raises(SetupProblem, match=words):
        FencedKafkaPublisher(wanted)
    assert not isinstance(problem.value, PartAway), "starting again would not help"
    assert monotonic() - started < CONNECT_SECONDS
    assert PASSWORD not in str(problem.value)
    return problem.value


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_everything_works_with_a_login_over_tls(secured: SecuredKafka, mechanism: str) -> None:
    works(settings(secured.sasl, login(secured, mechanism)))


def test_everything_works_with_a_certificate_of_ours(secured: SecuredKafka) -> None:
    ours = secured.authority.issue("worker")
    security = SecuritySettings("SSL", ca_file=str(secured.authority.file))
    apart = replace(security, certificate_file=str(ours.certificate), key_file=str(ours.key))
    works(settings(secured.mutual, apart))
    together = replace(security, certificate_file=str(ours.both))
    topics.ping(settings(secured.mutual, together), CONNECT_SECONDS)


def test_a_wrong_password_is_refused(secured: SecuredKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "wrong-" + PASSWORD)
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        refused(
            settings(secured.sasl, login(secured, mechanism)),
            rf"refused the login: is the password of 'ann' \(in {VARIABLE}\) right, .* {mechanism}",
        )


def test_a_broker_that_nobody_vouches_for_is_refused(secured: SecuredKafka, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    wanted = settings(secured.sasl, replace(login(secured), ca_file=str(other.file)))
    refused(wanted, r"nobody signed whom we trust; name the authority that did in kafka\.security\.ca_file")
    systems = settings(secured.sasl, replace(login(secured), ca_file=None))
    refused(systems, r"nobody signed whom we trust")


def test_a_broker_of_another_name_is_refused(secured: SecuredKafka) -> None:
    wanted = settings(secured.sasl.replace("localhost", "127.0.0.1"), login(secured))
    refused(wanted, r"was made for other names; .*'127\.0\.0\.1'")


def test_a_broker_that_tells_of_another_name_is_refused(secured: SecuredKafka) -> None:
    wanted = settings(secured.elsewhere, SecuritySettings("SSL", ca_file=str(secured.authority.file)))
    for attempt in (
        lambda: topics.describe(wanted),
        lambda: KafkaSource(wanted, Positions().locate),
    ):
        with pytest.raises(SetupProblem, match=r"was made for other names; .*'127\.0\.0\.1'"):
            attempt()


def test_who_shows_no_certificate_where_one_is_wanted_is_told_so(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    security = SecuritySettings("SSL", ca_file=str(secured.authority.file))
    refused(settings(secured.mutual, security), r"wants a certificate of ours; name it in .*certificate_file")
    stranger = Authority(tmp_path, "stranger").issue("worker")
    strange = replace(security, certificate_file=str(stranger.certificate), key_file=str(stranger.key))
    refused(settings(secured.mutual, strange), rf"does not take the certificate {stranger.certificate}")


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_who_speaks_plainly_to_a_port_of_tls_is_told_so(secured: SecuredKafka, protocol: str) -> None:
    plain = SecuritySettings()
    if protocol == "SASL_PLAINTEXT":
        plain = replace(login(secured), protocol=protocol, ca_file=None)
    wanted = replace(settings(secured.sasl, plain), connect_seconds=1.0)
    words = rf"answered within 1 s .*does that port speak {protocol}\?"
    with pytest.raises(PartAway, match=words) as problem:
        KafkaSource(wanted, Positions().locate)
    assert PASSWORD not in str(problem.value)


def test_who_speaks_tls_to_a_plain_port_is_told_so(secured: SecuredKafka) -> None:
    wanted = replace(settings(secured.plain, login(secured)), connect_seconds=1.0)
    with pytest.raises(PartAway, match=r"TLS handshake failed.*does that port speak SASL_SSL\?"):
        KafkaSource(wanted, Positions().locate)


def test_who_says_nothing_in_the_handshake_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    security = SecuritySettings("SSL", ca_file=str(Authority(tmp_path, "authority").file))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wanted = settings(f"127.0.0.1:{silent.getsockname()[1]}", security)
        started = monotonic()
        with pytest.raises(PartAway, match=r"no broker at .* answered within 1 s"):
            topics.ping(wanted, 1.0)
    assert monotonic() - started < 3.0 * PATIENCE


def test_these_rights_are_enough_and_one_that_is_missing_is_found_by_check(secured: SecuredKafka) -> None:
    wanted = settings(secured.sasl, replace(login(secured, "PLAIN"), username=GUEST))
    outside = KafkaForTests(secured.plain, "secured", is_apache=True)
    for name in wanted.topics.all():
        outside.create(name)
    outside.produce(wanted.topics.items, [b"an item"])
    outside.close()
    read, write = ACLOperation.READ, ACLOperation.WRITE
    rights = [(ResourceType.TOPIC, name, write) for name in wanted.topics.all()[1:]]
    rights += [(ResourceType.TOPIC, wanted.topics.items, read), (ResourceType.GROUP, wanted.group, read)]
    allow_guest(secured.plain, rights)
    wait_until(lambda: topics.check_topics(wanted) == [], what="rights that are known")
    assert topics.publishing_refused(wanted)
    publisher = FencedKafkaPublisher(wanted)
    with pytest.raises(PublishFailed, match="may we write under that transactional id"):
        publisher.claim(1)
    publisher.close()
    allow_guest(secured.plain, [(ResourceType.TRANSACTIONAL_ID, wanted.publishing_id, write)])
    wait_until(lambda: not topics.publishing_refused(wanted), what="a right that is known")
    passes(wanted)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    ours, locked = authority.issue("worker"), authority.issue("locked", passphrase="Kafka-passphrase")
    security = SecuritySettings("SSL", ca_file=str(authority.file), certificate_file=str(ours.certificate))
    for wrong, words in (
        ({"ca_file": "/no/where.pem"}, r"kafka\.security\.ca_file: /no/where\.pem cannot be used .*No such"),
        ({"ca_file": str(ours.key)}, r"kafka\.security\.ca_file: .*worker\.key cannot be used"),
        ({}, r"kafka\.security\.certificate_file: .*worker\.pem cannot be used"),
        (
            {"certificate_file": str(locked.certificate), "key_file": str(locked.key)},
            r"kafka\.security\.key_file: the key has a passphrase",
        ),
    ):
        with pytest.raises(SetupProblem, match=words):
            topics.ping(settings("localhost:1", replace(security, **wrong)), 1.0)


def test_a_password_may_stand_in_a_file(
    secured: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv(f"{VARIABLE}_FILE", str(tmp_path / "password"))
    wanted = settings(secured.sasl, login(secured))
    with pytest.raises(SetupProblem, match=rf"password_env: {VARIABLE}_FILE names .* No such file"):
        topics.ping(wanted, CONNECT_SECONDS)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    topics.ping(wanted, CONNECT_SECONDS)
