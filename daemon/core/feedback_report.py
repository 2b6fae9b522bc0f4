"""Human, AI and hybrid feedback of a preference task in one report."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daemon.core.assembling import assemble_facets
from daemon.core.errors import SetupProblem
from daemon.core.learning_rows import TrainingRows
from daemon.core.policy import Policy
from daemon.core.report_rows import Spending
from daemon.core.runs import Report
from daemon.core.states import AnnotatorKind
from labeling_functions.pairs import TIE
from labeling_functions.task import PREFERENCE
from models.arrays import UNKNOWN
from models.bootstrap import drawn_groups, interval
from models.feedback import AI, HUMAN, HYBRID, KINDS_OF_VOTES, PairData, compare_feedback
from models.pair_features import kinds_of
from models.training import TrainingData
from models.votes import LLM, kind

FEWEST_CLEAR = 30
"""Pairs of which experts said A or B: with fewer every interval would span everything."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its 95 % interval over prompts drawn anew."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FeedbackFigures:
    """One kind of feedback.

    Attributes:
        accuracy: share of held-out pairs whose reward prefers what experts preferred, ties left out.
        log_loss: of its preference, given that there is one, on the same pairs, in nats.
        taught: pairs that a reward model learned from, mean over folds.
        people, models: answers of people and of language models that this feedback has.
        micros: what these answers cost, millionths of the currency.
    """

    accuracy: Estimate
    log_loss: Estimate
    taught: float
    people: int
    models: int
    micros: int


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """All kinds of feedback on the same held-out pairs.

    Attributes:
        kinds: name -> figures.
        pairs: that experts judged A or B; drawn: those of them that chance picked; ties: left out.
        splits: random partitions of the prompts that every pair's figure is a mean over.
    """

    kinds: dict[str, FeedbackFigures]
    pairs: int
    drawn: int
    ties: int
    splits: int


def report(rows: TrainingRows, policy: Policy, spent: Sequence[Spending], splits: int) -> FeedbackReport:
    """Train and judge a reward model from each kind of feedback.

    Raises:
        SetupProblem: the task is of another kind, or there are too few answers, none of language models, or
            pairs without a vector.
    """
    if policy.kind != PREFERENCE:
        raise SetupProblem(
            f"learn --compare-feedback compares rewards of pairs; this task is of kind {policy.kind}, "
            "not preference"
        )
    (data,) = assemble_facets(rows, policy, None)
    pairs = _pairs(data, policy)
    clear = (data.expert != UNKNOWN) & (data.expert != TIE)
    found = compare_feedback(pairs, splits)
    drawn = drawn_groups(data.groups)
    heard = {name: _heard(name, rows, policy, spent) for name in found}
    return FeedbackReport(
        kinds={
            name: FeedbackFigures(
                accuracy=Estimate(*interval(figures.right, drawn)),
                log_loss=Estimate(*interval(figures.log_loss, drawn)),
                taught=figures.taught,
                people=heard[name][0],
                models=heard[name][1],
                micros=heard[name][2],
            )
            for name, figures in found.items()
        },
        pairs=int(clear.sum()),
        drawn=int((clear & data.audited).sum()),
        ties=int((data.expert == TIE).sum()),
        splits=splits,
    )


def logged(found: FeedbackReport) -> Report:
    """The report as MLflow keeps it."""
    metrics = {f"pairs/{name}": float(getattr(found, name)) for name in ("pairs", "drawn", "ties")}
    for name, one in found.kinds.items():
        metrics |= {
            f"accuracy/{name}": one.accuracy.mean,
            f"log_loss/{name}": one.log_loss.mean,
            f"cost_micros/{name}": float(one.micros),
        }
    table = [
        {
            "feedback": name,
            **{
                f"{figure}_{part}": getattr(getattr(one, figure), part)
                for figure in ("accuracy", "log_loss")
                for part in ("mean", "low", "high")
            },
            "taught": one.taught,
            "people": one.people,
            "models": one.models,
            "micros": one.micros,
        }
        for name, one in found.kinds.items()
    ]
    return Report("compare feedback", {"splits": found.splits}, metrics, {"feedback": table})


def _pairs(data: TrainingData, policy: Policy) -> PairData:
    """The arrays to compare on. Raises SetupProblem if something is missing."""
    clear = int(((data.expert != UNKNOWN) & (data.expert != TIE)).sum())
    if clear < FEWEST_CLEAR:
        raise SetupProblem(
            f"learn --compare-feedback: experts said A or B about {clear} pairs; it takes {FEWEST_CLEAR} to "
            "judge a reward model: have more pairs answered on the review page"
        )
    if not any(kind(key) == LLM for key in data.votes.annotators):
        raise SetupProblem(
            "learn --compare-feedback: no language model has judged a pair; give a tier `backend: llm` "
            f"and run `labelloop annotate TIER` (see {', '.join(KINDS_OF_VOTES)} in docs/preferences.md)"
        )
    if data.vectors is None or not data.encoded.all():
        raise SetupProblem(
            "learn --compare-feedback: some pairs have no vector; set `encoder` before pairs are read"
        )
    final = [policy.tiers[name].accuracy for name in policy.final_tiers]
    return PairData(
        differences=data.vectors,
        kinds=kinds_of(data.vectors.shape[1]),
        votes=data.votes,
        answers=data.expert,
        groups=data.groups,
        accuracy=float(np.mean(final)),
    )


def _heard(name: str, rows: TrainingRows, policy: Policy, spent: Sequence[Spending]) -> tuple[int, int, int]:
    """Answers of people and of language models that a kind of feedback has, and what their tiers cost."""
    kinds = [answer.kind for _, answer in rows.answers if answer.tier in policy.tiers]
    people = 0 if name == AI else kinds.count(AnnotatorKind.PERSON)
    models = 0 if name == HUMAN else kinds.count(AnnotatorKind.LLM)
    tiers = {tier for tier, about in policy.tiers.items() if name == HYBRID or about.is_llm == (name == AI)}
    return people, models, sum(one.spent for one in spent if one.tier in tiers)
