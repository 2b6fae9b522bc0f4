"""Our settings as librdkafka names them."""

from typing import Any

from daemon.adapters.kafka.connection import CLIENT_ID, METADATA_MAX_AGE_MS, RECONNECT_MS, password_of
from daemon.adapters.kafka.publisher import BATCH_BYTES
from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings

LEAST_FETCHED_BYTES = 1_000_000
"""What librdkafka fetches at least, unless it is told."""
LEAST_RECEIVED_BYTES = 100_000_000
"""librdkafka's own limit of what a broker may answer,"""
ENVELOPE_BYTES = 512
"""which must leave so much beside what is fetched."""


def producer_options(settings: KafkaSettings) -> dict[str, Any]:
    """How producers connect and send: idempotent, acknowledged by all in-sync replicas, given up in the end.

    Raises SetupProblem: the password is not there.
    """
    return {
        **_connection(settings),
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "topic.metadata.propagation.max.ms": settings.topic_ms,
        "message.max.bytes": settings.max_request_bytes,
        # A batch above the topic's max.message.bytes is refused whole, however small its messages are.
        "batch.size": min(BATCH_BYTES, settings.max_request_bytes),
        "queue.buffering.max.messages": 0,  # bounded in bytes
        "delivery.timeout.ms": settings.publish_ms,
        "request.timeout.ms": settings.request_ms,
        "transaction.timeout.ms": max(60_000, 2 * settings.publish_ms),
        "delivery.report.only.error": True,
    }


def consumer_options(settings: KafkaSettings) -> dict[str, Any]:
    """How a consumer connects and reads that is told what to read, and where from.

    Raises SetupProblem: the password is not there.
    """
    return {
        **_connection(settings),
        "group.id": settings.group,  # demanded; whoever is told what to read joins no group
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed",
        "check.crcs": True,
        "fetch.max.bytes": settings.fetch_bytes,
        "message.max.bytes": min(LEAST_FETCHED_BYTES, settings.fetch_bytes),  # a larger message still comes
        "max.partition.fetch.bytes": settings.partition_fetch_bytes,
        "receive.message.max.bytes": max(LEAST_RECEIVED_BYTES, settings.fetch_bytes + ENVELOPE_BYTES),
        "queued.max.messages.kbytes": max(1, settings.fetch_bytes // 1_024),
        # How long it fetches nothing once so much waits to be read: a second, unless it is told.
        "fetch.queue.backoff.ms": 10,
    }


def _connection(settings: KafkaSettings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.bootstrap,
        "client.id": CLIENT_ID,
        "security.protocol": settings.security.protocol,
        **_of_login(settings.security),
        **_of_certificates(settings.security),
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": METADATA_MAX_AGE_MS,
        "reconnect.backoff.max.ms": RECONNECT_MS,
        # What fails is said by whoever asked for it; librdkafka would write to the terminal besides.
        "log_level": 0,
    }


def _of_login(security: SecuritySettings) -> dict[str, Any]:
    if not security.sasl:
        return {}
    return {
        "sasl.mechanism": security.sasl_mechanism,
        "sasl.username": security.username,
        "sasl.password": password_of(security),
    }


def _of_certificates(security: SecuritySettings) -> dict[str, Any]:
    if not security.tls:
        return {}
    options: dict[str, Any] = {"ssl.ca.location": security.ca_file or "probe"}
    if security.certificate_file is not None:
        options["ssl.certificate.location"] = security.certificate_file
        options["ssl.key.location"] = security.key_file or security.certificate_file
    return options
