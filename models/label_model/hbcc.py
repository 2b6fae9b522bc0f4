r"""HBCC: Bayesian combination of annotators whose confusion tables share group priors, semi-supervised.

$$\pi \sim Dir(\beta), \quad \theta_{jk} \sim Dir(s_g M_{jk}), \quad
  q_i(k) \propto \exp(E \log \pi_k + \sum_{(j, s) \in i} w_s E \log \theta_{jks})$$

H.-C. Kim, Z. Ghahramani: Bayesian classifier combination. AISTATS 2012. The variational updates follow
E. Simpson, S. Roberts, I. Psorakis, A. Smith: Dynamic Bayesian combination of multiple imperfect
classifiers. Decision Making and Imperfection, Springer 2013.

Several runs on the same votes that differ in what gold they know (cross-validation) are updated side by side:
one product of matrices serves them all.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask, one_hot
from models.label_model.counts import Patterns, merge
from models.label_model.hbcc_beliefs import Beliefs, HBCCSettings
from models.label_model.priors import Priors
from models.label_model.protocol import Member, TableModel, check_gold
from models.votes import Votes


class HBCC(TableModel):
    """Hierarchical Bayesian classifier combination over functions, classifier bins and people.

    Beside Dawid-Skene it averages over what is not known of an annotator instead of taking the likeliest
    table, and people of one tier (`tier:crowd@w1`, `tier:crowd@w2`, ...) lend each other strength: their
    tables are pulled to a mean learned from all of them.

    Attributes:
        rounds: that the last fit took.
    """

    name = "hbcc"

    rounds: int

    def __init__(
        self,
        priors: Priors | None = None,
        seed: int = 0,  # noqa: ARG002 every model takes both
        settings: HBCCSettings | None = None,
    ) -> None:
        self._priors = priors or Priors()
        self._settings = settings or HBCCSettings()

    def fit(
        self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None, picked: Mask | None = None
    ) -> Self:
        """Start from the accuracy-weighted majority and alternate until nothing moves."""
        (member,) = self.fit_each(votes, n_classes, [gold], weight, picked)
        self._prior, self._tables = member.prior, dict(member.tables)
        return self

    def fit_each(
        self,
        votes: Votes,
        n_classes: int,
        golds: Sequence[I8],
        weight: F8 | None = None,
        picked: Mask | None = None,
    ) -> list[Member]:
        """As `fit` with each of several gold columns, side by side, until no run moves."""
        known = [check_gold(votes, n_classes, gold) for gold in golds]
        asked = np.zeros(votes.n_items, np.int64) if picked is None else picked.astype(np.int64)
        told_apart, marks = np.unique(np.stack([*known, asked]), axis=1, return_inverse=True)
        patterns = merge(votes, marks.astype(np.int64).ravel(), weight)
        *gold_rows, picked_row = told_apart[:, patterns.mark]
        return self._run(patterns, n_classes, np.stack(gold_rows), picked_row > 0)

    def _run(self, patterns: Patterns, n_classes: int, golds: I8, picked: Mask) -> list[Member]:
        """One member a row of golds (B, u)."""
        votes = patterns.votes
        known = np.stack([one_hot(gold, n_classes) for gold in golds], axis=1)
        free = (golds == UNKNOWN).T[:, :, None]
        start = np.asarray(patterns.counts @ self._priors.stacked_odds(votes, n_classes))
        posterior = _clamped_softmax(np.repeat(start[:, None], len(golds), axis=1), known, free)
        beliefs = Beliefs(patterns, n_classes, (golds != UNKNOWN) & ~picked, self._priors, self._settings)
        moving = np.arange(len(golds))
        found: dict[int, Member] = {}
        for self.rounds in range(1, self._settings.max_rounds + 1):  # noqa: B020 the last round is kept
            prior, tables = beliefs.update(posterior)
            scores = np.asarray(patterns.counts @ tables.reshape(len(tables), prior.size))
            updated = _clamped_softmax(scores.reshape(posterior.shape) + prior, known, free)
            moves = np.abs(updated - posterior).max(axis=(0, 2), initial=0) > self._settings.tolerance
            moves &= self.rounds < self._settings.max_rounds
            for run in np.flatnonzero(~moves):
                found[int(moving[run])] = self._member(votes, prior[run], tables[:, run])
            # what a run finds must not depend on how long the others, which know more, keep moving
            moving, posterior = moving[moves], updated[:, moves]
            known, free = known[:, moves], free[:, moves]
            beliefs.keep(moves)
            if not len(moving):
                break
        return [found[run] for run in range(len(golds))]

    def _member(self, votes: Votes, prior: F8, tables: F8) -> Member:
        return Member(self.name, prior, votes.split(np.ascontiguousarray(tables)))


def _clamped_softmax(scores: F8, known: F8, free: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> F8:
    """(u, B, K) probabilities; where the label is known, its one-hot row. Uses up the scores."""
    scores -= scores.max(axis=2, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=2, keepdims=True)
    return np.where(free, scores, known)
