"""How people err, as the models see it: each one's confusion matrix."""

from collections.abc import Sequence

import numpy as np

from models.arrays import F8, I8, UNKNOWN, one_hot, softmax
from models.label_model.mixture import Mixture
from models.label_model.protocol import Member
from models.votes import TIER, Votes, kind

FEWEST_ITEMS = 0.5
"""Of a class, expected, below which nothing is said of how somebody answers on it."""


def confusions(members: Sequence[Member], votes: Votes, known: I8) -> dict[str, F8]:
    """How often each person is expected to have said each class on items of each class.

    The shares within a class are what the members learned of the person, by their weights: the same tables
    that weigh his votes. How many of his items are of which class is known, or follows from all votes.

    Args:
        members: fitted on the votes; with a table of everybody.
        votes: on n items.
        known: (n,) label by a final tier or -1.

    Returns:
        annotator key of people who answered -> (K, K) expected answers, said by true class.
    """
    n_classes = len(members[0].prior)
    tiers = np.array([kind(key) == TIER for key in votes.annotators], np.bool_)
    own = tiers[votes.annotator]
    rows, place = np.unique(votes.row[own], return_inverse=True)
    truth = one_hot(known[rows], n_classes)
    open_ = np.flatnonzero(known[rows] == UNKNOWN)
    truth[open_] = Mixture(members).posterior(votes.take(rows[open_]))
    items = np.zeros((len(votes.annotators), n_classes))
    np.add.at(items, votes.annotator[own], truth[place.ravel()])
    return {
        key: _likelihood(members, key) * items[number]
        for number, key in enumerate(votes.annotators)
        if items[number].any()
    }


def _likelihood(members: Sequence[Member], key: str) -> F8:
    """(K, K) P(said | class), columns sum to 1."""
    return np.asarray(sum(member.weight * softmax(member.tables[key].T).T for member in members))


def right_by_class(expected: F8) -> F8:
    """(K, 3) share of the answers on items of each class that name it, and its 95 % interval (Jeffreys).

    NaN for a class of which less than half an item is expected.

    Args:
        expected: (K, K) answers, said by true class, as `confusions` gives them.
    """
    from scipy.special import betaincinv

    right, all_ = np.diag(expected), expected.sum(axis=0)
    ends = betaincinv(right + 0.5, all_ - right + 0.5, np.array([[0.025], [0.975]]))
    found = np.stack([right / np.maximum(all_, FEWEST_ITEMS), *ends], axis=1)
    return np.where((all_ >= FEWEST_ITEMS)[:, None], found, np.nan)
