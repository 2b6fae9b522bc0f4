"""Soft preference labels of pairs from the votes of people and judges: A, B or a tie."""

import numpy as np

from models.arrays import F8, I8
from models.label_model.pool import Pool
from models.label_model.priors import Priors
from models.votes import Votes

PREFERS_A, PREFERS_B, TIE = 0, 1, 2
"""Classes of a vote on a pair, and their columns in a posterior."""

N_CLASSES = 3


def preference_posterior(votes: Votes, gold: I8, priors: Priors | None = None, seed: int = 0) -> F8:
    """(n, 3) probabilities of A, B and tie from everybody's votes, by the pool.

    Args:
        votes: on n pairs; people and judges are annotators that say A (0), B (1) or tie (2).
        gold: (n,) what is known or -1; it teaches how good annotators are and is no vote itself.
        priors: what is believed of annotators.
        seed: of the pool's folds.
    """
    return Pool(priors, seed).fit(votes, N_CLASSES, gold).predict_proba(votes)


def soft_preferences(posterior: F8) -> F8:
    """(n,) P(A is preferred) in [0, 1] of (n, 3) posteriors: a tie counts half for either."""
    if posterior.ndim != 2 or posterior.shape[1] != N_CLASSES:
        raise ValueError(f"preferences: a posterior of shape {posterior.shape}; (n, {N_CLASSES}) needed")
    return np.clip(posterior[:, PREFERS_A] + posterior[:, TIE] / 2, 0.0, 1.0)


def clear_preferences(posterior: F8) -> F8:
    """(n,) P(A is preferred | no tie) in [0, 1] of (n, 3) posteriors: for pairs that are known to be no tie.

    There P(tie) / 2 would punish a model for knowing how often people see no difference. 0.5 where a tie is
    certain.
    """
    if posterior.ndim != 2 or posterior.shape[1] != N_CLASSES:
        raise ValueError(f"preferences: a posterior of shape {posterior.shape}; (n, {N_CLASSES}) needed")
    either = posterior[:, PREFERS_A] + posterior[:, PREFERS_B]
    share = np.divide(posterior[:, PREFERS_A], either, out=np.full(len(posterior), 0.5), where=either > 0)
    return np.asarray(share)


def with_answers(posterior: F8, answers: I8, accuracy: float) -> F8:
    """(n, 3) posteriors after one more person's answer each, right with a stated probability.

    Args:
        posterior: (n, 3) from everybody else.
        answers: (n,) A, B, tie, or -1 where nobody was asked.
        accuracy: in (1/3, 1); errors fall on both other classes alike.

    Raises:
        ValueError: accuracy out of range.
    """
    if not 1 / N_CLASSES < accuracy < 1:
        raise ValueError(f"preferences: accuracy {accuracy} of a person is outside (1/3, 1)")
    said = answers[:, None] == np.arange(N_CLASSES)
    likelihood = np.where(said, accuracy, (1 - accuracy) / (N_CLASSES - 1))
    joint = np.where((answers >= 0)[:, None], posterior * likelihood, posterior)
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))
