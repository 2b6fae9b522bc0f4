"""Settings refuse what cannot work, and say what would."""

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
    ],
)
def test_half_a_login_is_refused(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SecuritySettings(**wrong)


def test_a_poll_interval_below_the_session_is_refused() -> None:
    with pytest.raises(ValueError, match="max_poll_seconds"):
        KafkaSettings(session_seconds=30, max_poll_seconds=20)
