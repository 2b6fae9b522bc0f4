"""Whatever functions do, a matrix comes out, and what went wrong is told."""

import time

import numpy as np
import pytest

from labeling_functions import ABSTAIN, Item, batch_labeling_function, keywords, labeling_function
from labeling_functions.applier import Applied, Applier
from labeling_functions.label_space import LabelSpace

TEXTS = ("ok", "bad", "ok", "bad")
ITEMS = [Item(f"sms-{row}", {"text": text}) for row, text in enumerate(TEXTS)]


def apply(*functions, items=ITEMS, slow_seconds=30.0) -> Applied:
    return Applier(functions, LabelSpace(("ham", "spam")), slow_seconds).apply(items)


@labeling_function
def steady(item):
    return "ham"


def test_a_function_that_raises_abstains_on_that_item_only():
    @labeling_function
    def shaky(item):
        if item.text == "bad":
            raise KeyError("price")
        return "spam"

    applied = apply(shaky, steady)
    assert applied.L.tolist() == [[1, 0], [ABSTAIN, 0], [1, 0], [ABSTAIN, 0]]
    assert applied.failures == {"shaky": 2}
    message = applied.messages["shaky"]
    line = shaky.ask.__code__.co_firstlineno + 3
    assert message == f"KeyError: 'price' ({__file__}, line {line}; item 'sms-1')"


def test_the_place_is_in_the_users_file_however_deep_the_error():
    @labeling_function(resources={"number": "x"})
    def deep(item, number):
        return np.linalg.inv(np.zeros((2, 2)))

    message = apply(deep).messages["deep"]
    assert f"({__file__}, line {deep.version_parts[0].__code__.co_firstlineno + 2};" in message
    assert message.startswith("LinAlgError: Singular matrix")


def test_a_misspelt_field_is_named():
    @labeling_function
    def misspelt(item):
        return item.txet

    applied = apply(misspelt)
    assert applied.failures == {"misspelt": 4}
    assert "item 'sms-0' has no field 'txet'" in applied.messages["misspelt"]


def test_of_a_failing_batch_only_the_guilty_items_abstain():
    @batch_labeling_function
    def together(items):
        return [{"ok": "spam"}[item.text] for item in items]

    applied = apply(together, steady)
    assert applied.L[:, 0].tolist() == [1, ABSTAIN, 1, ABSTAIN]
    assert applied.failures == {"together": 2}
    assert applied.messages["together"].startswith("KeyError: 'bad'")
    assert __file__ in applied.messages["together"]


@pytest.mark.parametrize(
    "answers",
    [lambda items: [1], lambda items: "spam", lambda items: 1, lambda items: None, lambda items: iter([])],
)
def test_a_batch_of_another_length_counts_as_failure(answers):
    @batch_labeling_function
    def odd(items):
        return answers(items) if len(items) > 1 else answers([])[:0]

    applied = apply(odd, steady)
    assert applied.L.tolist() == [[ABSTAIN, 0]] * 4
    assert applied.failures == {"odd": 4}


def test_a_wrong_length_is_described():
    @batch_labeling_function
    def short(items):
        return [1, 1, 1]

    assert "returned [1, 1, 1] for 1 items; one answer an item is wanted" in apply(short).messages["short"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            2,
            "voted 2, which is no class: "
            "return a class index or name (0 = 'ham', 1 = 'spam'), ABSTAIN or None",
        ),
        (-2, "voted -2, which is no class"),
        (np.int64(300), "voted 300, which is no class"),
        ("spm", "voted 'spm', which is no class; did you mean 'spam'?"),
        ("", "voted '', which is no class: return"),
        (True, "voted True (bool), which is no class"),
        (np.True_, "voted np.True_ (bool"),
        (1.0, "voted 1.0 (float), which is no class"),
        (float("nan"), "voted nan (float), which is no class"),
        ([1], "voted [1] (list), which is no class"),
    ],
)
def test_a_vote_for_no_class_abstains_and_is_explained(answer, message):
    @labeling_function
    def wrong(item):
        return answer if item.text == "bad" else "spam"

    applied = apply(wrong)
    assert applied.L[:, 0].tolist() == [1, ABSTAIN, 1, ABSTAIN]
    assert applied.failures == {"wrong": 2}
    assert applied.messages["wrong"].startswith(message.replace("np.True_", repr(np.True_)))
    assert applied.messages["wrong"].endswith("(item 'sms-1')")


@pytest.mark.parametrize(
    "array", [np.array([1, 7, 1, -9]), np.array([1.0, 0.5, 1.0, 0.5]), np.array([[1], [1], [1], [1]])]
)
def test_arrays_are_checked_as_lists_are(array):
    @batch_labeling_function
    def function(items):
        return array[: len(items)]

    as_list = batch_labeling_function(name="function")(lambda items: array.tolist()[: len(items)])
    applied, expected = apply(function), apply(as_list)
    assert applied.L.tolist() == expected.L.tolist()
    assert applied.failures == expected.failures != {}
    assert applied.messages == expected.messages


@pytest.mark.parametrize("container", [dict.fromkeys, set])
def test_containers_without_an_order_are_no_answers(container):
    @batch_labeling_function
    def function(items):
        return container(range(len(items)))

    assert apply(function).failures == {"function": 4}


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, object])
def test_arrays_of_whole_numbers_are_votes(dtype):
    @batch_labeling_function
    def function(items):
        return np.array([0, 1, 1, 0], dtype=dtype)

    applied = apply(function)
    assert applied.L[:, 0].tolist() == [0, 1, 1, 0]
    assert applied.L.dtype == np.int8


def test_many_classes_fit():
    @batch_labeling_function
    def function(items):
        return np.array([126, 0, -1, 125])

    names = tuple(str(k) for k in range(127))
    applied = Applier([function], LabelSpace(names), 30.0).apply(ITEMS)
    assert applied.L[:, 0].tolist() == [126, 0, ABSTAIN, 125]


def test_slow_functions_are_reported_with_their_own_time():
    @labeling_function
    def slow(item):
        until = time.perf_counter() + 0.02
        while time.perf_counter() < until:
            pass

    applied = apply(steady, slow, keywords("quick", ["ok"], "ham"), slow_seconds=0.05)
    assert list(applied.slow) == ["slow"]
    assert applied.slow["slow"] >= 0.08


def test_interrupts_are_not_swallowed():
    @labeling_function
    def interrupted(item):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(interrupted)


def test_nothing_to_do():
    assert apply(steady, items=[]).L.shape == (0, 1)
    assert apply().L.shape == (4, 0)


def test_doubled_names_are_refused():
    with pytest.raises(ValueError, match=r"two labeling functions are named 'steady'"):
        apply(steady, steady)
