"""Reading the file: YAML with line numbers, where nothing is guessed and no key may stand twice."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from daemon.wiring.config_errors import ConfigError, Problem
from daemon.wiring.config_keys import Path

NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")
"""YAML 1.1 takes `1e-3` for text; YAML 1.2, and everybody else, for a number."""


MAX_DEPTH = 50
"""Mappings and lists within each other: far more than any key lies deep."""

TOO_DEEP = f"mappings and lists lie in each other more than {MAX_DEPTH} times"


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader that also knows numbers as YAML 1.2 writes them."""


Loader.add_implicit_resolver("tag:yaml.org,2002:float", NUMBER, list("-+.0123456789"))


@dataclass
class Document:
    """A file's content.

    Attributes:
        data: plain mappings, lists and scalars.
        lines: path of a key (list members by their index) -> line in the file, from 1.
        problems: keys that stand twice, keys that are not plain words.
    """

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_yaml(text: str, source: str) -> Document:
    """Read a document.

    Raises:
        ConfigError: the text is not YAML; says the line and the column.
    """
    document = Document(None)
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is not None:
            document.data = _build(loader, node, (), document, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = ", ".join(part for part in (error.problem, error.context) if part)
        raise ConfigError(source, [f"{place}not valid YAML: {what}"]) from None
    except yaml.reader.ReaderError as error:
        raise ConfigError(
            source, [f"not valid YAML: {error.reason} (character {error.position + 1})"]
        ) from None
    except RecursionError:
        raise ConfigError(source, [TOO_DEEP]) from None
    return document


def _build(loader: Loader, node: yaml.Node, path: Path, document: Document, above: tuple[int, ...]) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in above:
        raise yaml.MarkedYAMLError(None, None, "an alias that contains itself", node.start_mark)
    above = (*above, id(node))
    if len(above) > MAX_DEPTH:
        raise yaml.MarkedYAMLError(None, None, TOO_DEEP, node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(loader, member, (*path, str(index)), document, above)
            for index, member in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, document, above)
    return _scalar(loader, node)


def _scalar(loader: Loader, node: yaml.Node) -> Any:
    try:
        return loader.construct_object(node)
    except (ValueError, LookupError, AttributeError):
        # What PyYAML takes for a date or a number by its looks, or is told to, may be none: 2001-99-99, 0x_.
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        what = f"{node.value[:40]!r} is no {kind}; put it in quotes if it is text"
        raise yaml.MarkedYAMLError(None, None, what, node.start_mark) from None


def _mapping(
    loader: Loader, node: yaml.MappingNode, path: Path, document: Document, above: tuple[int, ...]
) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            document.problems.append(Problem(path, f"line {line} has a key that is not a plain word"))
            continue
        # The key as it is written: `no:` is the name "no", not a truth value.
        place = (*path, key.value)
        if key.value in built:
            first = document.lines[place]
            document.problems.append(Problem(place, f"stands twice, on lines {first} and {line}; keep one"))
            continue
        document.lines[place] = line
        built[key.value] = _build(loader, value, place, document, above)
    return built
