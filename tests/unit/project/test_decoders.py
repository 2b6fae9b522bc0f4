"""Decoders of typed messages are made while their module is imported, where one thread is alone.

Two threads that decode a type for the first time may end the process with a segmentation fault: msgspec looks
at a type once, and the second thread finds what the first has not finished (seen with msgspec 0.22).
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
SOURCES = [
    path for room in ("daemon", "labeling_functions", "models") for path in (PROJECT / room).rglob("*.py")
]
TYPED = {"decode", "convert", "Decoder"}


def typed_in_functions(tree: ast.AST) -> Iterator[int]:
    """Lines within functions where msgspec is given a type to decode."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and (call.args or call.keywords):
                name = ast.unparse(call.func)
                typed = (
                    name.endswith("Decoder")
                    or len(call.args) > 1
                    or any(k.arg == "type" for k in call.keywords)
                )
                if name.startswith("msgspec.") and name.rpartition(".")[2] in TYPED and typed:
                    yield call.lineno


def test_no_type_is_seen_first_in_a_function() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{line}"
        for path in SOURCES
        for line in sorted(set(typed_in_functions(ast.parse(path.read_text()))))
    ]
    assert found == [], "make each decoder a constant of its module"


@pytest.mark.parametrize(
    "within",
    [
        "msgspec.json.decode(raw, type=Message)",
        "msgspec.json.Decoder(Message)",
        "msgspec.convert(raw, Message)",
    ],
)
def test_a_type_in_a_function_is_found(within: str) -> None:
    assert list(typed_in_functions(ast.parse(f"def read(raw):\n    return {within}\n"))) == [2]
    assert list(typed_in_functions(ast.parse(f"found = {within}\n"))) == []
