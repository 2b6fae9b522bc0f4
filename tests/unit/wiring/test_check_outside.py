"""What is checked of other programs before anything starts."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from mturk_fixtures import Turk

from daemon.core.errors import SetupProblem
from daemon.wiring import check_outside
from daemon.wiring.checks import State
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


def config(folder: Path, more: str = STUDIO, backend: str = "label_studio") -> Config:
    file = folder / "labelloop.yaml"
    file.write_text(FILE.replace("label_studio", backend) + more)
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


TURK = """
task: {name: mail, classes: [ham, spam]}
tiers:
  crowd: {backend: mturk, price: PRICE, lease_seconds: LEASE, outstanding: 10}
  expert: {final: true}
mturk:
  endpoint: "ENDPOINT"
  tiers: {NAME: {reward: 0.05, title: t, description: d}}
"""


def turk_config(folder: Path, more: str = "", **changes: str) -> Config:
    given = {"PRICE": "0.06", "LEASE": "3600", "ENDPOINT": "http://127.0.0.1:1", "NAME": "crowd"} | changes
    text = TURK
    for name, value in given.items():
        text = text.replace(name, value)
    file = folder / "labelloop.yaml"
    file.write_text(text + more)
    return load(file, {})


@pytest.mark.parametrize(
    ("changes", "more", "says"),
    [
        (
            {"PRICE": "0.05"},
            "",
            "price: 0.05 does not pay for an answer at Mechanical Turk: the reward",
        ),
        ({"PRICE": "0.0599"}, "", "and the fee 0.01; set it to 0.06 at least"),
        (
            {"LEASE": "120"},
            "",
            "lease_seconds: 120 is shorter than mturk.tiers.crowd.assignment",
        ),
        ({"NAME": "expert"}, "", "expert: there is no tier of this name with `backend: mturk`"),
        ({"NAME": "nobody"}, "", "nobody: there is no tier of this name with `backend: mturk`"),
        ({}, "currency: EUR\n", "currency: 'EUR' given; prices must be in USD"),
    ],
)
def test_a_tier_at_mechanical_turk_fits_its_section(
    tmp_path: Path, changes: dict[str, str], more: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        turk_config(tmp_path, more, **changes)


def test_a_tier_at_mechanical_turk_needs_its_section(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mturk\.tiers: crowd: is not there"):
        config(tmp_path, "mturk: {sandbox: true}\n", "mturk")


def test_qualifications_are_read_by_name(tmp_path: Path) -> None:
    place = '{type: "00000000000000000071", comparator: In, locales: [US, GB]}'
    rate = '{type: "000000000000000000L0", comparator: GreaterThan, values: [95]}'
    wanted = f"{{place: {place}, rate: {rate}}}"
    file = tmp_path / "labelloop.yaml"
    turk_config(tmp_path)
    file.write_text(file.read_text().replace("description: d", f"description: d, qualifications: {wanted}"))
    found = load(file, {}).mturk.tiers["crowd"].qualifications
    assert (found["place"].locales, found["rate"].values) == (("US", "GB"), (95,))
    file.write_text(file.read_text().replace("[95]", '["95"]'))
    with pytest.raises(ConfigError, match=r"rate\.values\.0: '95' is not a whole number"):
        load(file, {})


def test_the_account_is_looked_at(tmp_path: Path, turk: Turk) -> None:
    found = turk_config(tmp_path, ENDPOINT=turk.server.url)
    check_outside.check_ready(found)
    said = check_outside.mturk(found)
    assert said.state is State.OK
    assert f"sandbox, {turk.server.url}: 100.00 USD, for crowd" in said.text
    turk.mturk.money = Decimal("0.59")
    said = check_outside.mturk(found)
    assert said.state is State.NOTE
    assert "costs 0.60" in said.text


def test_a_mechanical_turk_that_is_not_there_or_has_no_keys_is_said(
    tmp_path: Path, turk: Turk, monkeypatch: pytest.MonkeyPatch
) -> None:
    turk.server.fails = [(503, "ServiceUnavailable")] * 9
    with pytest.raises(SetupProblem, match="ServiceUnavailable"):
        check_outside.mturk(turk_config(tmp_path, ENDPOINT=turk.server.url))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SetupProblem, match="no keys of AWS"):
        check_outside.check_ready(turk_config(tmp_path))


def test_guidelines_that_no_hit_has_room_for_are_said_before_anything_starts(
    tmp_path: Path, turk: Turk
) -> None:
    found = turk_config(tmp_path)
    long = replace(found, task=replace(found.task, guidelines="word " * 12_000))
    with pytest.raises(SetupProblem, match=r"task\.guidelines.*shorten"):
        check_outside.check_ready(long)
