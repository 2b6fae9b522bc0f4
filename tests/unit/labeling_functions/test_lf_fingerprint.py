"""The version of a function changes with what it does, and with nothing else."""

import functools
import re
import subprocess
import sys
import types

import numpy as np
import pytest

from labeling_functions import keywords, labeling_function, matches
from labeling_functions.fingerprint import fingerprint
from labeling_functions.loading import load

MODULE = """
import re
from labeling_functions import labeling_function

WORDS = {"prize", "win", "cash"}
NUMBER = re.compile(r"[0-9]{5}")
unused = 1

class Limits:
    length = 60

def clean(text):
    return text.lower()

@labeling_function
def spam(item):
    # says what is spam
    words = set(clean(item.text).split())
    return "spam" if words & WORDS or NUMBER.search(item.text) or len(words) > Limits.length else None
"""


def version_of(folder, source: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "lf.py").write_text(source)
    (function,) = load(["lf.py"], folder)
    return function.version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# says what is spam", "# another comment\n"),
        ("words & WORDS or NUMBER", "(words & WORDS) or NUMBER"),
        ("unused = 1", "unused = 2"),
        ('{"prize", "win", "cash"}', '{"cash", "win", "prize"}'),
    ],
)
def test_comments_layout_and_unrelated_names_change_nothing(tmp_path, old, new):
    assert version_of(tmp_path / "a", MODULE) == version_of(tmp_path / "b", MODULE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('return "spam"', 'return "ham"'),
        ('"cash"}', '"cash", "free"}'),
        ("[0-9]{5}", "[0-9]{6}"),
        ("text.lower()", "text.upper()"),
        ("length = 60", "length = 61"),
    ],
)
def test_what_the_function_depends_on_changes_the_version(tmp_path, old, new):
    assert old in MODULE
    assert version_of(tmp_path / "a", MODULE) != version_of(tmp_path / "b", MODULE.replace(old, new))


def test_the_place_of_the_file_does_not_count(tmp_path):
    source = (
        "from labeling_functions import labeling_function\n"
        "class Model:\n    pass\n"
        "MODEL = Model()\n"
        "@labeling_function\ndef modeled(item):\n    return 1 if MODEL else None\n"
    )
    assert version_of(tmp_path / "a", source) == version_of(tmp_path / "b", source)


def test_an_edited_file_loaded_again_has_a_new_version(tmp_path):
    before = version_of(tmp_path, MODULE)
    assert version_of(tmp_path, MODULE.replace('"ham"', '"x"').replace("60", "6000")) != before


def test_resources_and_closures_count():
    def make(limit, words):
        @labeling_function(resources={"words": words})
        def function(item, words):
            return 1 if len(item.text) > limit and words else None

        return function.version

    assert make(5, ["a"]) == make(5, ["a"])
    assert len({make(5, ["a"]), make(6, ["a"]), make(5, ["b"])}) == 3


def test_heuristics_count_with_pattern_class_and_field():
    versions = [
        keywords("a", ["win"], "spam").version,
        keywords("a", ["win", "cash"], "spam").version,
        keywords("a", ["win"], "ham").version,
        keywords("a", ["win"], "spam", field="title").version,
        keywords("a", ["win"], "spam", ignore_case=False).version,
        matches("a", "win", "spam").version,
    ]
    assert len(set(versions)) == len(versions)
    assert keywords("b", ["win"], "spam").version == versions[0]


def test_without_source_bytecode_and_constants_count():
    def compiled(source):
        names = {"WORDS": ["a"]}
        exec(source, names)
        return names["f"]

    first = fingerprint(compiled("def f(x): return [y for y in x if y == 1]"))
    assert first == fingerprint(compiled("def f(x): return [y for y in x if y == 1]"))
    assert first != fingerprint(compiled("def f(x): return [y for y in x if y == 2]"))


def test_arrays_count_with_content_and_objects_with_their_type():
    assert fingerprint(np.array([1.0, 2.0])) == fingerprint(np.array([1.0, 2.0]))
    assert fingerprint(np.array([1.0, 2.0])) != fingerprint(np.array([1.0, 3.0]))
    assert fingerprint(types.SimpleNamespace(a=1)) == fingerprint(types.SimpleNamespace(a=2))
    assert fingerprint(re.compile("a")) != fingerprint(re.compile("a", re.I))


def test_partials_and_builtins_count_with_what_they_are():
    parts = [functools.partial(len), functools.partial(abs), functools.partial(int, base=2), len, abs]
    assert len({fingerprint(part) for part in parts}) == len(parts)


def test_functions_that_call_each_other_end():
    source = "def f(x): return g(x)\ndef g(x): return f(x)\n"
    names: dict = {}
    exec(source, names)
    assert len(fingerprint(names["f"])) == 16


def test_the_same_in_another_process(tmp_path):
    here = version_of(tmp_path, MODULE)
    code = (
        "import sys, pathlib; from labeling_functions.loading import load;"
        "print(load(['lf.py'], pathlib.Path(sys.argv[1]))[0].version)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "17"},
    )
    assert out.stdout.strip() == here
