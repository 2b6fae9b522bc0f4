"""Majority vote in which everybody counts by an accuracy fixed beforehand."""

from typing import Self

import numpy as np

from models.arrays import F8, I8, Mask
from models.label_model.priors import Priors
from models.label_model.protocol import TableModel, check_gold
from models.votes import Votes


class MajorityVote(TableModel):
    """Each vote adds the log-odds of its annotator's accuracy to the class it names.

    Functions count as right three times out of four, tiers by their stated accuracy; abstentions say
    nothing. Nothing is learned, so it is the model of choice before there is gold.
    """

    name = "majority"

    def __init__(self, priors: Priors | None = None, seed: int = 0) -> None:  # noqa: ARG002 every model takes both
        self._priors = priors or Priors()

    def fit(
        self,
        votes: Votes,
        n_classes: int,
        gold: I8,
        weight: F8 | None = None,  # noqa: ARG002 nothing is counted
        picked: Mask | None = None,  # noqa: ARG002 nor learned
    ) -> Self:
        """Set up the tables of these annotators; gold is checked and not used."""
        check_gold(votes, n_classes, gold)
        self._prior = np.full(n_classes, -np.log(n_classes))
        self._tables = {
            key: self._priors.vote_odds(key, size, n_classes)
            for key, size in zip(votes.annotators, votes.n_symbols, strict=True)
        }
        return self
