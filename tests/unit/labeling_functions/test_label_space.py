"""Labels as numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling_functions.label_space import LabelSpace, joined, set_of, spread
from labeling_functions.task import MULTILABEL, Task

TOPICS = LabelSpace(("billing", "delivery", "praise"), sets=True)
SPAM = LabelSpace(("ham", "spam"))


@given(st.lists(st.integers(0, 2**62 - 1)))
def test_sets_of_62_classes_come_back_from_their_columns(labels):
    column = np.array(labels, np.int64)
    assert joined(spread(column, 62)).tolist() == labels


@given(st.lists(st.integers(0, 126)))
def test_class_indices_come_back_from_their_one_column(labels):
    assert joined(spread(np.array(labels, np.int64), 1)).tolist() == labels


def test_a_set_is_told_by_its_names():
    label = TOPICS.label_of(["praise", "billing"])
    assert label == set_of([0, 2])
    assert TOPICS.said(label) == ["billing", "praise"]
    assert TOPICS.text(label) == "billing, praise"
    assert TOPICS.said(TOPICS.label_of([])) == []
    assert TOPICS.text(0) == "none"


def test_a_class_is_told_by_its_name():
    assert SPAM.label_of("spam") == 1
    assert SPAM.said(1) == SPAM.text(1) == "spam"
    assert SPAM.members(1) == (1,)


@pytest.mark.parametrize(
    ("space", "said"), [(SPAM, ["spam"]), (SPAM, "eggs"), (TOPICS, "praise"), (TOPICS, ["eggs"])]
)
def test_what_is_no_label_is_refused_with_the_classes(space, said):
    with pytest.raises(ValueError, match=", ".join(space.classes)):
        space.label_of(said)


def test_a_label_is_as_likely_as_all_of_it_together():
    posterior = [0.1, 0.9, 0.8, 0.2, 0.5, 0.5]
    assert TOPICS.by_class(posterior) == [0.9, 0.2, 0.5]
    assert TOPICS.likely(TOPICS.label_of(["billing"]), posterior) == pytest.approx(0.9 * 0.8 * 0.5)
    assert SPAM.by_class([0.25, 0.75]) == [0.25, 0.75]
    assert SPAM.likely(1, [0.25, 0.75]) == 0.75


def test_a_vote_has_two_sides():
    assert TOPICS.sides((1, -1, 0)) == (["billing"], ["praise"])


def test_facets_keep_what_is_unknown():
    labels = np.array([-1, 0, 5])
    assert [TOPICS.facet(labels, k).tolist() for k in range(3)] == [[-1, 0, 1], [-1, 0, 0], [-1, 0, 1]]
    assert SPAM.facet(np.array([-1, 1]), 0).tolist() == [-1, 1]


def test_a_multilabel_task_has_at_most_62_classes():
    Task("t", tuple(map(str, range(62))), kind=MULTILABEL)
    with pytest.raises(ValueError, match="at most 62"):
        Task("t", tuple(map(str, range(63))), kind=MULTILABEL)


def test_none_is_no_class_of_a_multilabel_task():
    with pytest.raises(ValueError, match="leave it out"):
        Task("t", ("billing", "none"), kind=MULTILABEL)
    Task("t", ("billing", "none"))
