"""An Apache Kafka that lets nobody in without TLS: one port for logins, one for certificates of clients."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka_fixtures import kafka_home, running_broker, wait_until

from daemon.adapters.broker.apache import ApacheKafka
from daemon.adapters.starting import free_port

USER, GUEST = "ann", "bob"
"""The first may do everything, the other what he is allowed."""

SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")

# Its certificate is made for `localhost`, not for the address.
SETTINGS = """
listeners=SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{mutual},ELSEWHERE://127.0.0.1:{elsewhere},\
PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://localhost:{sasl},SSL://localhost:{mutual},ELSEWHERE://127.0.0.1:{elsewhere},\
PLAINTEXT://127.0.0.1:{plain}
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,ELSEWHERE:SSL,PLAINTEXT:PLAINTEXT,\
CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{user}="{password}" user_{guest}="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{user};User:CN=worker
"""


@dataclass(frozen=True)
class SecuredKafka:
    """Where it is, and what its clients need.

    Attributes:
        sasl: address for logins with TLS, as `USER` with `password`.
        mutual: address for clients with a certificate of `authority`.
        elsewhere: address where it tells of another, which its certificate is not made for.
        plain: address of its own listener, without any of this.
    """

    sasl: str
    mutual: str
    elsewhere: str
    plain: str
    authority: Authority
    password: str


@contextmanager
def secured_kafka(folder: Path, password: str) -> Iterator[SecuredKafka]:
    """Runs one; skips the test where there is no Apache Kafka."""
    if (home := kafka_home()) is None:
        pytest.skip("needs Apache Kafka: set LABELLOOP_KAFKA_HOME and have Java 17")
    authority = Authority(folder, "authority")
    sasl, mutual, elsewhere, plain = (free_port() for _ in range(4))
    settings = SETTINGS.format(
        sasl=sasl,
        mutual=mutual,
        elsewhere=elsewhere,
        plain=plain,
        controller=free_port(),
        keystore=authority.issue("broker", "localhost").both,
        truststore=authority.file,
        user=USER,
        guest=GUEST,
        password=password,
    )
    running = running_broker(ApacheKafka(home, folder / "kafka", plain, settings), folder / "broker.log")
    try:
        _learn(running.broker.bootstrap, password)
        named = (f"localhost:{port}" for port in (sasl, mutual, elsewhere))
        yield SecuredKafka(*named, running.broker.bootstrap, authority, password)
    finally:
        running.stop()


def allow_guest(bootstrap: str, rights: Iterable[tuple[ResourceType, str, ACLOperation]]) -> None:
    """Let `GUEST` do these things, from everywhere. `bootstrap`: of the listener without logins."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        made = [
            ACL(f"User:{GUEST}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name))
            for kind, name, operation in rights
        ]
        assert admin.create_acls(made)["failed"] == []
    finally:
        admin.close()


def _learn(bootstrap: str, password: str) -> None:
    """Have the broker know `USER` for SCRAM; returns when it does."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        for mechanism in SCRAM:  # one a request: a user may not be altered twice in one
            made = admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(USER, mechanism, password)]
            )
            assert made == {USER: None}
        wait_until(lambda: len(_known(admin)) == len(SCRAM), what="logins that the broker knows")
    finally:
        admin.close()


def _known(admin: Any) -> list[Any]:
    found: list[Any] = admin.describe_user_scram_credentials().get(USER, {}).get("credential_infos", [])
    return found
