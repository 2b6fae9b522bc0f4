"""Votes of a language model as symbols of the label model."""

import pytest

from labeling_functions import ABSTAIN
from labeling_functions.llm.symbols import EDGES, N_BINS, n_symbols, symbols
from models import classifier


def test_bins_are_the_classifiers() -> None:
    assert EDGES == classifier.EDGES


def test_a_symbol_is_label_and_bin() -> None:
    sure = [0.5, 0.625, 0.8, 0.9, 1.0, None]
    assert symbols([0, 0, 1, 1, 2, 2], sure, 3).tolist() == [0, 1, N_BINS + 2, N_BINS + 3, 2 * N_BINS + 3, 9]


def test_an_abstention_is_the_last_symbol() -> None:
    assert symbols([ABSTAIN, ABSTAIN], [None, 0.99], 3).tolist() == [12, 12]
    assert n_symbols(3) == 13


def test_no_votes_are_no_symbols() -> None:
    assert symbols([], [], 2).shape == (0,)


@pytest.mark.parametrize("label", [-2, 3])
def test_a_label_of_no_class_is_refused(label: int) -> None:
    with pytest.raises(ValueError, match="not within -1 to 2"):
        symbols([0, label], [None, None], 3)
