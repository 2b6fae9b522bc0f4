"""Our settings as librdkafka names them."""

from typing import Any

from daemon.adapters.kafka.connection import CLIENT_ID, METADATA_MAX_AGE_MS, RECONNECT_MS, password_of
from daemon.adapters.kafka.publisher import BATCH_BYTES
from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings


def producer_options(settings: KafkaSettings) -> dict[str, Any]:
    """How producers connect and send: idempotent, acknowledged by all in-sync replicas, given up in the end.

    Raises SetupProblem: the password is not there.
    """
    return {
        "bootstrap.servers": settings.bootstrap,
        "client.id": CLIENT_ID,
        "security.protocol": settings.security.protocol,
        **_of_login(settings.security),
        **_of_certificates(settings.security),
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": METADATA_MAX_AGE_MS,
        "topic.metadata.propagation.max.ms": settings.topic_ms,
        "reconnect.backoff.max.ms": RECONNECT_MS,
        "message.max.bytes": settings.max_request_bytes,
        # A batch above the topic's max.message.bytes is refused whole, however small its messages are.
        "batch.size": min(BATCH_BYTES, settings.max_request_bytes),
        "queue.buffering.max.messages": 0,  # bounded in bytes
        "delivery.timeout.ms": settings.publish_ms,
        "request.timeout.ms": settings.request_ms,
        "transaction.timeout.ms": max(60_000, 2 * settings.publish_ms),
        # What fails is said when it is sent or claimed; librdkafka would write to the terminal besides.
        "log_level": 0,
        "delivery.report.only.error": True,
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
