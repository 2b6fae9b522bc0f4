"""One policy's purchases, played through: what was bought, what it told, and what it cost."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.routing_worlds import CROWD_VOTES, EXPERT_ACCURACY, Answers, World, people
from models.arrays import F8, I8, UNKNOWN, Mask
from models.label_model.mixture import Mixture
from models.label_model.priors import Priors
from models.label_model.protocol import Member
from models.label_model.registry import LABEL_MODELS
from models.label_model.untested import as_untested
from models.value import Asker, of_accuracy, symbol_likelihood
from models.votes import Votes, family

LLM, CROWD, EXPERT = 0, 1, 2
NAMES = ("llm", "crowd", "expert")
KEYS = ("llm:llm/plain", "tier:crowd")
"""Whose votes a label model learns of; an expert's answer is the label."""

PRICES = np.array([0.003, 0.06, 0.60])
"""USD a vote."""

MOST = np.array([1, CROWD_VOTES, 1])

LLM_STATED = 0.85


class Play:
    """Items of a world, and what one policy has bought about them so far.

    Attributes:
        answered: (n, 3) votes of each tier. spent: USD. posterior: (n, K) after all answers.
        judged: (n,) items whose expert's answer was there before, for nothing; they do not count.
    """

    def __init__(self, world: World, answers: Answers, label_model: str, seed: int, gold: int = 0) -> None:
        self._world, self._answers = world, answers
        self._priors = Priors({"llm": LLM_STATED, "crowd": world.stated, "expert": EXPERT_ACCURACY})
        self._label_model, self._seed = label_model, seed
        self.answered = np.zeros((len(world.truth), len(NAMES)), np.int64)
        self.judged = np.random.default_rng(seed).permutation(len(world.truth)) < gold
        self.answered[self.judged, EXPERT] = 1
        self.spent = 0.0
        self.refit()

    def __len__(self) -> int:
        return len(self.answered)

    def buy(self, rows: I8, tier: int, votes: int = 1) -> None:
        """Ask the tier about each of these items."""
        self.answered[rows, tier] += votes
        self.spent += float(PRICES[tier]) * votes * len(rows)
        self.look()

    def can_ask(self, tier: int, votes: int = 1) -> Mask:
        """(n,) items about which the tier may be asked so often; nobody is after an expert."""
        return np.asarray((self.left(tier) >= votes) & (self.answered[:, EXPERT] == 0))

    def left(self, tier: int) -> I8:
        """(n,) votes of the tier that are still to be had."""
        there = (self._answers[NAMES[tier]] != UNKNOWN).sum(axis=1)
        return np.asarray(there - self.answered[:, tier])

    def refit(self) -> None:
        """Fit the label model on everything bought, as training does: experts' answers are its gold, but only
        those about items drawn at random weigh and temper its members.
        """
        votes = self._votes()
        gold = np.where(self.answered[:, EXPERT] > 0, self._answers["expert"][:, 0], UNKNOWN)
        model = LABEL_MODELS[self._label_model](self._priors, self._seed)
        self.know(model.fit(votes, self._world.n_classes, gold, picked=~self.judged).members())

    def know(self, members: Sequence[Member]) -> None:
        """Judge everybody's answers by these members from now on."""
        self.members = members
        self._mixture = Mixture(members, self._table)
        self.look()

    def look(self) -> None:
        """Posterior by the tables at hand; an expert's answer is the label."""
        self.posterior = self._mixture.posterior(self._votes())
        told = np.flatnonzero(self.answered[:, EXPERT])
        sure = of_accuracy(EXPERT_ACCURACY, self._world.n_classes)
        self.posterior[told] = sure[self._answers["expert"][told, 0]]

    def askers(self) -> list[Asker]:
        """The tiers as the label model sees them now."""
        likelihoods = [symbol_likelihood(self.members, key, self._table) for key in KEYS]
        likelihoods.append(of_accuracy(EXPERT_ACCURACY, self._world.n_classes))
        return [
            Asker(name, float(PRICES[t]), likelihoods[t], int(MOST[t]), t == EXPERT, t == LLM)
            for t, name in enumerate(NAMES)
        ]

    def accuracy(self) -> float:
        """Share of items whose label is right now."""
        return float((self.posterior.argmax(axis=1) == self._world.truth)[~self.judged].mean())

    def _votes(self) -> Votes:
        start, k = self._world.start, self._world.n_classes
        asked = [np.nonzero(np.arange(MOST[t]) < self.answered[:, t, None]) for t in (LLM, CROWD)]
        llm, crowd = (self._answers[NAMES[t]][part] for t, part in zip((LLM, CROWD), asked, strict=True))
        model = Votes(len(self), KEYS[:1], (k,), asked[0][0], np.zeros(len(llm), np.int64), llm)
        who = self._answers["crowd_who"][asked[1]]
        said = Votes.concat_annotators(model, people(asked[1][0], crowd, who, len(self), k))
        return Votes.concat_annotators(start, said)

    def _table(self, member: Member, key: str) -> F8:
        k = self._world.n_classes
        for known in (key, family(key)):
            if known in member.tables:
                return member.tables[known]
        return as_untested(member, key, self._priors.vote_odds(key, k, k))


Policy = Callable[[Play, float], None]
"""Buys for a play until its spending reaches the sum given, and no more."""


def begin(world: World, label_model: str, seed: int, gold: int = 0) -> Play:
    """Nothing bought yet; the items come in an order of chance, the same for every policy."""
    world = world.shuffled(seed)
    return Play(world, world.answers(seed), label_model, seed, gold)


def curve(
    world: World, policy: Policy, budgets: Sequence[float], label_model: str, seed: int, gold: int = 0
) -> tuple[F8, F8]:
    """`played` from the beginning."""
    return played(begin(world, label_model, seed, gold), policy, budgets)


def played(play: Play, policy: Policy, budgets: Sequence[float]) -> tuple[F8, F8]:
    """Accuracy and USD an item, (b,) each, of one run whose money comes in steps, refitted after each."""
    reached = []
    for budget in budgets:
        policy(play, budget * len(play))
        play.refit()
        reached.append((play.accuracy(), play.spent / len(play)))
    accuracy, cost = np.array(reached).T
    return accuracy, cost
