"""The configuration as it is in force, without its secrets."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

import yaml

from daemon.core.addresses import HIDDEN, without_passwords
from daemon.wiring.config import KEYS, Config
from daemon.wiring.config_keys import is_secret
from daemon.wiring.config_reference import plain


def show(config: Config) -> str:
    """All settings as YAML that could be read again, but for the passwords."""
    names = [field.name for field in fields(config) if field.name in KEYS.children(())]
    settings = {name: plain(getattr(config, name)) for name in names}
    for hook in settings["webhooks"].values():
        hook["url"] = _place(hook["url"])
    return yaml.safe_dump(_hide(settings), sort_keys=False, allow_unicode=True)


def _place(address: str) -> str:
    """Where a webhook is, without its path, which often is a secret."""
    parts = urlsplit(address)
    beyond = HIDDEN if parts.path.strip("/") or parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{beyond}"


def _hide(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if below is not None and is_secret(name) else _hide(below)
            for name, below in value.items()
        }
    if isinstance(value, list):
        return [_hide(member) for member in value]
    return without_passwords(value) if isinstance(value, str) else value
