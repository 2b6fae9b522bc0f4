"""Features of pairs: embedding and style of each response, A minus B."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.arrays import F4
from models.pair_features import PairEncoder, kinds_of
from models.response_style import STYLE, style_features

LENGTH = 5


class Letters:
    """A vector of length 1 by the first letter; remembers how often it was called."""

    name = "letters"

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, texts: Sequence[str]) -> F4:
        self.calls += 1
        place = np.array([ord(text[0]) % LENGTH if text else 0 for text in texts], np.int64)
        return np.eye(LENGTH, dtype=np.float32)[place]


def test_a_response_is_its_embedding_and_its_style_beside_the_prompt() -> None:
    vectors = PairEncoder(Letters()).responses(["say b"], ["b or not b."])
    style = style_features(["say b"], ["b or not b."]) / np.sqrt(len(STYLE))
    np.testing.assert_array_equal(vectors[:, :LENGTH], Letters().encode(["b"]))
    np.testing.assert_allclose(vectors[:, LENGTH:], style, rtol=1e-6)
    assert vectors.dtype == np.float32


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1, max_size=5))
def test_turning_pairs_around_turns_the_sign(texts: list[tuple[str, str, str]]) -> None:
    prompts, first, second = ([row[i] for row in texts] for i in range(3))
    encoder = PairEncoder(Letters())
    np.testing.assert_array_equal(
        encoder.pairs(prompts, first, second), -encoder.pairs(prompts, second, first)
    )


def test_both_responses_are_encoded_in_one_call() -> None:
    letters = Letters()
    vectors = PairEncoder(letters).pairs(["p", "q"], ["a", "b"], ["c", "d"])
    assert letters.calls == 1
    expected = Letters().encode(["a", "b"]) - Letters().encode(["c", "d"])
    np.testing.assert_array_equal(vectors[:, :LENGTH], expected)


def test_no_pairs_give_no_vectors() -> None:
    assert PairEncoder(Letters()).pairs([], [], []).shape == (0, LENGTH + len(STYLE))


def test_its_name_says_that_it_reads_pairs() -> None:
    assert PairEncoder(Letters()).name == "pairs:letters"


def test_style_stands_at_the_end() -> None:
    dimension = PairEncoder(Letters()).pairs(["p"], ["a"], ["b"]).shape[1]
    np.testing.assert_array_equal(kinds_of(dimension), [0] * LENGTH + [1] * len(STYLE))


def test_vectors_without_room_for_style_are_refused() -> None:
    with pytest.raises(ValueError, match="style alone"):
        kinds_of(len(STYLE))
