"""The configuration as it is in force, without its secrets."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import yaml

from daemon.wiring.config import KEYS, Config
from daemon.wiring.config_keys import is_secret
from daemon.wiring.config_reference import plain

HIDDEN = "***"

_IN_ADDRESS = re.compile(r"(://[^:/?#\s]*:)\S*(?=@)")
_IN_QUERY = re.compile(r"([?&][^=&\s]*(?:password|passwd|secret|token)[^=&\s]*=)[^&\s]*", re.IGNORECASE)


def show(config: Config) -> str:
    """All settings as YAML that could be read again, but for the passwords."""
    names = [field.name for field in fields(config) if field.name in KEYS.children(())]
    settings = {name: plain(getattr(config, name)) for name in names}
    return yaml.safe_dump(_hide(settings), sort_keys=False, allow_unicode=True)


def without_passwords(text: str) -> str:
    """An address with `***` for the passwords in it."""
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(rf"\1{HIDDEN}", text))


def _hide(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if below is not None and is_secret(name) else _hide(below)
            for name, below in value.items()
        }
    if isinstance(value, list):
        return [_hide(member) for member in value]
    return without_passwords(value) if isinstance(value, str) else value
