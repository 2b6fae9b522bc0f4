"""What the environment adds: LABELLOOP_SECTION__KEY settings, and ${NAME} in addresses and passwords."""

import re
from collections.abc import Mapping
from typing import Any

from daemon.wiring.config_errors import ConfigError, Problem, suggest
from daemon.wiring.config_file import read_yaml
from daemon.wiring.config_keys import Key, KeyTree, Path, dotted
from labeling_functions.secret_variables import SecretUnreadable, secret

PREFIX = "LABELLOOP_"

NOT_SETTINGS = {
    "LABELLOOP_DATA": "folder of the data sets that tests and benchmarks read",
    "LABELLOOP_KAFKA_HOME": "an Apache Kafka distribution that `labelloop up` and the tests start",
    "LABELLOOP_LOG_LEVEL": "debug, info, warning or error; the level of the log",
    "LABELLOOP_LOG_JSON": "1 for a log of JSON lines",
    "LABELLOOP_PREDICTIONS_TOKEN": "what `labelloop label-studio` asks for, unless another is named",
    "LABELLOOP_PREDICTIONS_TOKEN_FILE": "the file that holds it",
}
"""Variables with our prefix that are not part of the configuration."""

NOT_SETTINGS_PREFIXES = ("LABELLOOP_TEST_", "LABELLOOP_REQUIRE_")
"""What the tests read."""

REFERENCE = re.compile(r"\$\{(\w+)\}")

_LITERAL = re.compile(r"://[^:/?#\s]*:[^@\s]+@|[?&]\w*password=[^&\s]+")
"""A password in an address."""

WITH_REFERENCES = ("database", "kafka", "mlflow", "review", "webhooks")
"""Sections where ${NAME} stands for an environment variable: those that may hold secrets."""


def overlay(
    data: dict[str, Any], tree: KeyTree, environ: Mapping[str, str]
) -> tuple[dict[Path, str], list[Problem]]:
    """Put the values of LABELLOOP_ variables into `data`.

    Returns the place of each value that came from a variable with the variable's name, and what is wrong.
    """
    origins: dict[Path, str] = {}
    problems: list[Problem] = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or name.startswith(NOT_SETTINGS_PREFIXES):
            continue
        path = _resolve(name.removeprefix(PREFIX).split("__"), data, tree)
        key = tree.find(path) if path else None
        if path is None or key is None:
            problems.append(Problem((name,), "unknown variable" + suggest(name, variables(tree))))
            continue
        try:
            value = _read(environ[name], key)
        except ConfigError:
            problems.append(Problem((name,), f"its value is not {key.words}, as YAML writes it"))
            continue
        if _put(data, path, value):
            origins[path] = name
        else:
            problems.append(
                Problem((name,), f"the file has no mapping at {dotted(path[:-1])} to set this in")
            )
    return origins, problems


def variables(tree: KeyTree) -> list[str]:
    """Names of all variables that may be set."""
    return [variable(key.path) for key in tree.keys] + list(NOT_SETTINGS)


def variable(path: Path) -> str:
    """Environment variable of a key; `NAME` in it stands for a name that the user chooses."""
    return PREFIX + "__".join("NAME" if part == "*" else _plain(part).upper() for part in path)


def expand(data: dict[str, Any], environ: Mapping[str, str]) -> list[Problem]:
    """Replace ${NAME} in the sections that may hold secrets; returns the references to absent variables."""
    problems: list[Problem] = []
    for section in WITH_REFERENCES:
        if section in data:
            data[section] = _expanded(data[section], (section,), environ, problems)
    return problems


def literal_passwords(value: Any, path: Path = ()) -> list[Path]:
    """Places of a file's addresses that hold a password as text, not as a ${NAME}."""
    if isinstance(value, dict):
        return [place for name, below in value.items() for place in literal_passwords(below, (*path, name))]
    found = isinstance(value, str) and _LITERAL.search(REFERENCE.sub("", value))
    return [path] if found else []


def _expanded(value: Any, path: Path, environ: Mapping[str, str], problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {name: _expanded(below, (*path, name), environ, problems) for name, below in value.items()}
    if not isinstance(value, str):
        return value
    found = {name: _referred(name, path, environ, problems) for name in REFERENCE.findall(value)}
    return REFERENCE.sub(lambda match: found[match[1]], value)


def _referred(name: str, path: Path, environ: Mapping[str, str], problems: list[Problem]) -> str:
    """What ${NAME} stands for; where that is nowhere, itself, and a problem."""
    if name in environ:
        return environ[name]
    try:
        if found := secret(name, environ):
            return found
        problems.append(
            Problem(
                path,
                f"refers to ${{{name}}}, but the environment has no variable {name} (nor {name}_FILE, which "
                "names a file that holds it)",
            )
        )
    except SecretUnreadable as problem:
        problems.append(Problem(path, str(problem)))
    return f"${{{name}}}"


def _resolve(words: list[str], data: Any, tree: KeyTree) -> Path | None:
    """The key that a variable names: known names, and below them the names that the file uses."""
    path: Path = ()
    for word in words:
        known = tree.children(path)
        names = [*data] if known == ["*"] and isinstance(data, dict) else known
        found = [name for name in names if _plain(name) == word.lower()]
        if not found:
            return None
        path = (*path, found[0])
        data = data.get(found[0]) if isinstance(data, dict) else None
    return None if tree.is_section(path) else path


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _read(text: str, key: Key) -> Any:
    if key.optional and text.strip() in ("", "null", "~"):
        return None
    return text if key.is_text else read_yaml(text, "").data


def _put(data: dict[str, Any], path: Path, value: Any) -> bool:
    for name in path[:-1]:
        if data.get(name) is None:
            data[name] = {}
        data = data[name]
        if not isinstance(data, dict):
            return False
    data[path[-1]] = value
    return True
