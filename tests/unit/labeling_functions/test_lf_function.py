"""The ways to write a labeling function."""

import enum
import subprocess
import sys

import numpy as np
import pytest

from labeling_functions import ABSTAIN, Item, batch_labeling_function, labeling_function
from labeling_functions.applier import Applier
from labeling_functions.function import Function, as_function
from labeling_functions.label_space import LabelSpace

ITEM = Item("sms-1", {"text": "Free entry"})


def votes(function: Function, *texts: str) -> list[int]:
    items = [Item(str(row), {"text": text}) for row, text in enumerate(texts)]
    applied = Applier([function], LabelSpace(("ham", "spam")), 30.0).apply(items)
    assert applied.failures == {}, applied.messages
    return applied.L[:, 0].tolist()


def test_bare_decorator_keeps_the_name_and_can_be_called():
    @labeling_function
    def free(item):
        return "spam" if "Free" in item.text else None

    assert free.name == "free"
    assert free(ITEM) == "spam"
    assert votes(free, "Free", "hi") == [1, ABSTAIN]


def test_decorator_with_name_and_resources():
    @labeling_function(name="listed", resources={"words": {"prize"}})
    def function(item, words):
        return 1 if words & set(item.text.split()) else -1

    assert function.name == "listed"
    assert votes(function, "a prize", "a price") == [1, ABSTAIN]


def test_preprocessors_run_in_order_and_leave_the_item_alone():
    def lower(point):
        point.text = point.text.lower()
        return point

    def words(point):
        point.words = point.text.split()
        return point

    @labeling_function(pre=[lower, words])
    def free(item):
        return "spam" if "free" in item.words else "ham"

    assert free(ITEM) == "spam"
    assert ITEM.text == "Free entry"


def test_a_preprocessor_without_return_is_named():
    def forgot(point):
        point.text = ""

    @labeling_function(pre=[forgot])
    def free(item):
        return None

    with pytest.raises(ValueError, match=r"forgot.*returned None"):
        free(ITEM)


def test_batch_function_sees_the_whole_list():
    @batch_labeling_function
    def longest(items):
        lengths = np.array([len(item.text) for item in items])
        return np.where(lengths == lengths.max(), 1, ABSTAIN)

    assert votes(longest, "a", "abc", "ab") == [ABSTAIN, 1, ABSTAIN]
    assert longest(ITEM) == 1


def test_batch_function_with_name_and_resources():
    @batch_labeling_function(name="starts", resources={"letter": "F"})
    def function(items, letter):
        return ["spam" if item.text.startswith(letter) else "ham" for item in items]

    assert function.name == "starts"
    assert votes(function, "Free", "hi") == [1, 0]


@pytest.mark.parametrize(
    "answer", [1, "spam", np.int64(1), np.uint8(1), enum.IntEnum("Label", {"SPAM": 1}).SPAM]
)
def test_every_way_to_name_a_class(answer):
    @labeling_function
    def always(item):
        return answer

    assert votes(always, "x") == [1]


@pytest.mark.parametrize("answer", [None, ABSTAIN, np.int8(-1)])
def test_every_way_to_abstain(answer):
    @labeling_function
    def never(item):
        return answer

    assert votes(never, "x") == [ABSTAIN]


def test_other_objects_are_no_functions():
    assert as_function(len) is None
    assert as_function("text") is None


def test_writing_and_applying_functions_imports_no_heavy_library():
    code = (
        "import sys; from labeling_functions import applier, loading, analysis;"
        "print({'snorkel', 'pandas', 'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
