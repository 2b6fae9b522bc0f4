"""Modules named in a configuration, found or refused with a reason."""

import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

import labeling_functions
from labeling_functions.items import Item
from labeling_functions.loading import LoadError, load

HEAD = "from labeling_functions import keywords, labeling_function\n"
TWO = HEAD + (
    "@labeling_function\ndef zebra(item):\n    return None\n\n"
    "@labeling_function(name='ape')\ndef monkey(item):\n    return None\n"
)


@pytest.fixture(autouse=True)
def _imports_as_before(monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "lf_made" in name:
            del sys.modules[name]


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(modules, folder):
    return [function.name for function in load(modules, folder)]


def test_functions_of_files_and_modules_come_in_order(tmp_path):
    write(tmp_path, "sub/lf_made_a.py", TWO)
    write(tmp_path, "lf_made_pkg/more.py", HEAD + "late = keywords('late', ['x'], 0)\n")
    assert names(["lf_made_pkg.more", "sub/lf_made_a.py"], tmp_path) == ["late", "zebra", "ape"]


def test_one_function_can_be_named(tmp_path):
    write(tmp_path, "lf_made_a.py", TWO)
    assert names(["lf_made_a.py:monkey"], tmp_path) == ["ape"]
    assert names(["lf_made_a:zebra"], tmp_path) == ["zebra"]


def test_a_file_may_import_its_neighbors_and_be_called_like_our_package(tmp_path):
    write(tmp_path, "lf_made_words.py", "WORDS = ['win']\n")
    source = HEAD + "from lf_made_words import WORDS\nwin = keywords('win', WORDS, 0)\n"
    write(tmp_path, "labeling_functions.py", source)
    assert names(["labeling_functions.py"], tmp_path) == ["win"]


def test_a_process_that_begins_with_this_path_still_finds_our_package(tmp_path, monkeypatch):
    """An editable install stands on no path: its finder is asked after all that is on it."""
    ours = str(Path(labeling_functions.__file__).parents[1])
    others = [place for place in sys.path if not (Path(place) / "labeling_functions.py").exists()]
    monkeypatch.setattr(sys, "path", [place for place in others if place not in ("", ours)])
    write(tmp_path, "labeling_functions.py", HEAD + "win = keywords('win', ['win'], 0)\n")
    assert names(["labeling_functions.py"], tmp_path) == ["win"]
    found = PathFinder.find_spec("labeling_functions", sys.path)
    assert found is not None
    assert found.origin == labeling_functions.__file__


def test_the_same_function_reached_twice_counts_once(tmp_path):
    write(tmp_path, "lf_made_a.py", TWO + "alias = zebra\n")
    write(tmp_path, "lf_made_b.py", "from lf_made_a import zebra\n")
    assert names(["lf_made_a", "lf_made_b"], tmp_path) == ["zebra", "ape"]


def test_a_file_runs_once_however_many_of_its_functions_are_named(tmp_path):
    counted = "from pathlib import Path\nwith open(Path(__file__).with_suffix('.runs'), 'a') as file:\n"
    path = write(tmp_path, "lf_made_a.py", TWO + counted + "    file.write('x')\n")
    assert names(["lf_made_a.py:zebra", "lf_made_a.py:monkey", "lf_made_a.py"], tmp_path) == ["zebra", "ape"]
    assert path.with_suffix(".runs").read_text() == "x"


def test_doubled_names_are_refused_with_both_places(tmp_path):
    first, second = write(tmp_path, "lf_made_a.py", TWO), write(tmp_path, "lf_made_b.py", TWO)
    with pytest.raises(LoadError) as caught:
        load(["lf_made_a.py", "lf_made_b.py"], tmp_path)
    text = f"two labeling functions are named 'zebra': {first}: zebra and {second}: zebra; rename one"
    assert str(caught.value) == text


def test_a_module_without_functions_is_refused(tmp_path):
    write(tmp_path, "lf_made_a.py", "def plain(item):\n    return 1\n")
    with pytest.raises(LoadError, match=r"lf_made_a\.py: there is no labeling function in it; mark"):
        load(["lf_made_a.py"], tmp_path)
    with pytest.raises(LoadError, match=r"'plain' is no labeling function"):
        load(["lf_made_a.py:plain"], tmp_path)


def test_a_name_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    write(tmp_path, "lf_made_a.py", TWO)
    with pytest.raises(LoadError, match=r"there is no 'lion'; labeling functions there: zebra, monkey"):
        load(["lf_made_a.py:lion"], tmp_path)


@pytest.mark.parametrize("entry", ["lf_made_a.py", "lf_made_a"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "\n\nlimit = 1 / 0\n",
            r"ZeroDivisionError: division by zero \(.*lf_made_a\.py, line 3: limit = 1 / 0\)",
        ),
        ("import lf_made_missing\n", r"No module named 'lf_made_missing' \(.*lf_made_a\.py, line 1: import"),
        ("x = (\n", r"SyntaxError: .*\(.*lf_made_a\.py, line 1\)"),
        ("import sys\nsys.exit(3)\n", r"SystemExit: 3 \(.*lf_made_a\.py, line 2: sys\.exit\(3\)\)"),
        ("import re\nre.compile('(')\n", r"lf_made_a\.py, line 2: re\.compile"),
    ],
)
def test_a_module_that_fails_to_import_is_refused_with_the_line(tmp_path, entry, source, reason):
    write(tmp_path, "lf_made_a.py", source)
    with pytest.raises(LoadError, match=rf"{entry} fails to import: .*{reason}"):
        load([entry], tmp_path)


def test_a_failed_import_leaves_nothing_behind_and_can_be_repaired(tmp_path):
    path = write(tmp_path, "lf_made_a.py", "1 / 0\n")
    with pytest.raises(LoadError):
        load([path.name], tmp_path)
    path.write_text(TWO)
    assert names([path.name], tmp_path) == ["zebra", "ape"]


def test_what_is_not_there_is_refused_with_where_it_was_looked_for(tmp_path):
    with pytest.raises(LoadError, match=rf"there is no file {tmp_path}/gone\.py; paths start at"):
        load(["gone.py"], tmp_path)
    with pytest.raises(LoadError, match=rf"no module 'lf_made_gone', neither in {tmp_path} nor installed"):
        load(["lf_made_gone.functions"], tmp_path)


def test_installed_modules_are_not_hidden_by_the_folder(tmp_path):
    write(tmp_path, "json.py", "1 / 0\n")
    write(tmp_path, "lf_made_a.py", "import json\n" + TWO)
    assert names(["lf_made_a.py"], tmp_path) == ["zebra", "ape"]


def test_what_runs_is_what_stands_in_the_file_whatever_was_compiled_before(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for label in (0, 1):
        path = write(tmp_path, "lf_made_b.py", HEAD + f"@labeling_function\ndef f(x):\n    return {label}\n")
        os.utime(path, (1_000_000, 1_000_000))  # of one size, changed in one second
        (function,) = load([path.name], tmp_path)
        assert function(Item("1", {"text": "a"})) == label
