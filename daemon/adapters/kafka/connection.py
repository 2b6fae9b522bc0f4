"""Opening clients, and saying what is wrong when that fails."""

import ssl
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from daemon.adapters.kafka.client_net import net_client
from daemon.adapters.kafka.refusals import explained
from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings
from daemon.core.errors import SetupProblem
from daemon.core.needed_secrets import needed_secret

CLIENT_ID = "labelloop"
RECONNECT_MS = 2_000
"""Until the next try after an outage; kafka-python would wait up to 30 s."""
METADATA_MAX_AGE_MS = 60_000
"""Partitions added to a topic are noticed this soon."""


def open_client(kind: Any, settings: KafkaSettings, timeout: float | None = None, **options: Any) -> Any:
    """A connected KafkaConsumer, KafkaProducer or KafkaAdminClient (`kind`).

    Args:
        timeout: seconds to try; None for the settings' connect_seconds.
        options: added to those of the connection.

    Raises:
        PartAway: no broker answers; the message names the likely reasons.
        SetupProblem: all brokers refuse us, or what the settings name is not there.
    """
    seconds = settings.connect_seconds if timeout is None else timeout
    connection = _connection_options(settings)
    made: list[Any] = []

    def noted(**config: Any) -> Any:
        made.append(net_client(**config))
        return made[-1]

    try:
        opened = kind(**connection, bootstrap_timeout_ms=int(seconds * 1000), kafka_client=noted, **options)
    except (KafkaError, OSError) as error:
        # The constructor gives us nothing to close, and its I/O thread would try to connect for ever.
        failures = [failure for client in made for failure in client._manager.failures.values()]
        for client in made:
            client.close()
        raise explained(settings, error, failures, seconds) from error
    for client in made:
        client._manager.opening = False
    return opened


def open_admin(settings: KafkaSettings, timeout: float | None = None) -> Any:
    """A connected KafkaAdminClient; close it after use. Raises SetupProblem."""
    return open_client(KafkaAdminClient, settings, timeout, request_timeout_ms=10_000)


def _connection_options(settings: KafkaSettings) -> dict[str, Any]:
    if settings.bootstrap is None:
        raise SetupProblem("kafka.bootstrap is not set: give the address of a Kafka broker as host:port")
    security = settings.security
    options: dict[str, Any] = {
        "bootstrap_servers": [part.strip() for part in settings.bootstrap.split(",")],
        "client_id": CLIENT_ID,
        "security_protocol": security.protocol,
        "reconnect_backoff_max_ms": RECONNECT_MS,
        "metadata_max_age_ms": METADATA_MAX_AGE_MS,
    }
    if security.tls:
        options["ssl_context"] = _tls(security)
    if security.sasl:
        options["sasl_mechanism"] = security.sasl_mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = password_of(security)
    return options


def _tls(security: SecuritySettings) -> ssl.SSLContext:
    """Certificates and host names are checked, TLS is 1.2 at least."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if security.ca_file is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(security.ca_file)
        except OSError as error:  # of which ssl's are some
            raise _unreadable("ca_file", security.ca_file, error) from error
    if security.certificate_file is not None:
        try:
            context.load_cert_chain(security.certificate_file, security.key_file, _no_passphrase)
        except OSError as error:
            files = " and ".join(filter(None, (security.certificate_file, security.key_file)))
            raise _unreadable("certificate_file", files, error) from error
    return context


def _unreadable(key: str, files: str, error: OSError) -> SetupProblem:
    return SetupProblem(f"kafka.security.{key}: {files} cannot be used ({error}); is it PEM, and readable?")


def _no_passphrase() -> str:
    """Without this, OpenSSL would ask for the passphrase on the terminal."""
    raise SetupProblem(
        "kafka.security.key_file: the key has a passphrase; write it without one (openssl pkey -in KEY -out "
        "NEW), in a file that only this user may read"
    )


def password_of(security: SecuritySettings) -> str:
    """The password to log in with. Raises SetupProblem if it is not there."""
    name = security.password_env or ""
    return needed_secret("kafka.security.password_env", name, f"the password of {security.username!r}")
