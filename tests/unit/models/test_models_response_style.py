"""Length and style features of responses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.response_style import STYLE, style_features

COUNTS = {"words", "sentences", "lines", "list_items"}


def style(response: str, prompt: str = "") -> dict[str, float]:
    return dict(zip(STYLE, style_features([prompt], [response])[0].tolist(), strict=True))


@given(st.text(), st.text())
def test_any_text_has_finite_features_in_their_range(prompt: str, response: str) -> None:
    for name, value in style(response, prompt).items():
        assert np.isfinite(value)
        assert 0 <= value <= (np.inf if name in COUNTS else 1), name


@pytest.mark.parametrize(
    ("name", "response", "value"),
    [
        ("words", "one two three", np.log(4)),
        ("sentences", "One. Two! Three?", np.log(4)),
        ("lines", "one\ntwo", np.log(2)),
        ("distinct_words", "yes Yes yes no", 0.5),
        ("repeated_trigrams", "a b c a b c", 0.25),
        ("digits", "a1b2", 0.5),
        ("list_items", "- one\n2. two", np.log(3)),
        ("ended", "Done.", 1.0),
        ("ended", "cut off in the mid", 0.0),
        ("refusal", "I'm sorry, I cannot do that.", 1.0),
        ("refusal", "A sorry sight.", 0.0),
        ("empty", " \n", 1.0),
    ],
)
def test_each_feature_sees_what_it_is_named_after(name: str, response: str, value: float) -> None:
    assert style(response)[name] == pytest.approx(value)


def test_words_taken_from_the_prompt() -> None:
    assert style("the red fox jumps", "A Red FOX")["from_prompt"] == 0.5


def test_no_responses_give_no_rows() -> None:
    assert style_features([], []).shape == (0, len(STYLE))


def test_a_prompt_for_each_response() -> None:
    with pytest.raises(ValueError, match="argument"):
        style_features(["one"], [])
