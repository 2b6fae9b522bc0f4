r"""The pool: several label models, each tempered and weighed by the known labels that it had not seen.

$$P(y_i \mid votes_i) = \sum_m w_m softmax(T_m z_m(votes_i)), \quad
  w_m \propto \rho_m \prod_{i \in gold} (0.98 softmax(T_m z_m^{-f(i)})_{y_i} + 0.02 / K)$$

No single model of votes wins everywhere, and models of how votes arise are badly overconfident. Before any
known label the kinds of model are believed alike, and within a kind its settings (rho): one that comes in
many settings must not outvote the others by their number. The weights
are a pseudo Bayesian model average by cross-validation: Y. Yao, A. Vehtari, D. Simpson, A. Gelman: Using
stacking to average Bayesian predictive distributions. Bayesian Analysis 13 (2018), section 2.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np

from models.arrays import F8, I8, UNKNOWN, Mask
from models.label_model.copies import Copies, find_copies, only
from models.label_model.counts import merge, sample
from models.label_model.dawid_skene import DawidSkene
from models.label_model.hbcc import HBCC
from models.label_model.hbcc_beliefs import HBCCSettings
from models.label_model.held_out import Candidate, cross_fit
from models.label_model.majority import MajorityVote
from models.label_model.mixture import Mixture
from models.label_model.priors import Priors
from models.label_model.protocol import HeldOut, Member, check_gold, drawn_labels
from models.label_model.snorkel_model import FEWEST_FUNCTIONS, SnorkelLabelModel, speaking_functions
from models.label_model.weighted_vote import WeightedVote, WeightedVoteSettings
from models.votes import FUNCTION, LLM, TIER, Votes, kind

FOLDS = 5

LAMS = (1.0, 0.1, 0.01)
ABSTAIN_WEIGHTS = (0.3, 1.0)
SIGMAS = (0.2, 0.6, 2.0)


class Pool:
    """Joins label models. With fewer than ten known labels it is one model of no pretensions.

    Until then people are combined by HBCC and functions by the accuracy-weighted majority vote, at half the
    log-odds. Functions that are near copies of each other share one voice whatever the gold.
    """

    name = "pool"

    _members: tuple[Member, ...]

    def __init__(self, priors: Priors | None = None, seed: int = 0) -> None:
        self._priors = priors or Priors()
        self._seed = seed

    def fit(
        self, votes: Votes, n_classes: int, gold: I8, weight: F8 | None = None, picked: Mask | None = None
    ) -> Self:
        """Fit all members; known labels that were not picked judge them in five folds, in which the classes
        are spread evenly.
        """
        gold = check_gold(votes, n_classes, gold)
        folds, judged = _even_folds(gold, self._seed), drawn_labels(gold, picked)
        self._members = self._cross_fit(votes, n_classes, gold, judged, folds, weight, twins=False).members
        return self

    def predict_proba(self, votes: Votes) -> F8:
        """(n, K) probabilities by votes alone. Raises ValueError for annotators never seen in fit."""
        return Mixture(self.members()).posterior(votes)

    def members(self) -> tuple[Member, ...]:
        """What is left of the candidates, weights summing to 1."""
        if not hasattr(self, "_members"):
            raise ValueError("label model: fit it first")
        return self._members

    def fit_held_out(self, votes: Votes, n_classes: int, gold: I8, judged: Mask, folds: I8) -> HeldOut:
        """As `fit`, with twins that know nothing of a fold's known labels; see `held_out`."""
        gold = check_gold(votes, n_classes, gold)
        fitted = self._cross_fit(votes, n_classes, gold, judged, folds, None, twins=True)
        self._members = fitted.members
        return fitted

    def _cross_fit(
        self, votes: Votes, n_classes: int, gold: I8, judged: Mask, folds: I8, weight: F8 | None, twins: bool
    ) -> HeldOut:
        copies = find_copies(votes, n_classes, self._seed)
        rows, counted = sample(gold, weight, self._seed)
        voices = only(votes.take(rows), copies.speaking)
        known = gold[rows] != UNKNOWN
        patterns = merge(voices, np.where(known, np.arange(len(rows)), UNKNOWN), counted)
        items = rows[patterns.first]
        fitted = cross_fit(
            self._candidates(voices, n_classes),
            patterns.votes,
            n_classes,
            gold[items],
            judged[items] & (gold[items] != UNKNOWN),
            folds[items],
            patterns.weight,
            twins,
        )
        twin_members = tuple(_spread(members, copies) for members in fitted.held)
        return HeldOut(_spread(fitted.members, copies), twin_members)

    def _candidates(self, votes: Votes, n_classes: int) -> list[Candidate]:
        """Everybody who can hold these votes; the settings of one kind of model share its belief."""
        kinds = [kind(key) for key in votes.annotators]
        functions, people = FUNCTION in kinds, TIER in kinds or LLM in kinds
        found = [*self._hbccs(functions, people)]
        found += [
            Candidate(
                f"weighted_vote(sigma={sigma})",
                WeightedVote(self._priors, self._seed, WeightedVoteSettings(sigma=sigma)),
                share=1 / len(SIGMAS),
                untrained_share=0.0,
            )
            for sigma in SIGMAS
        ]
        if functions:
            found.append(Candidate("dawid_skene", DawidSkene(self._priors, self._seed), untrained_share=0.0))
        majority = MajorityVote(self._priors, self._seed)
        found.append(Candidate("majority", majority, untrained_share=0.0 if people else 1.0))
        if len(speaking_functions(votes, n_classes)) >= FEWEST_FUNCTIONS:
            snorkel = SnorkelLabelModel(self._priors, self._seed)
            found.append(Candidate("snorkel", snorkel, untrained_share=0.0))
        return found

    def _hbccs(self, functions: bool, people: bool) -> list[Candidate]:
        """What unlabeled items count is the setting that matters most; only known labels can choose it.

        People who err in no particular way are another kind of model.
        """
        if functions:
            settings = {
                f"hbcc(lam={lam}, abstain={silence})": HBCCSettings(lam=lam, abstain_weight=silence)
                for lam in LAMS
                for silence in ABSTAIN_WEIGHTS
            }
        else:
            settings = {f"hbcc(people_lam={lam})": HBCCSettings(people_lam=lam) for lam in LAMS}
        untrained = "hbcc(lam=0.01, abstain=0.3)" if functions else "hbcc(people_lam=1.0)"
        one_coin = HBCC(self._priors, self._seed, HBCCSettings(one_coin=True))
        alone = [] if functions else [Candidate("hbcc(one_coin)", one_coin, untrained_share=0.0)]
        return alone + [
            Candidate(
                name,
                HBCC(self._priors, self._seed, chosen),
                share=1 / len(settings),
                untrained_share=1.0 if people and name == untrained else 0.0,
            )
            for name, chosen in settings.items()
        ]


def _even_folds(gold: I8, seed: int) -> I8:
    """(n,) fold of each item; known labels are dealt out class by class."""
    known = np.random.Generator(np.random.PCG64(seed)).permutation(np.flatnonzero(gold != UNKNOWN))
    known = known[np.argsort(gold[known], kind="stable")]
    folds = np.zeros(len(gold), np.int64)
    folds[known] = np.arange(len(known)) % FOLDS
    return folds


def _spread(members: Sequence[Member], copies: Copies) -> tuple[Member, ...]:
    return tuple(replace(member, tables=copies.spread(member.tables)) for member in members)
