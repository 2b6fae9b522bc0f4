"""Which answered items are shown with an item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling_functions import ABSTAIN, Item
from labeling_functions.llm.exemplars import SELECTIONS, AnsweredItems, Exemplar, choose, for_together

LABELS = (0, 0, 0, 1, 0, 1, 2, 0)
ANGLES = (0.1, 0.2, 0.3, 0.9, 0.4, 1.2, 1.5, 0.0)


def at(angles: tuple[float, ...]) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def exemplar(name: str, label: int = 0, subject: str | None = None, text: str | None = None) -> Exemplar:
    return Exemplar(Item(name, {"text": text or name}, subject=subject), label)


ANSWERED = AnsweredItems(tuple(exemplar(f"e{row}", label) for row, label in enumerate(LABELS)), at(ANGLES))
ITEM, VECTOR = Item("new", {"text": "new"}), at((0.0,))[0]


def names(chosen: tuple[Exemplar, ...]) -> list[str]:
    return [one.item.id for one in chosen]


def test_similar_are_the_nearest_and_the_very_nearest_stands_last() -> None:
    assert names(choose(ANSWERED, ITEM, VECTOR, 3, "similar")) == ["e1", "e0", "e7"]


def test_diverse_are_the_nearest_of_each_class_in_turn() -> None:
    assert set(names(choose(ANSWERED, ITEM, VECTOR, 3, "diverse"))) == {"e7", "e3", "e6"}
    assert set(names(choose(ANSWERED, ITEM, VECTOR, 5, "diverse"))) == {"e7", "e3", "e6", "e0", "e5"}
    assert set(names(choose(ANSWERED, ITEM, VECTOR, 2, "diverse"))) == {"e7", "e3"}


def test_the_order_of_diverse_ones_is_the_items_own() -> None:
    items = [Item(f"n{number}", {"text": f"n{number}"}) for number in range(40)]
    first = [choose(ANSWERED, item, VECTOR, 3, "diverse") for item in items]
    assert first == [choose(ANSWERED, item, VECTOR, 3, "diverse") for item in items]
    assert {one[0].label for one in first} == {0, 1, 2}


def test_fixed_are_the_oldest_answers_of_each_class_in_turn() -> None:
    assert names(choose(ANSWERED, ITEM, np.empty(0), 4, "fixed")) == ["e0", "e3", "e6", "e1"]
    newer = AnsweredItems((*ANSWERED.exemplars, exemplar("e8", 1)), np.empty((9, 0)))
    assert names(choose(newer, ITEM, np.empty(0), 4, "fixed")) == ["e0", "e3", "e6", "e1"]


@pytest.mark.parametrize("how", SELECTIONS)
def test_what_shows_the_same_is_never_shown(how: str) -> None:
    item = Item("i", {"text": "Some  Text"}, subject="s")
    same = [exemplar("i", text="x"), exemplar("a", subject="s"), exemplar("b", text="some text\n")]
    answered = AnsweredItems((*same, exemplar("c", subject="t"), exemplar("d")), at((0.0,) * 5))
    assert set(names(choose(answered, item, VECTOR, 9, how))) == {"c", "d"}


def test_items_without_text_and_subject_are_not_taken_for_the_same() -> None:
    empty = [Exemplar(Item(name, {"text": ""}, images=(name,)), 0) for name in "ab"]
    assert names(
        choose(AnsweredItems(tuple(empty), at((0.0, 0.1))), empty[0].item, VECTOR, 2, "similar")
    ) == ["b"]


@pytest.mark.parametrize("how", SELECTIONS)
def test_none_are_chosen_where_there_are_none(how: str) -> None:
    assert choose(AnsweredItems((), np.empty((0, 2))), ITEM, VECTOR, 3, how) == ()
    assert choose(ANSWERED, ITEM, VECTOR, 0, how) == ()


def test_an_abstention_is_no_exemplar() -> None:
    with pytest.raises(ValueError, match="exemplar e: label -1 is no class"):
        exemplar("e", ABSTAIN)


def test_vectors_must_fit() -> None:
    with pytest.raises(ValueError, match="exemplars: 8 do not fit vectors"):
        AnsweredItems(ANSWERED.exemplars, np.empty((3, 2)))


def test_together_items_take_turns_and_never_see_an_answer_on_each_other() -> None:
    items = [Item("i", {"text": "i"}, subject="s"), Item("j", {"text": "j"})]
    each = [
        [exemplar("a"), exemplar("j"), exemplar("b")],
        [exemplar("c", subject="s"), exemplar("d"), exemplar("a")],
    ]
    assert names(for_together(items, each, 9)) == ["a", "d", "b"]
    assert names(for_together(items, each, 2)) == ["a", "d"]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 10), st.integers(0, 99))
def test_diverse_ones_are_as_even_as_the_classes_allow(labels: list[int], count: int, seed: int) -> None:
    angles = tuple(np.random.default_rng(seed).uniform(0, 3, len(labels)))
    answered = AnsweredItems(tuple(exemplar(f"e{row}", one) for row, one in enumerate(labels)), at(angles))
    chosen = choose(answered, ITEM, VECTOR, count, "diverse")
    assert len(chosen) == min(count, len(labels))
    shown = np.bincount([one.label for one in chosen], minlength=4)
    left = np.bincount(labels, minlength=4) - shown
    assert shown[left > 0].min(initial=99) >= shown.max() - 1
