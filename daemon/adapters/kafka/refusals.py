"""Says in plain words why no broker lets us in."""

from collections.abc import Sequence

from daemon.adapters.kafka.settings import KafkaSettings, SecuritySettings
from daemon.core.errors import PartAway, SetupProblem

_CERTIFICATE = "{certificate}; it must be signed by an authority that the broker trusts, and not have expired"

_REFUSED = (
    (
        "SaslAuthenticationFailed",
        "refused the login: is the password of {user!r} (in {password_env}) right, and does the broker know "
        "this user for {mechanism}?",
    ),
    (
        "UnsupportedSaslMechanism",
        "takes no login with {mechanism}; set kafka.security.sasl_mechanism to one that it takes",
    ),
    (
        "IllegalSaslState",
        "wants no login on that port; name the port that does, or correct kafka.security.protocol",
    ),
    (
        "mismatch, certificate is not valid",
        "shows a certificate that was made for other names; reach it by one of these in kafka.bootstrap, or "
        "have this one put into its certificate",
    ),
    ("certificate has expired", "shows a certificate that has expired; have it renewed"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "shows a certificate that nobody signed whom we trust; name the authority that did in "
        "kafka.security.ca_file",
    ),
    ("ALERT_CERTIFICATE", _CERTIFICATE),
    ("ALERT_BAD_CERTIFICATE", _CERTIFICATE),
    ("ALERT_UNKNOWN_CA", _CERTIFICATE),
)
"""A sign in what a connection failed with -> what a broker that is there would say again."""


def is_refusal(error: Exception) -> bool:
    """Whether the broker would say the same again."""
    return _hint(error) is not None


def explained(
    settings: KafkaSettings, error: Exception, failures: Sequence[Exception], seconds: float
) -> SetupProblem:
    """One or two lines for a person: which brokers, what is wrong, what to do.

    A PartAway where waiting may help.

    Args:
        error: how opening the client ended.
        failures: why the last connection to each address failed.
        seconds: how long it was tried.
    """
    for failure in (error, *failures):
        if (hint := _hint(failure)) is not None:
            said = _filled(hint, settings.security)
            return SetupProblem(
                f"kafka.bootstrap: the broker at {settings.bootstrap} {said} ({_words(failure)})"
            )
    last = f"{error}; the last try: {_words(failures[-1])}" if failures else str(error)
    return PartAway(
        f"kafka.bootstrap: no broker at {settings.bootstrap} answered within {seconds:g} s ({last}); is the "
        f"address right, and is a broker running there; does that port speak {settings.security.protocol}?"
    )


def _hint(error: Exception) -> str | None:
    words = _words(error)
    return next((hint for sign, hint in _REFUSED if sign in words), None)


def _words(error: Exception) -> str:
    # Some of kafka-python's errors have their meaning in their name alone.
    return f"{type(error).__name__}: {error}"


def _filled(hint: str, security: SecuritySettings) -> str:
    ours = security.certificate_file
    return hint.format(
        user=security.username,
        password_env=security.password_env,
        mechanism=security.sasl_mechanism,
        certificate=f"does not take the certificate {ours} (kafka.security.certificate_file)"
        if ours
        else "wants a certificate of ours; name it in kafka.security.certificate_file",
    )
