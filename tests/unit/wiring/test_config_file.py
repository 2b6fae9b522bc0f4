"""YAML as the configuration reads it."""

import pytest

from daemon.wiring.config_errors import ConfigError
from daemon.wiring.config_file import read_yaml


def test_lines_are_known_by_path() -> None:
    document = read_yaml("a: 1\nb:\n  c: [x,\n    y]\n", "f")
    assert document.data == {"a": 1, "b": {"c": ["x", "y"]}}
    assert document.lines[("a",)] == 1
    assert document.lines[("b", "c")] == 3
    assert document.lines[("b", "c", "1")] == 4


def test_an_empty_file_has_no_data() -> None:
    assert read_yaml("# nothing\n", "f").data is None


def test_keys_are_taken_as_they_are_written() -> None:
    assert read_yaml("no: 1\n07: 2\n1.50: 3\n", "f").data == {"no": 1, "07": 2, "1.50": 3}


@pytest.mark.parametrize(
    ("text", "value"), [("1e-3", 0.001), ("2E5", 2e5), ("-.5e1", -5.0), ("+1.5e2", 150.0)]
)
def test_numbers_with_an_exponent_are_numbers(text: str, value: float) -> None:
    assert read_yaml(f"a: {text}", "f").data == {"a": value}


@pytest.mark.parametrize("text", ["1e", "e5", "1e5x", "v1e5"])
def test_words_that_look_like_numbers_stay_words(text: str) -> None:
    assert read_yaml(f"a: {text}", "f").data == {"a": text}


def test_a_doubled_key_is_a_problem_with_both_lines() -> None:
    document = read_yaml("a:\n  b: 1\n  b: 2\n", "f")
    assert [(one.path, one.text) for one in document.problems] == [
        (("a", "b"), "stands twice, on lines 2 and 3; keep one")
    ]
    assert document.data == {"a": {"b": 1}}


def test_a_key_that_is_no_word_is_a_problem() -> None:
    [problem] = read_yaml("{[a, b]: 1}", "f").problems
    assert "line 1" in problem.text


def test_aliases_are_followed() -> None:
    assert read_yaml("a: &x [1]\nb: *x\n", "f").data == {"a": [1], "b": [1]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", "line 1, column 6: not valid YAML: expected ',' or ']'"),
        ("a: 1\n b: 2\n", "line 2, column 3: not valid YAML"),
        ("a: &x [*x]", "line 1, column 4: not valid YAML: an alias that contains itself"),
        ("a: *b", "line 1, column 4: not valid YAML: found undefined alias 'b'"),
        (
            "a: !!python/object:os.system x",
            "line 1, column 4: not valid YAML: could not determine a constructor",
        ),
        ("--- a\n--- b", "line 2, column 1: not valid YAML: but found another document"),
        ("a: \x00", "not valid YAML: special characters are not allowed (character 4)"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_place(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_yaml(text, "f")
    assert expected in str(caught.value)
