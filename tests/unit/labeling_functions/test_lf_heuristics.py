"""Keyword and regex functions against loops that anybody can check."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling_functions import ABSTAIN, Item, keywords, matches
from labeling_functions.applier import Applier
from labeling_functions.heuristics import HEURISTICS
from labeling_functions.label_space import LabelSpace
from labeling_functions.loading import LoadError

LETTERS = st.text("abAB_é1£. \n", max_size=12)
WORDS = st.lists(st.text("abA_é1£.", min_size=1, max_size=3), min_size=1, max_size=4)


def column(functions, texts) -> np.ndarray:
    items = [Item(str(row), {"text": text}) for row, text in enumerate(texts)]
    applied = Applier(functions, LabelSpace(("ham", "spam")), 30.0).apply(items)
    assert applied.failures == {}
    return applied.L


def is_word_character(character: str) -> bool:
    return character.isalnum() or character == "_"


def contains(text: str, word: str, whole_words: bool, ignore_case: bool) -> bool:
    if ignore_case:
        text, word = text.lower(), word.lower()
    for start in range(len(text) - len(word) + 1):
        end = start + len(word)
        before, after = text[start - 1 : start] if start else "", text[end : end + 1]
        if text[start:end] != word:
            continue
        cut = (before and is_word_character(before) and is_word_character(word[0])) or (
            after and is_word_character(after) and is_word_character(word[-1])
        )
        if not (whole_words and cut):
            return True
    return False


@given(
    texts=st.lists(LETTERS, min_size=1, max_size=6), words=WORDS, whole=st.booleans(), ignore=st.booleans()
)
def test_keywords_equal_a_naive_loop(texts, words, whole, ignore):
    function = keywords("k", words, "spam", whole_words=whole, ignore_case=ignore)
    expected = [
        1 if any(contains(text, word, whole, ignore) for word in words) else ABSTAIN for text in texts
    ]
    assert column([function], texts)[:, 0].tolist() == expected


@given(
    texts=st.lists(LETTERS, min_size=1, max_size=6),
    patterns=st.lists(
        st.sampled_from([r"a+b", r"\d", r"(?i)é", r"^\s", r"\bab\b", r"(a)\1", "£$"]), max_size=4
    ),
)
def test_patterns_searched_together_equal_one_search_each(texts, patterns):
    functions = [matches(str(j), pattern, j % 2) for j, pattern in enumerate(patterns)]
    found = column(functions, texts)
    for j, pattern in enumerate(patterns):
        expected = [j % 2 if re.search(pattern, text) else ABSTAIN for text in texts]
        assert found[:, j].tolist() == expected


def test_whole_words_and_case_are_the_default():
    function = keywords("k", ["win", "call now", "£"], "spam")
    texts = ["WIN!", "window", "call\n  NOW", "call nowhere", "a£5"]
    assert column([function], texts)[:, 0].tolist() == [1, ABSTAIN, 1, ABSTAIN, 1]


def test_a_field_or_all_text_is_searched():
    item = Item("1", {"title": "win", "body": "hello"})
    functions = [keywords("any", ["win"], 1), keywords("title", ["win"], 1, field="title")]
    applied = Applier(
        [*functions, matches("body", "win", 1, field="body")], LabelSpace(("a", "b")), 30.0
    ).apply([item])
    assert applied.L.tolist() == [[1, 1, ABSTAIN]]


def test_an_item_without_the_field_fails_alone():
    items = [Item("1", {"title": "win"}), Item("2", {"text": "win"}), Item("3", {"title": 5})]
    functions = [keywords("t", ["win"], 1, field="title"), keywords("all", ["win"], 1)]
    applied = Applier(functions, LabelSpace(("a", "b")), 30.0).apply(items)
    assert applied.L.tolist() == [[1, 1], [ABSTAIN, 1], [ABSTAIN, ABSTAIN]]
    assert applied.failures == {"t": 2}
    assert "no field 'title'" in applied.messages["t"]


@pytest.mark.parametrize("words", [[], "win", ["win", " "]])
def test_keywords_without_words_are_refused(words):
    with pytest.raises(ValueError, match=r"'k': words must be a list"):
        keywords("k", words, "spam")


def test_a_broken_pattern_is_refused_with_its_place():
    with pytest.raises(ValueError, match=r"'p': pattern '\(a': missing \).*position 0"):
        matches("p", "(a", "spam")


def test_a_label_that_is_no_class_is_refused_before_any_item():
    with pytest.raises(LoadError, match=r"'k' voted 'spm', which is no class; did you mean 'spam'"):
        Applier([keywords("k", ["win"], "spm")], LabelSpace(("ham", "spam")), 30.0)


def test_each_kind_is_registered_under_its_name():
    made = [
        make("name", ["win"] if kind == "keyword" else "win", "spam") for kind, make in HEURISTICS.items()
    ]
    assert sorted(HEURISTICS) == ["keyword", "regex"]
    assert column([made[0]], ["win"]).tolist() == column([made[1]], ["win"]).tolist() == [[1]]
