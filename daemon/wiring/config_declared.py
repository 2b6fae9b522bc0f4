"""Ways of asking language models that Python modules declare, put beside those of the file."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from daemon.wiring.config_errors import Problem
from labeling_functions.llm.declared import LLMFunction
from labeling_functions.loading import LoadError, load_llm

WHERE = ("functions", "llm_modules")


def declare(data: dict[str, Any], folder: Path) -> list[Problem]:
    """Add what the modules of `functions.llm_modules` declare to `llm` and `endpoints` of the document."""
    modules = _modules(data)
    try:
        declared = load_llm(modules, folder)
    except LoadError as error:
        return [Problem(WHERE, str(error))]
    return [problem for one in declared for problem in _add(data, one)]


def _modules(data: dict[str, Any]) -> list[str]:
    """The names, or none where they are not a list of texts: that is a problem told elsewhere."""
    functions = data.get("functions")
    named = functions.get("llm_modules") if isinstance(functions, dict) else None
    fits = isinstance(named, list) and all(isinstance(one, str) for one in named)
    return named if fits and named else []


def _add(data: dict[str, Any], declared: LLMFunction) -> Iterator[Problem]:
    how, at = asdict(declared.settings), declared.at
    if problem := _put(data, "llm", declared.name, how):
        yield problem
    if at is not None and (problem := _put(data, "endpoints", declared.settings.endpoint, asdict(at))):
        yield problem


def _put(data: dict[str, Any], section: str, name: str, value: dict[str, Any]) -> Problem | None:
    """Equal settings may be said twice; others contradict each other."""
    known = data.get(section)
    known = data[section] = {} if known is None else known
    if not isinstance(known, dict) or known.setdefault(name, value) == value:
        return None
    return Problem(WHERE, f"{section}.{name} is declared otherwise elsewhere; keep one of the two")
