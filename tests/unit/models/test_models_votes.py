"""Votes: construction, checks, selection, and the sum of tables."""

import numpy as np
import pytest

from models.votes import TOGETHER, Votes, family, kind, log_scores, tier_of

MATRIX = np.array([[0, -1, 1], [1, 1, -1], [-1, -1, -1]])
KEYS = ("function:a@1", "function:b@2", "function:c@3")


def entries(votes: Votes) -> list[tuple[int, str, int]]:
    """Votes as a sorted list that does not depend on their order."""
    return sorted(
        (int(row), votes.annotators[annotator], int(symbol))
        for row, annotator, symbol in zip(votes.row, votes.annotator, votes.symbol, strict=True)
    )


def test_abstentions_of_a_dense_matrix_become_the_last_symbol() -> None:
    votes = Votes.from_dense(MATRIX, KEYS, n_classes=2)
    assert votes.n_symbols == (3, 3, 3)
    assert [symbol for row, _, symbol in entries(votes) if row == 0] == [0, 2, 1]
    assert [symbol for row, _, symbol in entries(votes) if row == 2] == [2, 2, 2]


@pytest.mark.parametrize("vote", [2, -2])
def test_a_dense_vote_outside_the_classes_is_refused(vote: int) -> None:
    with pytest.raises(ValueError, match="2 classes allow -1"):
        Votes.from_dense(np.array([[vote]]), ("function:a",), n_classes=2)


def test_a_dense_matrix_must_fit_its_keys() -> None:
    with pytest.raises(ValueError, match="does not fit 2 annotators"):
        Votes.from_dense(MATRIX, KEYS[:2], n_classes=2)


def test_a_long_table_gives_each_worker_a_key_of_its_tier() -> None:
    votes, tasks = Votes.from_table(["t2", "t1", "t2"], ["w1", "w1", "w9"], [1, 0, 2], tier="people")
    assert tasks == ["t2", "t1"]
    assert votes.annotators == ("tier:people@w1", "tier:people@w9")
    assert votes.n_symbols == (3, 3)
    assert entries(votes) == [
        (0, "tier:people@w1", 1),
        (0, "tier:people@w9", 2),
        (1, "tier:people@w1", 0),
    ]


def test_take_reorders_repeats_and_keeps_several_votes_of_one_annotator() -> None:
    votes = Votes(3, ("tier:crowd",), (2,), np.array([2, 0, 2]), np.zeros(3, int), np.array([1, 0, 0]))
    taken = votes.take([2, 1, 2])
    assert taken.n_items == 3
    assert entries(taken) == [
        (0, "tier:crowd", 0),
        (0, "tier:crowd", 1),
        (2, "tier:crowd", 0),
        (2, "tier:crowd", 1),
    ]


def test_take_understands_masks_and_empty_choices() -> None:
    votes = Votes.from_dense(MATRIX, KEYS, n_classes=2)
    assert entries(votes.take(np.array([False, True, False]))) == entries(votes.take([1]))
    assert len(votes.take([])) == 0
    with pytest.raises(ValueError, match="outside the 3 items"):
        votes.take([3])


def test_annotators_are_joined_on_the_same_items_only() -> None:
    functions = Votes.from_dense(MATRIX, KEYS, n_classes=2)
    classifier = Votes.of_one("classifier", np.array([0, 7, 3]), 8)
    joined = Votes.concat_annotators(functions, classifier)
    assert joined.annotators == (*KEYS, "classifier")
    assert entries(joined) == sorted(entries(functions) + entries(classifier))
    with pytest.raises(ValueError, match="3 and 1 items"):
        Votes.concat_annotators(functions, classifier.take([0]))
    with pytest.raises(ValueError, match=r"function:a@1, .* occurs twice"):
        Votes.concat_annotators(functions, functions)


@pytest.mark.parametrize(
    ("row", "annotator", "symbol", "message"),
    [
        ([0, 1], [0], [0], "a vote needs one of each"),
        ([3], [0], [0], "row 3 is outside the 3 items"),
        ([-1], [0], [0], "row -1 is outside"),
        ([0], [1], [0], "annotator 1 is outside the 1 annotators"),
        ([1], [0], [2], "symbol 2 of tier:crowd on row 1 is outside 0..1"),
        ([0.5], [0], [0], "row must be a list of whole numbers"),
    ],
)
def test_votes_that_do_not_fit_are_refused(
    row: list[int], annotator: list[int], symbol: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Votes(3, ("tier:crowd",), (2,), np.array(row), np.array(annotator), np.array(symbol))


def test_keys_have_a_kind_and_a_family() -> None:
    assert [kind(key) for key in ("function:a@1", "classifier", "tier:crowd")] == [
        "function",
        "classifier",
        "tier",
    ]
    assert family("tier:crowd@w1") == "tier:crowd"
    assert tier_of("tier:crowd@w1") == "crowd"
    assert tier_of("llm:cheap/plain@9f") == "cheap"


def test_scores_add_the_table_row_of_every_vote() -> None:
    votes = Votes(3, ("tier:crowd",), (2,), np.array([0, 0, 1]), np.zeros(3, int), np.array([1, 1, 0]))
    table = np.array([[0.5, -1.0], [0.0, 2.0]])
    scores = log_scores(votes, np.array([0.25, 0.0]), {"tier:crowd": table})
    np.testing.assert_allclose(scores, [[0.25, 2 / (1 + TOGETHER) * 2.0], [0.75, -1.0], [0.25, 0.0]])


def test_only_people_taken_together_err_together() -> None:
    row, annotator = np.array([0, 0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1, 0])
    keys = ("tier:crowd", "function:f")
    votes = Votes(2, keys, (2, 3), row, annotator, np.zeros(6, int))
    assert votes.weights.tolist() == pytest.approx([1 / (1 + 2 * TOGETHER)] * 3 + [1.0] * 3)


def test_people_who_are_told_apart_err_together_and_teach_in_full() -> None:
    apart = Votes.from_table([0, 0, 0], ["a", "b", "c"], [0, 0, 1])[0]
    assert apart.weights.tolist() == pytest.approx([1 / (1 + 2 * TOGETHER)] * 3)
    assert apart.fitting_weights.tolist() == [1.0] * 3


def test_a_tier_and_its_people_err_together_two_tiers_do_not() -> None:
    keys = ("tier:crowd", "tier:crowd@7", "tier:students@7")
    votes = Votes(1, keys, (2, 2, 2), np.zeros(3, int), np.arange(3), np.zeros(3, int))
    assert votes.weights.tolist() == pytest.approx([1 / (1 + TOGETHER)] * 2 + [1.0])


def test_ways_of_asking_one_tier_of_language_models_err_together() -> None:
    keys = ("llm:cheap/a@1", "llm:cheap/b@1", "llm:dear/a@1", "function:f")
    row, annotator = np.array([0, 0, 0, 0, 1]), np.array([0, 1, 2, 3, 0])
    votes = Votes(2, keys, (8, 8, 8, 3), row, annotator, np.zeros(5, int))
    assert votes.weights.tolist() == pytest.approx([1 / (1 + TOGETHER)] * 2 + [1.0] * 3)


def test_scores_refuse_a_table_of_another_size() -> None:
    votes = Votes.of_one("classifier", np.array([0]), 8)
    with pytest.raises(ValueError, match=r"table of classifier: shape \(4, 2\)"):
        log_scores(votes, np.zeros(2), {"classifier": np.zeros((4, 2))})
