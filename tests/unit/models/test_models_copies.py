"""Near copies among functions: who counts as one, and how the tables are shared."""

import numpy as np

from models.label_model.copies import Copies, find_copies, only
from models.votes import Votes


def functions(columns: np.ndarray) -> Votes:
    return Votes.from_dense(columns, [f"function:f{j}" for j in range(columns.shape[1])], 2)


def nearly(random: np.random.Generator, column: np.ndarray, changed: int) -> np.ndarray:
    copy = column.copy()
    places = random.choice(np.flatnonzero(column >= 0), changed, replace=False)
    copy[places] = 1 - copy[places]
    return copy


def test_functions_that_speak_alike_have_one_spokesman() -> None:
    random = np.random.default_rng(0)
    first = random.integers(-1, 2, 1000)
    other = random.integers(-1, 2, 1000)
    votes = functions(np.stack([first, other, nearly(random, first, 5), first], axis=1))
    copies = find_copies(votes, 2)
    assert copies.spokesman.tolist() == [0, 1, 0, 0]
    assert copies.speaking.tolist() == [True, True, False, False]


def test_functions_that_differ_on_a_tenth_speak_for_themselves() -> None:
    random = np.random.default_rng(1)
    first = random.integers(0, 2, 1000)
    votes = functions(np.stack([first, nearly(random, first, 100)], axis=1))
    assert find_copies(votes, 2).speaking.all()


def test_shared_silence_is_no_agreement() -> None:
    columns = np.full((1000, 2), -1)
    columns[:50, 0] = 1
    columns[50:100, 1] = 1
    assert find_copies(functions(columns), 2).speaking.all()


def test_a_shared_frequent_class_is_no_agreement() -> None:
    """Both say class 0 of nearly everything, and class 1 of different items."""
    columns = np.zeros((1000, 2), int)
    columns[:10, 0] = 1
    columns[10:20, 1] = 1
    assert find_copies(functions(columns), 2).speaking.all()


def test_agreement_on_few_items_is_chance() -> None:
    columns = np.full((1000, 2), -1)
    columns[:5] = 1
    assert find_copies(functions(columns), 2).speaking.all()


def test_people_are_never_copies() -> None:
    said = np.zeros(100, int)
    votes = Votes.concat_annotators(Votes.of_one("tier:a@x", said, 2), Votes.of_one("tier:a@y", said, 2))
    assert find_copies(votes, 2).speaking.all()


def test_copies_share_the_table_of_their_spokesman() -> None:
    copies = Copies(("function:a", "function:b", "function:c"), np.array([0, 1, 0]))
    table = np.arange(6.0).reshape(3, 2)
    spread = copies.spread({"function:a": table, "function:b": 3 * table})
    np.testing.assert_allclose(spread["function:a"], table / 2)
    np.testing.assert_allclose(spread["function:c"], table / 2)
    np.testing.assert_allclose(spread["function:b"], 3 * table)


def test_votes_of_chosen_annotators_keep_their_items() -> None:
    votes = functions(np.array([[0, 1, -1], [-1, 1, 0]]))
    left = only(votes, [True, False, True])
    assert left.annotators == ("function:f0", "function:f2")
    said = sorted(zip(left.row.tolist(), left.annotator.tolist(), left.symbol.tolist(), strict=True))
    assert said == [(0, 0, 0), (0, 1, 2), (1, 0, 2), (1, 1, 0)]
