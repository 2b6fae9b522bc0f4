"""What is checked of other programs before anything starts."""

from pathlib import Path

import pytest

from daemon.core.errors import SetupProblem
from daemon.wiring import check_outside
from daemon.wiring.config import Config, load
from daemon.wiring.config_errors import ConfigError

FILE = """
task: {name: mail, classes: [ham, spam]}
tiers:
  crowd: {backend: label_studio}
  expert: {final: true}
webhooks: {shop: {url: "http://127.0.0.1:1", secret_env: SHOP_SECRET}}
"""
STUDIO = 'label_studio: {url: "http://127.0.0.1:1", timeout_seconds: 2}\n'


def config(folder: Path, more: str = STUDIO) -> Config:
    file = folder / "labelloop.yaml"
    file.write_text(FILE + more)
    return load(file, {})


def test_a_tier_in_label_studio_needs_its_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"label_studio\.url: is not set, and people of tier 'crowd'"):
        config(tmp_path, "")


def test_tokens_and_secrets_are_asked_for_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABEL_STUDIO_TOKEN", raising=False)
    monkeypatch.delenv("SHOP_SECRET", raising=False)
    found = config(tmp_path)
    with pytest.raises(SetupProblem, match="LABEL_STUDIO_TOKEN is not set"):
        check_outside.check_ready(found)
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "x")
    with pytest.raises(SetupProblem, match="SHOP_SECRET is not set"):
        check_outside.check_ready(found)
    monkeypatch.setenv("SHOP_SECRET", "x")
    check_outside.check_ready(found)
    assert check_outside.told(found).text == "shop (answered accepted paused)"


def test_a_label_studio_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_TOKEN", "x")
    with pytest.raises(SetupProblem, match=r"label_studio\.url.*start it, or correct the address"):
        check_outside.label_studio(config(tmp_path))
