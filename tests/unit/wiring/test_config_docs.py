"""docs/configuration.md names every key and every variable."""

from pathlib import Path

from daemon.wiring.config import KEYS
from daemon.wiring.config_env import NOT_SETTINGS, NOT_SETTINGS_PREFIXES, WITH_REFERENCES
from daemon.wiring.config_reference import markdown

DOCS = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_tables_are_those_of_the_settings() -> None:
    assert markdown(KEYS) in DOCS.read_text(), (
        "run: python -m daemon.wiring.config_reference docs/configuration.md"
    )


def test_every_key_says_what_it_means() -> None:
    assert [key.path for key in KEYS.keys if not key.meaning] == []
    assert [path for path, meaning in KEYS.sections.items() if not meaning] == []


def test_variables_that_are_no_settings_are_documented() -> None:
    text = DOCS.read_text()
    for name in (*NOT_SETTINGS, *NOT_SETTINGS_PREFIXES):
        assert f"`{name}" in text
    for section in WITH_REFERENCES:
        assert f"`{section}`" in text
