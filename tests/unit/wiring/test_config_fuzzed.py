"""Whatever a configuration says, it is taken, or refused with the keys to correct; never with a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest
from config_files import load_text, only_problem
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from daemon.wiring.config import KEYS, Config, load
from daemon.wiring.config_env import variables
from daemon.wiring.config_errors import ConfigError
from daemon.wiring.config_file import MAX_DEPTH, read_yaml
from daemon.wiring.config_keys import dotted

IN_ONE_FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=100
)
MARK = "here stands what is tried"

ODD = [
    *("2001-99-99", "0x_", "0b_", "1:99", "!!int a", "!!float a", "!!bool a", "!!timestamp a", "!!null a"),
    *(
        "!!binary '*'",
        "!!set {a}",
        "!!python/name:os.system x",
        "&x [*x]",
        "*x",
        "<<: {}",
        "? {a: 1}",
        "- a\n- b",
    ),
    *(
        ".inf",
        "-.inf",
        ".nan",
        "1e999",
        "-1",
        "1" * 400,
        "1" * 5_000,
        "1e-320",
        "1_000",
        "00",
        "0.5",
        "1000000000",
    ),
    *(
        "[" * 600,
        "{a: " * 60 + "1" + "}" * 60,
        "[" * 60 + "]" * 60,
        '"',
        "'",
        "%",
        "@",
        "`",
        "\t",
        "#",
        "!",
        "|",
    ),
    *('"\\ud800"', '"a\\0b"', '"\\uffff"', "~nobody/x", "~", "null", "''", "{}", "[]", "[null]", "{a: null}"),
    *(
        "yes",
        "preference",
        "rating",
        "multilabel",
        "label_studio",
        "mturk",
        "sqlite://",
        "postgresql://[",
        "${X}",
    ),
    *(
        "..",
        ".",
        "a.",
        "/",
        "a/../b.py",
        "[.]",
        "['']",
        "[../x.py]",
        "[a b]",
        "[json]",
        "{0: 1}",
        "{expert: {}}",
    ),
]
WORDS = ["task", "tiers", "&a ", "*a", "!!int ", "1", "a"]
TOKENS = [*WORDS, ": ", "\n", "  ", "- ", "{", "}", "[", "]", ",", '"']
VALUES = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=5,
).map(json.dumps)
PLACES = st.sampled_from([key.path for key in KEYS.keys] + list(KEYS.sections)).map(
    lambda path: tuple(("expert" if path[0] == "tiers" else "a") if part == "*" else part for part in path)
)


def a_file(path: tuple[str, ...], value: str) -> str:
    """A short configuration with this YAML at a place."""
    data: dict[str, Any] = {
        "task": {"name": "t", "classes": ["a", "b"]},
        "tiers": {"expert": {"final": True}},
    }
    below = data
    for part in path[:-1]:
        below = below.setdefault(part, {})
    below[path[-1]] = MARK
    return json.dumps(data).replace(json.dumps(MARK), value)


def taken_or_refused(folder: Path, text: str) -> list[str]:
    """What is wrong with a file, nothing if it is taken; fails for anything but a plain message."""
    try:
        assert isinstance(load_text(folder, text), Config)
    except ConfigError as error:
        assert all(line.strip() for line in error.lines)
        str(error).encode()
        return list(error.lines)
    return []


@IN_ONE_FOLDER
@given(path=PLACES, value=VALUES)
@example(path=("state",), value="~nobody/x")
@example(path=("state",), value='"a\\0b"')
@example(path=("task", "name"), value='"\\ud800"')
@example(path=("learning", "min_answers"), value="2001-99-99")
@example(path=("functions", "llm_modules"), value="['']")
@example(path=("functions", "llm_modules"), value="[.]")
def test_a_value_of_any_kind_at_any_key_is_taken_or_refused_by_name(
    tmp_path: Path, path: tuple[str, ...], value: str
) -> None:
    lines = taken_or_refused(tmp_path, a_file(path, value))
    about = {part for part in path if part != "a"}
    if lines and "not valid YAML" not in lines[0]:
        assert any(part in line for part in about for line in lines), lines
    secret = [line for line in lines if "expert" in line and "final" in line and "task" in line]
    assert secret == [], "the whole file stands in a message"


@IN_ONE_FOLDER
@given(path=PLACES, name=st.from_regex(r"[a-z]{3,8}_[a-z]{2}x", fullmatch=True))
def test_an_unknown_key_is_named_wherever_it_stands(tmp_path: Path, path: tuple[str, ...], name: str) -> None:
    place = (*path[:-1], name)
    lines = taken_or_refused(tmp_path, a_file(place, "1"))
    if KEYS.children(place[:-1]) == ["*"]:  # any name may stand there; 1 is no settings
        assert any(dotted(place) in line for line in lines), lines
    else:
        assert any(line.startswith(f"{dotted(place)}: unknown key") for line in lines), lines


@IN_ONE_FOLDER
@given(text=st.lists(st.sampled_from(TOKENS), max_size=25).map("".join))
def test_any_text_is_a_configuration_or_no_configuration(tmp_path: Path, text: str) -> None:
    taken_or_refused(tmp_path, text)


@IN_ONE_FOLDER
@given(content=st.binary(max_size=40))
def test_any_bytes_are_a_configuration_or_no_configuration(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "labelloop.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        load(file, {})


@IN_ONE_FOLDER
@given(
    name=st.sampled_from([one.replace("NAME", "EXPERT") for one in variables(KEYS)]),
    value=st.sampled_from(ODD)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=()), max_size=8),
)
def test_any_variable_is_taken_or_refused(tmp_path: Path, name: str, value: str) -> None:
    text = a_file(("currency",), "EUR")
    try:
        load_text(tmp_path, text, {name: value.replace("\0", "")})
    except ConfigError as error:
        assert all(line.strip() for line in error.lines)


def test_texts_that_are_none_are_named_with_their_place(tmp_path: Path) -> None:
    assert only_problem(tmp_path, a_file(("database", "url"), '"a\\0"')) == (
        "database.url: holds a NUL character (line 1)"
    )
    assert "encoder: holds bytes that are not UTF-8" in only_problem(
        tmp_path, a_file(("encoder",), '"\\ud800"')
    )
    odd_key = only_problem(tmp_path, a_file(("routing", "costs"), '{"a\\0": 1}'))
    assert odd_key.startswith("routing.costs: the key 'a\\x00' holds a NUL character")


def test_a_state_folder_of_nobody_is_named(tmp_path: Path) -> None:
    assert "state: ~nobody-at-all/x leads nowhere" in only_problem(
        tmp_path, a_file(("state",), "~nobody-at-all/x")
    )


def test_what_looks_like_a_date_or_a_number_and_is_none_is_named(tmp_path: Path) -> None:
    said = only_problem(tmp_path, "a: 1\nb: 2001-99-99\n")
    assert (
        said
        == "line 2, column 4: not valid YAML: '2001-99-99' is no timestamp; put it in quotes if it is text"
    )
    assert "'0x_' is no int" in only_problem(tmp_path, "a: 0x_\n")


def test_a_scale_of_a_billion_steps_is_refused_before_it_is_made(tmp_path: Path) -> None:
    text = "task: {name: t, kind: rating, classes: 1000000000}\ntiers: {expert: {final: true}}\n"
    assert only_problem(tmp_path, text).startswith("task.classes: 1000000000 is not a list of texts")


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 600])
def test_what_is_nested_too_deep_is_no_configuration(levels: int) -> None:
    with pytest.raises(ConfigError, match=f"lie in each other more than {MAX_DEPTH} times"):
        read_yaml("a: " + "[" * levels + "]" * levels, "f")
