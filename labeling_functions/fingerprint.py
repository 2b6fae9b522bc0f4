"""A short hash that changes when a function's behavior may have changed, and only then if we can help it."""

import ast
import hashlib
import inspect
import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType

import numpy as np


def fingerprint(*parts: object) -> str:
    """16 hex digits, the same in every process, for functions and the values that they depend on.

    A function counts with its source (without comments and layout; without source, with its bytecode and
    constants), its defaults, what it closes over, and the module's globals that it names: plain values,
    compiled patterns and arrays with their content, functions and classes of the same module in the same
    way, functions of other modules with their own source. Any other object counts with its type alone.
    """
    writer = _Writer()
    text = "\n".join(writer.describe(part, home=None) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class _Writer:
    """Writes values as text; remembers the functions met, so that recursion ends."""

    def __init__(self) -> None:
        self._met: set[int] = set()

    def describe(self, value: object, home: str | None) -> str:
        """Text of a value that was met in module `home`; None where it is the thing itself."""
        match value:
            case None | bool() | int() | float() | complex() | str() | bytes():
                return repr(value)
            case re.Pattern():
                return f"pattern({value.pattern!r}, {value.flags})"
            case list() | tuple():
                return f"[{', '.join(self.describe(one, home) for one in value)}]"
            case set() | frozenset():
                return f"{{{', '.join(sorted(self.describe(one, home) for one in value))}}}"
            case Mapping():
                return f"{{{', '.join(self._pairs(value, home))}}}"
            case partial():
                return f"partial({self.describe([value.func, value.args, value.keywords], home)})"
            case _:
                return self._describe_object(value, home)

    def _pairs(self, value: Mapping[object, object], home: str | None) -> Iterator[str]:
        for key, one in value.items():
            yield f"{self.describe(key, home)}: {self.describe(one, home)}"

    def _describe_object(self, value: object, home: str | None) -> str:
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            content = hashlib.blake2b(np.ascontiguousarray(value).tobytes()).hexdigest()
            return f"array({value.dtype}, {value.shape}, {content})"
        parts = getattr(value, "version_parts", None)
        # without the module: the name of a module loaded from a file says where the file lies
        name: str = getattr(value, "__qualname__", type(value).__qualname__)
        if id(value) in self._met:
            return name
        self._met.add(id(value))
        if isinstance(parts, tuple):
            return f"{name}: {self.describe(parts, home)}"
        if isinstance(value, FunctionType):
            return self._describe_function(value, home)
        if isinstance(value, type) and value.__module__ == home:
            return _source(value) or name
        return name

    def _describe_function(self, function: FunctionType, home: str | None) -> str:
        own = _source(function) or _bytecode(function.__code__)
        if home not in (None, function.__module__):
            return own
        home = function.__module__
        depends: dict[str, object] = {"defaults": function.__defaults__, "keywords": function.__kwdefaults__}
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        depends |= {name: cell.cell_contents for name, cell in cells if _filled(cell)}
        known = function.__globals__
        depends |= {name: known[name] for name in sorted(_names(function.__code__)) if name in known}
        return f"{own}\n{self.describe(depends, home)}"


def _filled(cell: object) -> bool:
    try:
        cell.cell_contents  # type: ignore[attr-defined]  # noqa: B018 (the access is the test)
    except ValueError:
        return False
    return True


def _source(thing: FunctionType | type) -> str | None:
    """Source without comments and layout, or None where there is none."""
    try:
        text = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        return None
    try:
        return ast.unparse(ast.parse(text))
    except SyntaxError:  # a lambda in the middle of an expression
        return text


def _bytecode(code: CodeType) -> str:
    return f"{code.co_code.hex()} {code.co_names} [{', '.join(map(_constant, code.co_consts))}]"


def _constant(value: object) -> str:
    if isinstance(value, CodeType):
        return _bytecode(value)
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _names(code: CodeType) -> set[str]:
    """Global names that the code or a function inside it may read."""
    inner = (_names(one) for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*inner)
