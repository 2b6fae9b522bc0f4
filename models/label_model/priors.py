"""What is believed of an annotator before any evidence: confusion tables and how strongly they are held."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from models.arrays import F8
from models.votes import BINNED, CLASSIFIER, FUNCTION, LLM, TIER, Votes, is_person, kind, tier_of

FUNCTION_ACCURACY = 0.75
BIN_ACCURACY = (0.55, 0.70, 0.85, 0.95)
"""How often the classifier is expected to be right in each confidence bin."""

SEEN = 0.5
"""Added to symbol counts, so that a symbol never seen keeps a small probability."""


@dataclass(frozen=True, slots=True)
class Priors:
    """Beliefs about annotators by the family of their key.

    Attributes:
        tier_accuracy: tier name -> how often its answers are right, in (0.5, 1).
        default_tier_accuracy: of tiers that are not named.
    """

    tier_accuracy: Mapping[str, float] = field(default_factory=dict)
    default_tier_accuracy: float = 0.75

    def accuracy(self, key: str) -> float:
        """Expected accuracy of an annotator's votes (of its class votes, for functions)."""
        if kind(key) in (TIER, LLM):
            return self.tier_accuracy.get(tier_of(key), self.default_tier_accuracy)
        return float(np.mean(BIN_ACCURACY)) if kind(key) == CLASSIFIER else FUNCTION_ACCURACY

    def strength(self, key: str) -> float:
        """How many votes on items of one class the prior table is worth (METHODS section 1).

        What is said of a tier as a whole, a language model among them, is firmer than what it tells of one
        of its people (`tier:crowd@w1`).
        """
        return 10.0 if kind(key) == FUNCTION else 8.0 if is_person(key) else 40.0

    def bin_accuracies(self, key: str, n_bins: int) -> F8:
        """(B,) expected accuracy in each confidence bin, rising.

        Of a language model it rises as the classifier's does, around what is stated of its tier.
        """
        accuracies = bin_accuracies(n_bins)
        if kind(key) == CLASSIFIER:
            return accuracies
        odds = np.log(accuracies / (1 - accuracies))
        stated = self.accuracy(key)
        return np.asarray(1 / (1 + np.exp(odds.mean() - odds) * (1 - stated) / stated))

    def vote_odds(self, key: str, n_symbols: int, n_classes: int) -> F8:
        """(S, K) log-odds that each vote adds to the class it names; an abstention adds nothing."""
        table = np.zeros((n_symbols, n_classes))
        per_class = _symbols_per_class(key, n_symbols, n_classes)
        if kind(key) in BINNED:
            accuracies = self.bin_accuracies(key, per_class)
        else:
            accuracies = np.full(per_class, self.accuracy(key))
        for symbol in range(n_classes * per_class):
            table[symbol, symbol // per_class] = log_odds(accuracies[symbol % per_class], n_classes)
        return table

    def stacked_odds(self, votes: Votes, n_classes: int) -> F8:
        """(C, K) `vote_odds` of all annotators, side by side."""
        sizes = zip(votes.annotators, votes.n_symbols, strict=True)
        odds = [self.vote_odds(key, size, n_classes) for key, size in sizes]
        return np.concatenate([np.zeros((0, n_classes)), *odds])

    def confusion(self, key: str, totals: F8, balance: F8) -> F8:
        """Prior P(symbol | class).

        Args:
            key: annotator.
            totals: (S,) how often each symbol was seen; rates of function votes and of bins follow it.
            balance: (K,) share of each class.

        Returns:
            (S, K), columns sum to 1.
        """
        n_symbols, n_classes = len(totals), len(balance)
        if kind(key) == FUNCTION:
            return np.asarray(function_confusions(totals[None], balance[None])[0, :, 0])
        per_class = _symbols_per_class(key, n_symbols, n_classes)
        if kind(key) in BINNED:
            rates = (totals.reshape(n_classes, per_class).sum(axis=0) + 1) / (totals.sum() + per_class)
            blocks = [_symmetric(a, n_classes) for a in self.bin_accuracies(key, per_class)]
            stacked = np.stack([rate * block for rate, block in zip(rates, blocks, strict=True)], axis=1)
            return stacked.reshape(n_symbols, n_classes)
        return _symmetric(self.accuracy(key), n_classes)


def log_odds(accuracy: float, n_classes: int) -> float:
    """Log of P(named class) over P(any other class) for a vote that is right this often."""
    return float(np.log(accuracy * (n_classes - 1) / (1 - accuracy)))


def bin_accuracies(n_bins: int) -> F8:
    """(B,) prior accuracy of each confidence bin, rising."""
    places = np.linspace(0, len(BIN_ACCURACY) - 1, n_bins)
    return np.interp(places, np.arange(len(BIN_ACCURACY)), BIN_ACCURACY)


def _symbols_per_class(key: str, n_symbols: int, n_classes: int) -> int:
    expected = n_symbols - 1 if kind(key) == FUNCTION else n_symbols
    per_class, rest = divmod(expected, n_classes)
    if rest or per_class < 1 or (kind(key) not in BINNED and per_class != 1):
        raise ValueError(f"{key}: {n_symbols} symbols do not fit {n_classes} classes")
    return per_class


def _symmetric(accuracy: float, n_classes: int) -> F8:
    table = np.full((n_classes, n_classes), (1 - accuracy) / (n_classes - 1))
    np.fill_diagonal(table, accuracy)
    return table


def function_confusions(totals: F8, balance: F8) -> F8:
    """P(vote l | y = k) = rate(l) P(k | l) / P(k), P(l | l) = .75; what is left is abstention.

    Args:
        totals: (J, K + 1) how often each function said each symbol.
        balance: (B, K) several beliefs of the classes' shares.

    Returns:
        (J, K + 1, B, K).
    """
    n_classes = balance.shape[1]
    rates = (totals + SEEN) / (totals.sum(axis=1, keepdims=True) + SEEN * totals.shape[1])
    given_vote = _symmetric(FUNCTION_ACCURACY, n_classes)[:, None] / np.maximum(balance, 0.02)
    spoken = rates[:, :n_classes, None, None] * given_vote
    spoken *= np.minimum(1.0, 0.98 / spoken.sum(axis=1, keepdims=True))
    return np.concatenate([spoken, 1 - spoken.sum(axis=1, keepdims=True)], axis=1)
