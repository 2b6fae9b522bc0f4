"""Finds the labeling functions of the modules that a configuration names."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from labeling_functions.function import Function, as_function
from labeling_functions.llm.declared import LLMFunction

OURS = Path(__file__).resolve().parents[1]
"""Where our own packages stand."""


class LoadError(Exception):
    """Labeling functions or their module cannot be used; the message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A function, the module's value that it was made of, and where that stands."""

    place: str
    value: object
    function: Function


class _Modules:
    """The modules of one configuration. Each is run once, however many of its functions are named: two runs
    would make two functions of one, and load twice whatever the module loads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, ModuleType] = {}

    def module(self, target: str) -> ModuleType:
        """The module at this path or of this name. Raises LoadError."""
        if target not in self._known:
            self._known[target] = _import(target, self._folder)
        return self._known[target]


def load(modules: Sequence[str], folder: Path) -> list[Function]:
    """Labeling functions of the modules, in the order of the list and of their definition.

    Args:
        modules: `package.module` or `path/file.py`, each with `:name` for a single function. Functions
            are the module's own variables that hold one; snorkel's are taken as they are.
        folder: paths and modules are looked for here (installed packages come first).

    Raises:
        LoadError: nothing is there, it fails to import, it has no functions, two have one name, or one asks
            a language model.
    """
    imported = _Modules(_found_from(folder))
    found: dict[str, _Found] = {}
    for entry in modules:
        for one in _functions_of(entry, imported):
            known = found.setdefault(one.function.name, one)
            if known.value is not one.value:  # the same one, imported by two modules, counts once
                name = one.function.name
                raise LoadError(
                    f"two labeling functions are named {name!r}: {known.place} and {one.place}; rename one"
                )
    functions = [one.function for one in found.values()]
    for function in functions:
        _ = function.version  # fixed now, while the source is what was imported
    return functions


def load_llm(modules: Sequence[str], folder: Path) -> list[LLMFunction]:
    """Functions of the modules that ask language models, each once; arguments as for `load`.

    Raises:
        LoadError: nothing is there, it fails to import, it has no such function, or two have one name.
    """
    imported = _Modules(_found_from(folder))
    found: dict[str, LLMFunction] = {}
    for entry in modules:
        target, name = _split(entry)
        values = vars(imported.module(target))
        asked = [values.get(name)] if name is not None else list(values.values())
        declared = [value for value in asked if isinstance(value, LLMFunction)]
        if not declared:
            raise LoadError(f"{entry}: no function there asks a language model; use llm_labeling_function")
        for one in declared:
            if found.setdefault(one.name, one) is not one:
                raise LoadError(f"{entry}: two functions that ask language models are named {one.name!r}")
    return list(found.values())


def _found_from(folder: Path) -> Path:
    """The folder, and modules in it can be imported."""
    folder = folder.resolve()
    for place in (OURS, folder):
        # last, but after our own packages: a `labeling_functions.py` beside the configuration must not hide
        # ours from processes that begin with this path, where an editable install is looked at after it
        if str(place) not in sys.path:
            sys.path.append(str(place))
    return folder


def _functions_of(entry: str, modules: _Modules) -> Iterator[_Found]:
    target, name = _split(entry)
    module = modules.module(target)
    values = vars(module)
    if name is not None:
        values = {name: _named(values, name, entry)}
    some = False
    for variable, value in values.items():
        if isinstance(value, LLMFunction):
            raise LoadError(
                f"{entry}: {variable} asks a language model, and no batch of the stream waits for one; name "
                "its module in functions.llm_modules, and the function in the variants of a tier with "
                "backend: llm"
            )
        if (function := as_function(value)) is not None:
            some = True
            yield _Found(f"{module.__file__ or target}: {variable}", value, function)
    if not some:
        what = f"{name!r} is no labeling function" if name else "there is no labeling function in it"
        raise LoadError(f"{entry}: {what}; mark functions with @labeling_function")


def _split(entry: str) -> tuple[str, str | None]:
    target, colon, name = entry.rpartition(":")
    return (target, name) if colon and name.isidentifier() else (entry, None)


def _named(values: dict[str, object], name: str, entry: str) -> object:
    if name not in values:
        there = ", ".join(key for key, value in values.items() if as_function(value)) or "none"
        raise LoadError(f"{entry}: there is no {name!r}; labeling functions there: {there}")
    return values[name]


def _import(target: str, folder: Path) -> ModuleType:
    is_file = target.endswith(".py")
    if is_file and not (folder / target).is_file():
        raise LoadError(
            f"{target}: there is no file {folder / target}; paths start at the configuration's folder"
        )
    try:
        return _import_file(folder / target) if is_file else importlib.import_module(target)
    except (Exception, SystemExit) as error:  # a user's module may raise anything, and it ends here
        if (
            not is_file
            and isinstance(error, ModuleNotFoundError)
            and f"{target}.".startswith(f"{error.name}.")
        ):
            reason = f"there is no module {error.name!r}, neither in {folder} nor installed"
            raise LoadError(f"{target}: {reason}; a file is named with its .py") from None
        raise LoadError(f"{target} fails to import: {_cause(error, target)}") from error


class _AsWritten(SourceFileLoader):
    """Runs what stands in the file. Compiled code that Python keeps goes by size and second of the last
    change: with it, functions could be old ones under the version of the new source.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _import_file(path: Path) -> ModuleType:
    name = f"{path.stem}_{blake2b(str(path).encode(), digest_size=4).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_AsWritten(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # sources are looked up through it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _cause(error: BaseException, target: str) -> str:
    """The error with the line of the user's module that led to it."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"{said} ({error.filename}, line {error.lineno})"
    ending = target if target.endswith(".py") else target.replace(".", "/")
    frames = [one for one in traceback.extract_tb(error.__traceback__) if ending in one.filename]
    if not frames:
        return said
    return f"{said} ({frames[-1].filename}, line {frames[-1].lineno}: {frames[-1].line})"
