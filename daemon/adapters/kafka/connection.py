"""Opening clients, and saying what is wrong when that fails."""

import os
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings
from daemon.core.errors import PartAway, SetupProblem

CLIENT_ID = "labelloop"
METADATA_MAX_AGE_MS = 60_000
"""Partitions added to a topic are noticed this soon."""


def open_client(kind: Any, settings: KafkaSettings, timeout: float | None = None, **options: Any) -> Any:
    """A connected KafkaConsumer, KafkaProducer or KafkaAdminClient (`kind`).

    Args:
        timeout: seconds to try; None for the settings' connect_seconds.
        options: added to those of the connection.

    Raises:
        PartAway: no broker answers as the settings say; the message names the likely reasons.
    """
    seconds = settings.connect_seconds if timeout is None else timeout
    made: list[Any] = []

    def net_client(**config: Any) -> Any:
        made.append(KafkaNetClient(**config))
        return made[-1]

    try:
        return kind(
            **_connection_options(settings),
            bootstrap_timeout_ms=int(seconds * 1000),
            kafka_client=net_client,
            **options,
        )
    except (KafkaError, OSError) as error:
        # The constructor gives us nothing to close, and its I/O thread would try to connect for ever.
        for client in made:
            client.close()
        raise PartAway(_why(settings, error, seconds)) from error


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
        # The default waits up to 30 s after an outage before the next try.
        "reconnect_backoff_max_ms": 2_000,
        "metadata_max_age_ms": METADATA_MAX_AGE_MS,
    }
    if security.ca_file:
        options["ssl_cafile"] = security.ca_file
    if security.sasl:
        options["sasl_mechanism"] = security.sasl_mechanism
        options["sasl_plain_username"] = security.username
        options["sasl_plain_password"] = _password(security)
    return options


def _password(security: SecuritySettings) -> str:
    name = security.password_env or ""
    password = os.environ.get(name)
    if not password:
        raise SetupProblem(
            f"kafka.security.password_env: the environment variable {name} is not set;"
            f" put the password of {security.username!r} there"
        )
    return password


def _why(settings: KafkaSettings, error: Exception, seconds: float) -> str:
    security = settings.security
    reasons = ["is the address right, and is a broker running there?"]
    if security.sasl:
        reasons.append(
            f"is the password of {security.username!r} (in {security.password_env}) right, and does the"
            f" broker take {security.sasl_mechanism}? A refused login looks like an unreachable broker"
        )
    if security.protocol.endswith("SSL"):
        reasons.append(
            "is the broker's certificate made for this host name and signed by kafka.security.ca_file?"
        )
    else:
        reasons.append(f"does that port speak {security.protocol}?")
    return (
        f"kafka.bootstrap: no broker at {settings.bootstrap} answered within {seconds:g} s ({error});"
        f" {'; '.join(reasons)}"
    )
