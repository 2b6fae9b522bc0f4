"""Every key of the configuration, read from the settings classes themselves: type, default, range, meaning.

Error messages, the commented template and the tests of the documentation all use this one reading, so none
of them can go stale.
"""

import inspect
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt, MinLen

Path = tuple[str, ...]
"""A key's place: names from the top; `*` in the known keys stands for a name that the user chooses."""

REQUIRED: Any = object()
"""Default of a key that must be given."""

WORDS: dict[Any, str] = {
    str: "text",
    FilePath: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
"""What a value of each type is called in messages."""

BOUND_WORDS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}
"""Bound -> where its limit is kept, and how it is called in messages."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key that can be set.

    Attributes:
        path: where it stands; `*` for a name of the user's choice.
        type: the annotation without its range and without `None`.
        optional: whether null is allowed.
        default: value without the key; REQUIRED if there is none.
        allowed: the range in words; empty if any value of the type will do.
        meaning: what its class says about it.
    """

    path: Path
    type: Any
    optional: bool
    default: Any
    allowed: str
    meaning: str

    @property
    def is_text(self) -> bool:
        """Whether a value is taken as it is written, without reading it as YAML."""
        return self.type in (str, FilePath)

    @property
    def words(self) -> str:
        """The type in words."""
        if get_origin(self.type) is tuple:
            return "a list of whole numbers" if get_args(self.type)[0] is int else "a list of texts"
        if get_origin(self.type) in (Mapping, dict):
            return "a mapping"
        return WORDS.get(self.type, "a value")

    @property
    def item_words(self) -> str:
        """The type of one member in words; of the value itself if it has no members."""
        if get_origin(self.type) not in (tuple, Mapping, dict):
            return self.words
        return WORDS[int] if get_args(self.type)[0] is int else "text"


@dataclass(frozen=True)
class KeyTree:
    """All keys below one settings class, in the order in which they are declared.

    Attributes:
        keys: what can be set.
        sections: place of each mapping of keys -> its meaning.
    """

    keys: tuple[Key, ...]
    sections: Mapping[Path, str]

    @cached_property
    def _by_path(self) -> dict[Path, Key]:
        return {key.path: key for key in self.keys}

    def find(self, path: Path) -> Key | None:
        """The key that a place belongs to; a member of a list or mapping belongs to its key."""
        for end in range(len(path), 0, -1):
            for known, key in self._by_path.items():
                if _fits(known, path[:end]):
                    return key
        return None

    def is_section(self, path: Path) -> bool:
        """Whether further keys stand below this place."""
        return any(len(key.path) > len(path) and _fits(key.path[: len(path)], path) for key in self.keys)

    def children(self, path: Path) -> list[str]:
        """Names that may stand right below a place."""
        below = [
            key.path for key in self.keys if len(key.path) > len(path) and _fits(key.path[: len(path)], path)
        ]
        return list(dict.fromkeys(known[len(path)] for known in below))

    def named(self, name: str) -> list[Path]:
        """Places of the keys with this last name."""
        return [key.path for key in self.keys if key.path[-1] == name]


def is_secret(name: str) -> bool:
    """Whether a key of this name holds something that is never shown; numbers of tokens are shown."""
    words = name.split("_")
    return bool({"password", "secret", "token"} & set(words)) and words[-1] != "env"


def dotted(path: Path) -> str:
    """A path as people write it: `tiers.crowd.price`."""
    return ".".join(path)


def key_tree(settings: type, skip: frozenset[str] = frozenset()) -> KeyTree:
    """Read the keys of a settings dataclass and of those below it; `skip` names fields that are not keys."""
    sections: dict[Path, str] = {}
    keys = tuple(key for key in _walk(settings, (), sections) if key.path[0] not in skip)
    return KeyTree(keys, sections)


def meanings(settings: type) -> dict[str, str]:
    """Field -> what the class's docstring says about it under `Attributes:`."""
    doc = inspect.getdoc(settings) or ""
    _, _, section = doc.partition("Attributes:\n")
    section = section.split("\n\n")[0]
    entries = re.findall(r"^    (\w+): (.*(?:\n {8,}.*)*)", section, flags=re.MULTILINE)
    # In the file, None is written null.
    return {name: re.sub(r"\bNone\b", "null", " ".join(text.split())).rstrip(",.") for name, text in entries}


def _walk(settings: type, prefix: Path, sections: dict[Path, str]) -> Iterator[Key]:
    hints = get_type_hints(settings, include_extras=True)
    said = meanings(settings)
    about = _summary(settings)
    for spec in fields(settings):
        path = (*prefix, spec.name)
        kind, optional, bounds = _open(hints[spec.name])
        meaning = said.get(spec.name, about)
        named = get_origin(kind) is Mapping and is_dataclass(get_args(kind)[1])
        if named or is_dataclass(kind):
            sections[path] = said.get(spec.name, _summary(get_args(kind)[1] if named else kind))
            below, place = (get_args(kind)[1], (*path, "*")) if named else (kind, path)
            yield from _walk(below, place, sections)
        else:
            yield Key(path, kind, optional, _default(spec), _range(kind, bounds), meaning)


def _summary(settings: type) -> str:
    """First sentence of a class's docstring: stands in for what is not said of its fields one by one."""
    return (inspect.getdoc(settings) or "").split("\n")[0].rstrip(".")


def _open(annotation: Any) -> tuple[Any, bool, tuple[Any, ...]]:
    """An annotation's type, whether None is allowed beside it, and its bounds."""
    optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        optional = len(members) < len(get_args(annotation))
        annotation = members[0]
    if get_origin(annotation) is Annotated:
        kind, *bounds = get_args(annotation)
        return kind, optional, tuple(bounds)
    return annotation, optional, ()


def _default(spec: "Field[Any]") -> Any:
    if spec.default is not MISSING:
        return spec.default
    return spec.default_factory() if spec.default_factory is not MISSING else REQUIRED


def _range(kind: Any, bounds: tuple[Any, ...]) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(str(choice) for choice in get_args(kind))
    limits = {
        words: f"{getattr(bound, name):,}"
        for bound in bounds
        for form, (name, words) in BOUND_WORDS.items()
        if isinstance(bound, form)
    }
    if limits.keys() == {"at least", "at most"}:
        return f"{limits['at least']} to {limits['at most']}"
    empty = ["not empty"] if MinLen(1) in bounds else []
    return " and ".join([*(f"{words} {limit}" for words, limit in limits.items()), *empty])


def _fits(known: Path, path: Path) -> bool:
    return len(known) == len(path) and all(a in ("*", b) for a, b in zip(known, path, strict=True))
