"""The part of package `models` that a served version carries: what its serving file needs.

MLflow sends and fetches each file by a request of its own, and the whole package has 86.
"""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import models

PACKAGE = Path(models.__file__).parent


def copy_needed(serving: Path, folder: Path) -> Path:
    """Copy what this file needs of the package to `folder`; where its copy is."""
    for source in needed(serving):
        copied = folder / PACKAGE.name / source.relative_to(PACKAGE)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copied)
    return folder / PACKAGE.name


def needed(serving: Path) -> set[Path]:
    """Files of the package that are imported by this one or each other, wherever in them that stands."""
    found, left = set[Path](), [serving]
    while left:
        fresh = {file for name in _imported(left.pop()) for file in _files(name)} - found
        found |= fresh
        left += fresh
    return found


def _imported(file: Path) -> Iterator[str]:
    """Dotted names; one that a package gives may be a module or something in it."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str) -> Iterator[Path]:
    """The module of this name, and the packages that it is in; nothing of other packages."""
    package, *below = name.split(".")
    if package != PACKAGE.name:
        return
    places = [PACKAGE.joinpath(*below[:depth]) for depth in range(len(below) + 1)]
    files = [place / "__init__.py" for place in places] + [place.with_suffix(".py") for place in places[1:]]
    yield from (file for file in files if file.is_file())
