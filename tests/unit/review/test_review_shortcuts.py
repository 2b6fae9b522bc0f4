"""Which key does what: the settings over the defaults."""

import pytest

from daemon.review.settings import ReviewSettings
from daemon.review.shortcuts import DEFAULT_KEYS, merged


def test_chosen_keys_stand_over_the_usual_ones_in_either_case() -> None:
    keys = merged({"answer_1": "J", "skip": "-"})
    assert (keys["answer_1"], keys["skip"], keys["undo"]) == ("j", "-", "u")
    assert merged({}) == dict(DEFAULT_KEYS)


def test_two_keys_can_change_places() -> None:
    keys = merged({"skip": "u", "undo": "s"})
    assert (keys["skip"], keys["undo"]) == ("u", "s")


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"jump": "j"}, "'jump' is no action; there are answer_1"),
        ({"skip": "u"}, "'u' is the key of both skip and undo"),
        ({"answer_1": "S"}, "'s' is the key of both"),
        ({"skip": "Enter"}, "a key is one character"),
        ({"skip": " "}, "a key is one character"),
        ({"skip": ""}, "a key is one character"),
    ],
)
def test_keys_that_cannot_work_are_refused(chosen: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ReviewSettings(keys=chosen)
