"""What functions say in multilabel tasks: of each class that it applies, that it does not, or nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling_functions import (
    ABSTAIN,
    Item,
    batch_labeling_function,
    keywords,
    labeling_function,
    only,
)
from labeling_functions.applier import Applied, Applier
from labeling_functions.ballot import SetBallot
from labeling_functions.label_space import LabelSpace
from labeling_functions.loading import LoadError

NAMES = ("billing", "praise", "delivery")
SPACE = LabelSpace(NAMES, sets=True)
ITEMS = [Item("a", {"text": "bill"}), Item("b", {"text": "thanks"})]
NOTHING = [ABSTAIN] * 3


def apply(*functions, items=ITEMS) -> Applied:
    return Applier(functions, SPACE, 30.0).apply(items)


def votes(answer) -> list[int]:
    applied = apply(labeling_function(name="f")(lambda item: answer))
    assert applied.failures == {}
    assert applied.L[0].tolist() == applied.L[1].tolist()
    return applied.L[0].tolist()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("praise", [-1, 1, -1]),
        (2, [-1, -1, 1]),
        (np.int16(0), [1, -1, -1]),
        (None, NOTHING),
        (ABSTAIN, NOTHING),
        (["billing", 2], [1, -1, 1]),
        (("praise",), [-1, 1, -1]),
        ({"praise", "billing"}, [1, 1, -1]),
        (frozenset({np.int64(1)}), [-1, 1, -1]),
        ([], NOTHING),
        ({}, NOTHING),
        ({"billing": True, "delivery": False}, [1, -1, 0]),
        ({0: np.False_, np.int8(1): np.True_}, [0, 1, -1]),
        (only("billing", "delivery"), [1, 0, 1]),
        (only(1), [0, 1, 0]),
        (only(), [0, 0, 0]),
    ],
)
def test_every_form_of_an_answer(answer, said):
    assert votes(answer) == said


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("prase", "voted 'prase', which is no class; did you mean 'praise'?"),
        (3, "voted 3, which is no class"),
        (True, "voted True (bool), which is no class"),
        ([True, False, False], "voted True (bool), which is no class"),
        (["billing", None], "named None among classes"),
        ([ABSTAIN], "named -1 among classes"),
        ({"billing": 1}, "said 1 of class 'billing': give True (it applies) or False"),
        ({"bill": True}, "voted 'bill', which is no class"),
        ({"billing": True, 0: False}, "said both True and False of class 0"),
        (only("x"), "voted 'x', which is no class"),
        (np.array([1, 0, 0]), "voted array([1, 0, 0]), an array: return a list of classes"),
        (1.0, "voted 1.0 (float), which is no class"),
    ],
)
def test_a_bad_answer_says_nothing_at_all_and_is_explained(answer, message):
    @labeling_function
    def wrong(item):
        return answer if item.id == "b" else ["praise"]

    applied = apply(wrong)
    assert applied.L.tolist() == [[-1, 1, -1], NOTHING]
    assert applied.failures == {"wrong": 1}
    assert applied.messages["wrong"].startswith(message)
    assert applied.messages["wrong"].endswith("(item 'b')")


def test_functions_stand_side_by_side_class_by_class():
    @labeling_function
    def thankful(item):
        return {"praise": item.text == "thanks"}

    @batch_labeling_function
    def every(items):
        return [only("billing"), None]

    bill = keywords("bill", ["bill"], "billing")
    applied = apply(bill, thankful, every)
    assert applied.L.dtype == np.int8
    assert applied.L.tolist() == [
        [1, -1, -1, -1, 0, -1, 1, 0, 0],
        [-1, -1, -1, -1, 1, -1, -1, -1, -1],
    ]


@pytest.mark.parametrize("dtype", [np.int8, np.int64, object])
def test_an_array_of_a_batch_is_one_class_an_item(dtype):
    batch = batch_labeling_function(name="f")(lambda items: np.array([2, -1], dtype=dtype)[: len(items)])
    assert apply(batch).L.tolist() == [[-1, -1, 1], NOTHING]


def test_a_matrix_of_a_batch_is_no_answer():
    batch = batch_labeling_function(name="f")(lambda items: np.eye(3, dtype=int)[: len(items)])
    applied = apply(batch)
    assert applied.L.tolist() == [NOTHING, NOTHING]
    assert applied.failures == {"f": 2}


def test_of_a_function_that_raises_only_that_item_is_empty():
    @labeling_function
    def shaky(item):
        return {"bill": ["billing"]}[item.text]

    applied = apply(shaky)
    assert applied.L.tolist() == [[1, -1, -1], NOTHING]
    assert applied.failures == {"shaky": 1}


def test_nothing_to_do():
    assert apply(keywords("bill", ["bill"], 0), items=[]).L.shape == (0, 3)
    assert apply().L.shape == (2, 0)


def test_a_heuristic_for_no_class_is_refused():
    with pytest.raises(LoadError, match="'k' voted 'bill', which is no class"):
        apply(keywords("k", ["x"], "bill"))


@given(st.lists(st.lists(st.sampled_from([-1, 0, 1]), min_size=5, max_size=5), max_size=6), st.booleans())
def test_what_is_said_as_a_mapping_is_read_back(rows, by_index):
    names = ("a", "b", "c", "d", "e")
    answers = [
        {place if by_index else names[place]: bool(said) for place, said in enumerate(row) if said >= 0}
        for row in rows
    ]
    read, bad = SetBallot(names).read(answers)
    assert bad == {}
    assert read.tolist() == rows


@given(st.lists(st.sets(st.integers(0, 4)), max_size=6))
def test_sets_say_what_applies_and_only_says_the_rest_too(rows):
    ballot = SetBallot(tuple("abcde"))
    read, _ = ballot.read(rows)
    closed, _ = ballot.read([only(*row) for row in rows])
    wanted = np.array([[place in row for place in range(5)] for row in rows]).reshape(-1, 5)
    assert (closed == wanted).all()
    assert (read == np.where(wanted, 1, ABSTAIN)).all()
