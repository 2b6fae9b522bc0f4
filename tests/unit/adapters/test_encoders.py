"""What of an item is encoded."""

from collections.abc import Sequence

import numpy as np
import pytest

from daemon.adapters.encoders import Differences, TwoTexts, WholeTexts
from labeling_functions.items import Item
from models.arrays import F4
from models.pair_features import PairEncoder


class Lengths:
    """The number of letters of a text, twice."""

    name = "lengths"

    def encode(self, texts: Sequence[str]) -> F4:
        return np.array([[len(text), len(text)] for text in texts], np.float32).reshape(-1, 2)


def test_texts_are_encoded_whole() -> None:
    encoder = WholeTexts(Lengths())
    vectors = encoder.encode([Item("1", {"text": "four"}), Item("2", {"title": "a", "body": "bc"})])
    assert vectors[:, 0].tolist() == [4, 4]
    assert encoder.name == "lengths"


def test_of_pairs_the_difference_is_encoded() -> None:
    fields = {"prompt": "Why?", "response_a": "Because.", "response_b": "No idea", "source": "a web page"}
    vectors = Differences(Lengths()).encode([Item("1", fields)])
    assert vectors[0, :2].tolist() == [1, 1]
    np.testing.assert_array_equal(vectors, PairEncoder(Lengths()).pairs(["Why?"], ["Because."], ["No idea"]))


def test_of_two_texts_it_is_encoded_how_they_differ() -> None:
    vectors = TwoTexts(Lengths()).encode([Item("1", {"left": "four", "right": "seven..", "shop": "x"})])
    assert vectors.tolist() == [[3, 3]]
    assert TwoTexts(Lengths()).name == "two:lengths"


def test_its_name_tells_pairs_from_texts() -> None:
    assert Differences(Lengths()).name == "pairs:lengths"


def test_what_is_no_pair_is_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match=r"item 'x'.*response_b"):
        Differences(Lengths()).encode([Item("x", {"prompt": "Why?", "response_a": "Because."})])
