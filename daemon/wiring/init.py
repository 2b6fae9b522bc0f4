"""`labelloop init`: a configuration that works as it is, and labelling functions to start from."""

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from daemon.core.errors import SetupProblem
from daemon.wiring.config import DEFAULT_FILE, KEYS
from daemon.wiring.config_keys import Path as KeyPath
from daemon.wiring.config_reference import commented_yaml

FUNCTIONS_FILE = "my_functions.py"

EXPERT = {"price": 0.6, "final": True, "seconds_per_answer": 30.0, "accuracy": 0.98}
"""The starter's final tier; its other keys stand there at their defaults."""

WRITTEN_OUT = ("task", "functions", "tiers")
"""Sections that the template holds itself."""

OF_THE_USER = ("endpoints", "llm", "mturk", "webhooks")
"""Sections with entries by names of the user's, of which there are none; docs/configuration.md shows what one
looks like."""


def main(folder: Path) -> list[str]:
    """Write the two files; what to do next, for the terminal.

    Raises:
        SetupProblem: one of the files is there already, or the folder cannot be written. Nothing is changed.
    """
    contents = {DEFAULT_FILE: starter_config(), FUNCTIONS_FILE: _template(FUNCTIONS_FILE)}
    there = [name for name in contents if (folder / name).exists()]
    if there:
        raise SetupProblem(f"{folder / there[0]} is there already; move it away, or name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise SetupProblem(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    config = folder / DEFAULT_FILE
    return [
        f"wrote {config} and {folder / FUNCTIONS_FILE}",
        "next: name your classes and change the functions, then",
        f"  labelloop check -c {config}",
        f"  labelloop up -c {config}",
    ]


def starter_config() -> str:
    """The file that is written: a small task, and every other setting with its default, commented out."""
    given: dict[KeyPath, Any] = {("tiers", "*", name): value for name, value in EXPERT.items()}
    names = dict.fromkeys(key.path[0] for key in KEYS.keys if key.path[0] not in WRITTEN_OUT)
    single = [name for name in names if (name,) not in KEYS.sections]
    sections = [name for name in names if (name,) in KEYS.sections]
    return Template(_template(DEFAULT_FILE)).safe_substitute(
        expert=commented_yaml(KEYS, ["tiers.*"], given, depth=2),
        rest="\n" + commented_yaml(KEYS, [*single, *sections]),
    )


def _template(name: str) -> str:
    return (files("daemon.wiring") / "templates" / name).read_text(encoding="utf-8")
