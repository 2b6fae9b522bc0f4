"""What `labelloop check` looks at where people answer in other programs, and where programs are told."""

from daemon.adapters.outside.label_studio.client import LabelStudioClient
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideUnavailable
from daemon.core.settings import LABEL_STUDIO
from daemon.wiring import webhooks
from daemon.wiring.checks import Finding, ok
from daemon.wiring.config import Config


def check_ready(config: Config) -> None:
    """Raises SetupProblem unless tokens and secrets are there; calls nothing."""
    if _tiers(config):
        config.label_studio.token()
    webhooks.secrets(config)


def label_studio(config: Config) -> Finding:
    """Does Label Studio answer, and take the token?

    Raises:
        SetupProblem: it does not.
    """
    client = LabelStudioClient(config.label_studio)
    try:
        people = len(client.names())
    except OutsideUnavailable as error:
        raise SetupProblem(f"label_studio.url: {error}; start it, or correct the address") from None
    finally:
        client.close()
    return ok(f"{config.label_studio.url}: {people} people, for {', '.join(_tiers(config))}")


def told(config: Config) -> Finding:
    """Are the secrets of webhooks there? Nothing is sent.

    Raises:
        SetupProblem: one is not.
    """
    webhooks.secrets(config)
    return ok(", ".join(f"{name} ({' '.join(hook.events)})" for name, hook in config.webhooks.items()))


def _tiers(config: Config) -> list[str]:
    return [name for name, tier in config.tiers.items() if tier.backend == LABEL_STUDIO]
