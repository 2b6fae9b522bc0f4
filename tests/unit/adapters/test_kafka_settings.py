"""Settings refuse what cannot work, and say what would."""

from pathlib import Path

import pytest

from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings, TopicNames


def test_defaults_are_plain_and_embedded() -> None:
    settings = KafkaSettings()
    assert settings.bootstrap is None
    assert settings.topics.all() == ("items", "labels", "questions", "dead-letters")
    assert not settings.security.sasl


def test_two_topics_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two of items, items, questions, dead-letters, votes are the same"):
        TopicNames(labels="items")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"protocol": "TLS"}, "'TLS' is none of PLAINTEXT"),
        ({"protocol": "SASL_SSL"}, "sasl_mechanism: SASL_SSL needs one of PLAIN"),
        ({"protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "username": "ann"}, "needs both"),
        ({"username": "ann"}, "did you mean SASL_SSL"),
        ({"ca_file": "ca.pem"}, "PLAINTEXT has no certificates; did you mean SSL"),
        ({"certificate_file": "me.pem"}, "PLAINTEXT has no certificates; did you mean SSL"),
        (
            {
                "protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": "PLAIN",
                "username": "ann",
                "password_env": "X",
                "ca_file": "ca.pem",
            },
            "SASL_PLAINTEXT has no certificates; did you mean SASL_SSL",
        ),
        ({"protocol": "SSL", "key_file": "me.key"}, "certificate_file: key_file is its key"),
        (
            {
                "protocol": "SASL_SSL",
                "sasl_mechanism": "PLAIN",
                "username": "ann",
                "password_env": "hunter 2!",
            },
            "password_env: is no name of a variable; give the variable's name, never the password",
        ),
    ],
)
def test_half_a_login_or_encryption_is_refused(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SecuritySettings(**wrong)


def test_files_are_beside_the_configuration() -> None:
    named = SecuritySettings("SSL", ca_file="tls/ca.pem", certificate_file="/etc/me.pem")
    found = named.beside(Path("/etc/labelloop"))
    assert (found.ca_file, found.certificate_file, found.key_file) == (
        "/etc/labelloop/tls/ca.pem",
        "/etc/me.pem",
        None,
    )


def test_the_embedded_broker_has_neither_encryption_nor_logins() -> None:
    with pytest.raises(ValueError, match="bootstrap: SSL needs the address of a broker"):
        KafkaSettings(security=SecuritySettings("SSL"))


def test_a_poll_interval_below_the_session_is_refused() -> None:
    with pytest.raises(ValueError, match="max_poll_seconds"):
        KafkaSettings(session_seconds=30, max_poll_seconds=20)
