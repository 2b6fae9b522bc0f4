"""Confidence from tokens and from votes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling_functions import ABSTAIN
from labeling_functions.llm.chat_model import ChatReply, Token
from labeling_functions.llm.confidence import (
    label_probabilities,
    most_voted,
    reply_probabilities,
    vote_shares,
)

SPAM = ("ham", "spam")


def token(text: str, **others: float) -> Token:
    """A token with the probabilities of all alternatives; `_` stands for a blank in front."""
    logs = {name.replace("_", " "): math.log(share) for name, share in others.items()}
    return Token(text, logs[text], logs)


def test_every_spelling_of_a_label_counts() -> None:
    first = token(" spam", _spam=0.3, spam=0.1, Sp=0.1, SPAM=0.1, _ham=0.15, h=0.05, The=0.2)
    probabilities = label_probabilities([first], SPAM, 1)
    assert probabilities == pytest.approx([0.2 / 0.8, 0.6 / 0.8])


def test_a_beginning_of_several_labels_is_followed() -> None:
    labels = ("possible", "positive", "negative")
    tokens = [token("pos", pos=0.8, neg=0.2), token("itive", itive=0.7, sible=0.3)]
    assert label_probabilities(tokens, labels, 0) == pytest.approx([0.24, 0.56, 0.2])


def test_a_beginning_that_was_not_gone_is_shared() -> None:
    tokens = [token("neg", pos=0.6, neg=0.4)]
    assert label_probabilities(tokens, ("possible", "positive", "negative"), 0) == pytest.approx(
        [0.3, 0.3, 0.4]
    )


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([token("ham", ham=0.9, ster=0.1)], [1.0, 0.0]),
        ([token("ham", ham=1.0), token("ster", ster=0.6, s=0.1, x=0.3)], [0.0, 1.0]),
        (
            [token("ham", ham=1.0), Token("\n", math.log(0.7), {"\n": math.log(0.7), "ster": math.log(0.3)})],
            [0.7, 0.3],
        ),
    ],
)
def test_a_label_that_begins_another(tokens: list[Token], expected: list[float]) -> None:
    assert label_probabilities(tokens, ("ham", "hamster"), 0) == pytest.approx(expected)


def test_labels_that_differ_in_punctuation() -> None:
    tokens = [
        token("C", C=0.9, D=0.1),
        Token("++", math.log(0.6), {"++": math.log(0.6), "\n": math.log(0.4)}),
    ]
    end = Token("\n", 0.0, {"\n": 0.0})
    assert label_probabilities([*tokens, end], ("C", "C++", "D"), 0) == pytest.approx([0.36, 0.54, 0.1])


def test_the_label_is_found_inside_json() -> None:
    texts = ['{"', "label", '":', ' "', "sp", "am", '"}']
    shares = {"sp": 0.75, "ham": 0.25}
    logs = {name: math.log(share) for name, share in shares.items()}
    tokens = [Token(text, logs.get(text, 0.0), logs if text == "sp" else {text: 0.0}) for text in texts]
    start = "".join(texts).index("spam")
    assert label_probabilities(tokens, SPAM, start) == pytest.approx([0.25, 0.75])


def test_nothing_is_known_without_tokens_or_labels_among_them() -> None:
    assert label_probabilities([], SPAM, 0) is None
    assert label_probabilities([token("The", The=0.9, A=0.1)], SPAM, 0) is None


def test_the_tokens_of_a_reply_may_hold_blanks_that_its_text_does_not() -> None:
    tokens = (token(" spam", _spam=0.8, _ham=0.2), Token("<|im_end|>", 0.0, {}))
    for text in ("spam", " spam"):
        reply = ChatReply((text,), (tokens,), 0, 0, 0.0)
        assert reply_probabilities(reply, text.index("spam"), SPAM) == pytest.approx([0.2, 0.8])
    assert reply_probabilities(ChatReply(("ham",), (tokens,), 0, 0, 0.0), 0, SPAM) is None
    assert reply_probabilities(ChatReply(("spam",), (), 0, 0, 0.0), 0, SPAM) is None
    assert reply_probabilities(ChatReply(("spam",), (tokens,), 0, 0, 0.0), None, SPAM) is None


@given(
    shares=st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
    cuts=st.lists(st.integers(1, 4), min_size=3, max_size=3),
    said=st.integers(0, 2),
)
def test_labels_with_beginnings_of_their_own_get_what_a_model_gives_them(
    shares: list[float], cuts: list[int], said: int
) -> None:
    labels = ("alpha", "beta", "gamma")
    given_to = np.array(shares) / sum(shares)
    firsts = [label[:cut] for label, cut in zip(labels, cuts, strict=True)]
    logs = {first: math.log(share) for first, share in zip(firsts, given_to, strict=True)}
    tokens = [Token(firsts[said], logs[firsts[said]], logs), Token(labels[said][cuts[said] :], 0.0, {})]
    assert label_probabilities(tokens, labels, 0) == pytest.approx(given_to)


def test_samples_vote() -> None:
    shares = vote_shares([1, 1, 0, ABSTAIN, 1], 3)
    assert shares == pytest.approx([0.2, 0.6, 0.0])
    assert most_voted(shares) == 1


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 1, 0, 2], [ABSTAIN, ABSTAIN]])
def test_an_even_vote_is_none(labels: list[int]) -> None:
    assert most_voted(vote_shares(labels, 3)) == ABSTAIN


def test_no_samples_are_no_vote() -> None:
    with pytest.raises(ValueError, match="no samples"):
        vote_shares([], 2)
