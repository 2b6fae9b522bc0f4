"""How sure a model was of its answer: by its tokens' probabilities, or by a vote over samples.

Whatever comes out is no probability to be believed: the label model learns what each bin of it is worth.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from labeling_functions.label_space import LabelSpace, set_of
from labeling_functions.llm.chat_model import ChatReply, Token
from labeling_functions.task import ABSTAIN

F8 = NDArray[np.float64]

AROUND = " \t\n\r\"'`*_([{:=▁Ġ"
"""What tokens may carry before a label begins."""


def label_probabilities(tokens: Sequence[Token], labels: Sequence[str], start: int) -> F8 | None:
    """Probability of each label, given that one of them is said where the answer's label stands.

    A label can be cut into tokens in many ways, each with its own first token. At each place from the
    label's first token on, the alternatives that can begin one label only give their probability to it;
    what can begin several is followed where the answer went that way, and shared among them elsewhere.

    Args:
        tokens: of the whole answer; their texts joined are the answer.
        labels: K names.
        start: where the label begins in the answer.

    Returns:
        (K,) summing to 1; None without tokens, or if no alternative begins a label.
    """
    names = [_begun(label) for label in labels]
    mass = np.zeros(len(names))
    said, reached = "", 0.0
    for token in _from(tokens, start):
        mass += _of_alternatives(token, said, reached, names)
        said, reached = said + token.text, reached + token.logprob
        if len(_fitting(said, names)) < 2:
            break
    else:
        mass += _shared(_complete(said, names), math.exp(reached), len(names))
    total = mass.sum()
    return mass / total if total > 0 else None


def reply_probabilities(reply: ChatReply, start: int | None, labels: Sequence[str]) -> F8 | None:
    """`label_probabilities` of a reply's first sample, whose label begins at a place of its text.

    None if the place or the tokens are not known, or the tokens are not those of the text.
    """
    if start is None or not reply.tokens:
        return None
    joined, text = "".join(token.text for token in reply.tokens[0]), reply.texts[0]
    # servers strip the text that they make of the tokens, or hold back a special token after it
    shift = joined.find(text.strip()) - (len(text) - len(text.lstrip()))
    if text.strip() not in joined:
        return None
    return label_probabilities(reply.tokens[0], labels, start + shift)


def vote_shares(labels: Sequence[int], n_classes: int) -> F8:
    """(K,) share of all samples that said each label; samples that did not parse (ABSTAIN) count as none."""
    if not labels:
        raise ValueError("vote shares: no samples")
    said = np.array([label for label in labels if label != ABSTAIN], np.int64)
    return np.bincount(said, minlength=n_classes) / len(labels)


def class_shares(labels: Sequence[int], space: LabelSpace) -> F8:
    """(C,) share of samples that name each class; samples that did not parse must be left out, for they do
    not say that nothing applies."""
    if not labels:
        raise ValueError("class shares: no samples")
    return np.asarray(space.spread(np.array(labels, np.int64)).mean(axis=0), np.float64)


def named_by_most(shares: F8) -> int:
    """The set of the classes that more than half of the samples name."""
    return set_of(np.flatnonzero(shares > 0.5).tolist())


def most_voted(shares: F8) -> int:
    """The label with the largest share; ABSTAIN if two have it, or nobody said anything."""
    best = np.flatnonzero(shares == shares.max())
    return int(best[0]) if len(best) == 1 and shares.max() > 0 else ABSTAIN


def _from(tokens: Sequence[Token], start: int) -> Iterator[Token]:
    """Tokens from the one in which a character stands; what it carries before the label stays."""
    end = 0
    for token in tokens:
        end += len(token.text)
        if end > start:
            yield token


def _of_alternatives(token: Token, said: str, reached: float, names: Sequence[str]) -> F8:
    """(K,) what the alternatives at one place give, other than the way that is followed on."""
    mass = np.zeros(len(names))
    followed = len(_fitting(said + token.text, names)) > 1
    for text, logprob in {**token.others, token.text: token.logprob}.items():
        if not (followed and text == token.text):
            mass += _shared(_fitting(said + text, names), math.exp(reached + logprob), len(names))
    return mass


def _fitting(said: str, names: Sequence[str]) -> list[int]:
    """Labels that an answer which begins so can still give; of those it has given, the longest counts."""
    begun = _begun(said)
    given = max((len(name) for name in names if _ends(begun, name)), default=0)
    return [
        index
        for index, name in enumerate(names)
        if name.startswith(begun) or (len(name) == given and _ends(begun, name))
    ]


def _complete(said: str, names: Sequence[str]) -> list[int]:
    return [index for index, name in enumerate(names) if name == _begun(said)]


def _ends(said: str, name: str) -> bool:
    """Whether a text gives this name and goes on with something else."""
    return said.startswith(name) and not said[len(name) : len(name) + 1].isalnum()


def _shared(places: Sequence[int], probability: float, n_classes: int) -> F8:
    mass = np.zeros(n_classes)
    mass[list(places)] = probability / max(len(places), 1)
    return mass


def _begun(text: str) -> str:
    return text.lstrip(AROUND).casefold()
