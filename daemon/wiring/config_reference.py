"""Every key in words: as commented YAML for the file that `init` writes, as tables for the documentation."""

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path as FilePath
from typing import Any

from daemon.wiring.config import KEYS
from daemon.wiring.config_keys import REQUIRED, Key, KeyTree, Path, dotted

WIDTH = 100

START, END = "<!-- settings: made by config_reference.py -->\n\n", "<!-- end of settings -->"
"""Between these two the documentation holds the tables."""


def commented_yaml(
    tree: KeyTree, sections: Sequence[str], given: Mapping[Path, Any] | None = None, depth: int = 0
) -> str:
    """Keys of top-level sections (or single keys) as YAML, each set to its default and commented out.

    A setting is a line that begins with `#` and no blank, so that taking the `#` away switches it on;
    prose begins with `# `. Sections themselves stay: an empty one changes nothing.

    Args:
        sections: first names, or dotted places of what is to be written.
        given: values that are written as they are, not commented out.
        depth: levels to indent by.
    """
    lines: list[str] = []
    for section in sections:
        lines += _block(tree, tuple(section.split(".")), given or {}, depth)
    return "\n".join(lines)


def markdown(tree: KeyTree) -> str:
    """All keys as one Markdown table a section."""
    parts: list[str] = []
    for path, meaning in [((), "At the top"), *tree.sections.items()]:
        rows = [key for key in tree.keys if key.path[:-1] == path or key.path[:-1] == (*path, "*")]
        if not rows:
            continue
        parts += [f"### `{_named(path)}`" if path else "### At the top of the file", ""]
        parts += [f"{_sentence(meaning)}", ""] if path else []
        parts += ["| key | default | allowed | meaning |", "|---|---|---|---|"]
        parts += [_row(key) for key in rows]
        parts.append("")
    return "\n".join(parts)


def _block(tree: KeyTree, path: Path, given: Mapping[Path, Any], depth: int) -> Iterator[str]:
    if path in tree.sections:
        yield ""
        yield from _prose(tree.sections[path], depth)
        yield f"{'  ' * depth}{path[-1]}:"
        depth += 1
    for key in (key for key in tree.keys if key.path[: len(path)] == path):
        if len(key.path) <= len(path) + 1:
            said = "" if key.meaning == tree.sections.get(path) else key.meaning
            yield from _setting(key, said, given, depth)
    for section in tree.sections:
        if section[:-1] == path:
            yield from _block(tree, section, given, depth)


def _setting(key: Key, said: str, given: Mapping[Path, Any], depth: int) -> Iterator[str]:
    allowed = _sentence(f"Allowed: {key.allowed}") if key.allowed else ""
    yield from _prose(f"{_sentence(said)} {allowed}".strip(), depth)
    mark, value = ("", given[key.path]) if key.path in given else ("#", key.default)
    yield f"{'  ' * depth}{mark}{key.path[-1]}: {as_json(value)}"


def _prose(text: str, depth: int) -> list[str]:
    lead = "  " * depth + "# "
    return textwrap.wrap(_sentence(text), WIDTH, initial_indent=lead, subsequent_indent=lead)


def as_json(value: Any) -> str:
    """A default as YAML and JSON write it."""
    return json.dumps(plain(value), ensure_ascii=False)


def plain(value: Any) -> Any:
    """Settings as mappings, lists and scalars."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(below) for name, below in value.items()}
    if isinstance(value, tuple | list):
        return [plain(member) for member in value]
    return str(value) if isinstance(value, FilePath) else value


def _sentence(text: str) -> str:
    return text if not text else f"{text[0].upper()}{text[1:].rstrip('.')}."


def _named(path: Path) -> str:
    return dotted(path).replace("*", "NAME")


def _row(key: Key) -> str:
    return f"| `{_named(key.path)}` | {_default(key)} | {_allowed(key)} | {_cell(key)} |"


def _default(key: Key) -> str:
    return "required" if key.default is REQUIRED else f"`{as_json(key.default)}`"


def _allowed(key: Key) -> str:
    return "; ".join(part for part in (key.words, key.allowed, "null" if key.optional else "") if part)


def _cell(key: Key) -> str:
    return _sentence(key.meaning).replace("|", "\\|")


def rewrite(document: FilePath, tree: KeyTree) -> None:
    """Put the tables of these keys into a document that holds START and END."""
    before, _, rest = document.read_text(encoding="utf-8").partition(START)
    _, _, after = rest.partition(END)
    document.write_text(before + START + markdown(tree) + "\n" + END + after, encoding="utf-8")


if __name__ == "__main__":
    rewrite(FilePath(sys.argv[1]), KEYS)
