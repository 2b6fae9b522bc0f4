"""Configuration files for the tests of the configuration."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from daemon.wiring.config import Config, load
from daemon.wiring.config_errors import ConfigError

MINIMAL = """
task: {name: tickets, classes: [urgent, routine]}
tiers: {expert: {final: true}}
"""


def load_text(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration that this text says."""
    file = folder / "labelloop.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ or {})


def problems(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with this text, one line a problem."""
    with pytest.raises(ConfigError) as caught:
        load_text(folder, text, environ)
    return list(caught.value.lines)


def only_problem(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> str:
    """The one thing that is wrong with this text."""
    found = problems(folder, text, environ)
    assert len(found) == 1, found
    return found[0]
