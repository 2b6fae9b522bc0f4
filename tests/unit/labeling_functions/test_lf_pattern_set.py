"""Patterns searched together by RE2 against one search each by Python's `re`."""

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labeling_functions.heuristics import pattern_set
from labeling_functions.heuristics.pattern_set import PatternSet
from labeling_functions.heuristics.translation import translated

LETTERS = "aAbkKsSiI_09 .-\n\t\x0b\x1c\x85éÉßſKİıΣσς£٣²½漢日🙂\u0301\u200d"
TEXTS = st.lists(st.text(st.sampled_from(LETTERS), max_size=14), min_size=1, max_size=8)
SINGLE = [
    *"aAksiéßς£_ 漢.",
    *(r"\.", r"\w", r"\W", r"\d", r"\D", r"\s", r"\S", "[a-z]", "[^a-z]", "[ik]"),
    *(r"[^\w]", r"[\s\d]", "[A-É]", r"[^\Wa]", r"[\W_]", "[^k]"),
]
ZERO_WIDTH = [
    *("^", "$", r"\A", r"\Z", r"\b", r"\B"),
    *(r"(?<!\w)", r"(?!\w)", r"(?<=a)", r"(?=\d)", "(?=a.)", "(?<!ab)"),
]


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeat = st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{0,2}?", "*+", "{,2}"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, repeat).map(lambda two: f"(?:{two[0]}){two[1]}"),
        inner.map(lambda one: f"({one})\\1"),
        inner.map(lambda one: f"(?>{one})"),
        st.tuples(st.sampled_from(["i", "s", "m", "a", "-i", "is"]), inner).map(
            lambda two: f"(?{two[0]}:{two[1]})"
        ),
        st.tuples(st.sampled_from(ZERO_WIDTH), inner).map("".join),
        st.tuples(inner, st.sampled_from(ZERO_WIDTH)).map("".join),
    )


PATTERNS = st.recursive(st.sampled_from([*SINGLE, *ZERO_WIDTH]), combined, max_leaves=7)
FLAGS = st.sampled_from([0, re.I, re.M, re.S, re.A, re.I | re.A, re.I | re.M | re.S])


def compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except re.error:  # such as a reference to a group that has another number here
        assume(False)
        raise


def one_by_one(patterns: list[re.Pattern[str]], texts: list[str]) -> np.ndarray:
    return np.array([[one.search(text) is not None for one in patterns] for text in texts], bool)


@given(patterns=st.lists(st.tuples(PATTERNS, FLAGS), min_size=1, max_size=4), texts=TEXTS)
def test_together_as_one_by_one(patterns, texts):
    searched = [compiled(*pattern) for pattern in patterns]
    found = PatternSet(searched).hits(texts)
    assert found.tolist() == one_by_one(searched, texts).tolist()


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?i)\b(?:free|prize|winner)\b",
        r"\b0\d{9,10}\b",
        r"£\s?\d+$",
        r"^\W+ok\b",
        r"(?i)\bt&cs?\b",
        r"(?<!\w)(?:call\s+now|win)(?!\w)|£100(?!\w)",
        r"(?m)^>.*$",
        r"(?s)a.b",
        r"\Ba+\B",
        r"(?:\bab|cd\b)",
    ],
)
def test_what_people_write_needs_one_search(pattern):
    assert translated(re.compile(pattern)).exact


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", r"a(?=.*b)", r"\bfoo\b.*bar", "(?>a*)b", "a*+b", r"(?P<q>['\"])x(?P=q)", "a{1001}"]
)
def test_what_re2_cannot_say_is_searched_again(pattern):
    searched = PatternSet([re.compile(pattern), re.compile("b")])
    assert (searched.twice, searched.by_re) == ((0,), ())
    texts = ["aa", "ab", "foo bar", "a" * 1001, "'x'", "'x\"", "b"]
    assert searched.hits(texts).tolist() == one_by_one([re.compile(pattern), re.compile("b")], texts).tolist()


def test_what_re2_refuses_is_left_to_re():
    refused = re.compile("(?:(?:a{500}){500}|b)")
    searched = PatternSet([re.compile("c"), refused])
    assert searched.by_re == (1,)
    assert searched.hits(["b", "c", "bc", ""]).tolist() == [[0, 1], [1, 0], [1, 1], [0, 0]]


def test_patterns_that_are_too_large_together_are_left_to_re(monkeypatch):
    monkeypatch.setattr(pattern_set, "_MOST_BYTES", 20_000)
    searched = PatternSet([re.compile("ab"), re.compile(r"\w{200}x")])
    assert searched.hits(["ab", "cd"]).tolist() == [[True, False], [False, False]]


def test_a_set_that_runs_out_of_memory_leaves_its_text_to_re():
    """Then it finds nothing, not even the pattern that is in every text."""
    searched = PatternSet([re.compile("a"), re.compile("b")])
    searched._set = Forgetful(searched._set)
    assert searched.hits(["ab", "b", "large a"]).tolist() == [[True, True], [False, True], [True, False]]


class Forgetful:
    def __init__(self, real):
        self.real = real

    def Match(self, text):
        return None if text.startswith("large") else self.real.Match(text)


def test_half_a_surrogate_pair_hides_nothing():
    searched = PatternSet([re.compile("free"), re.compile("\ud83d")])
    assert searched.hits(["free \ud83d", "free"]).tolist() == [[True, True], [True, False]]


def test_no_texts_and_no_patterns():
    assert PatternSet([re.compile("a")]).hits([]).shape == (0, 1)
    assert PatternSet([]).hits(["a"]).shape == (1, 0)
