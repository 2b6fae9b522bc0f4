"""Every event in the log has a key, and every key its meaning."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import daemon
from daemon.core.actions import ACTIONS

CODE = Path(daemon.__file__).parent
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
KNOWN = {action.key: action.meaning for action in ACTIONS}


@pytest.fixture(scope="module")
def calls() -> list[tuple[str, ast.Call]]:
    """Place and call of everything that is logged."""
    return list(_calls())


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for file in sorted(CODE.rglob("*.py")):
        tree = ast.parse(file.read_text())
        loggers = {
            target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and "getLogger" in ast.unparse(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                if node.func.attr in LEVELS and isinstance(owner, ast.Name) and owner.id in loggers:
                    yield f"{file.relative_to(CODE.parent)}:{node.lineno}", node


def _keys(call: ast.Call) -> list[str]:
    """What `extra` may give as action; more than one where a condition chooses."""
    extra = [keyword.value for keyword in call.keywords if keyword.arg == "extra"]
    if not extra or not isinstance(extra[0], ast.Dict):
        return []
    given = [
        value
        for key, value in zip(extra[0].keys, extra[0].values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "action"
    ]
    chosen = [
        part
        for value in given
        for part in ([value.body, value.orelse] if isinstance(value, ast.IfExp) else [value])
    ]
    return [part.value for part in chosen if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def test_every_event_has_a_key_of_the_list(calls: list[tuple[str, ast.Call]]) -> None:
    wrong = [place for place, call in calls if not _keys(call) or not set(_keys(call)) <= set(KNOWN)]
    assert wrong == [], 'give extra={"action": KEY} with a KEY of daemon/core/actions.py'


def test_every_key_of_the_list_is_used(calls: list[tuple[str, ast.Call]]) -> None:
    used = {key for _, call in calls for key in _keys(call)}
    assert set(KNOWN) - used == set()


def test_keys_are_single_and_stand_with_a_sentence() -> None:
    assert len(KNOWN) == len(ACTIONS)
    for key, meaning in KNOWN.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", key)
        assert meaning[0] in "`ABCDEFGHIJKLMNOPQRSTUVWXYZ" and meaning.endswith("."), key


def test_nothing_is_logged_by_the_root_logger() -> None:
    for file in CODE.rglob("*.py"):
        assert not re.search(
            r"\blogging\.(debug|info|warning|error|exception|critical)\(", file.read_text()
        ), file
