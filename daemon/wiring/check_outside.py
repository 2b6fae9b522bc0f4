"""What `labelloop check` looks at where people answer in other programs, and where programs are told."""

from daemon.adapters.outside.label_studio.client import LabelStudioClient
from daemon.adapters.outside.mturk.client import MturkClient
from daemon.adapters.outside.mturk.page import Page
from daemon.core.errors import SetupProblem
from daemon.core.outside import OutsideUnavailable
from daemon.core.settings import LABEL_STUDIO, MICROS, MTURK
from daemon.wiring import webhooks
from daemon.wiring.checks import Finding, State, ok
from daemon.wiring.config import Config


def check_ready(config: Config) -> None:
    """Raises SetupProblem unless tokens, keys and secrets are there; calls no other program."""
    if _tiers(config, LABEL_STUDIO):
        config.label_studio.token()
    if _tiers(config, MTURK):
        _mturk(config).close()
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
    return ok(f"{config.label_studio.url}: {people} people, for {', '.join(_tiers(config, LABEL_STUDIO))}")


def mturk(config: Config) -> Finding:
    """Does Mechanical Turk answer and take the keys, and is there money for what may be held at once?

    Raises:
        SetupProblem: it does not answer.
    """
    client = _mturk(config)
    try:
        balance = client.balance()
    except OutsideUnavailable as error:
        raise SetupProblem(f"{error}; nothing can be asked there until it answers") from None
    finally:
        client.close()
    names = _tiers(config, MTURK)
    place = "sandbox" if config.mturk.sandbox else "the real one"
    text = f"{place}, {client.url}: {balance / MICROS:.2f} USD, for {', '.join(names)}"
    held = sum(config.tiers[name].outstanding * config.mturk.tiers[name].cost_micros for name in names)
    if balance < held:
        more = f"{text}; what may be held at once (tiers.NAME.outstanding) costs {held / MICROS:.2f}"
        return Finding(State.NOTE, more)
    return ok(text)


def told(config: Config) -> Finding:
    """Are the secrets of webhooks there? Nothing is sent.

    Raises:
        SetupProblem: one is not.
    """
    webhooks.secrets(config)
    return ok(", ".join(f"{name} ({' '.join(hook.events)})" for name, hook in config.webhooks.items()))


def _mturk(config: Config) -> MturkClient:
    """Raises SetupProblem if boto3 or keys are not there, or guidelines are too long for a HIT."""
    for name in _tiers(config, MTURK):
        Page(config.task, config.mturk.tiers[name].title, config.mturk.submit_url, suggest=False)
    return MturkClient(config.mturk)


def _tiers(config: Config, backend: str) -> list[str]:
    return [name for name, tier in config.tiers.items() if tier.backend == backend]
