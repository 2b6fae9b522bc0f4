"""How good ways of asking are beside each other, by what they say about answered items; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from daemon.core.call_plan import Judged
from daemon.core.judge_rows import BothOrders, judge_record
from labeling_functions.label_space import LabelSpace
from labeling_functions.task import ABSTAIN
from models.agreement import cohen_kappa
from models.arrays import F8, I8, Mask
from models.evaluation import calibration_error, log_loss, reliability_bins


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What one way of asking said about n items, each of F facets with K options.

    Attributes:
        space: what labels there are.
        truth: (n,) labels as people answered.
        rounds: (r, n) its labels, ABSTAIN (-1) where it said none; the first round is judged.
        posterior: (n, F * K) its own probabilities in the first round; NaN where it gave none.
        money, seconds: of the first round, in currency; as if nothing had been kept from earlier calls.
    """

    space: LabelSpace
    truth: I8
    rounds: I8
    posterior: F8
    money: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The figures of one way of asking. NaN where there was nothing to measure.

    Attributes:
        items: asked about. answered: share of them with an answer.
        judged: answers, and how many agree with people, of sets in all classes. kappa: Cohen's, of the
            answers.
        classes_right: of a multilabel task, the mean share of an answer's classes in which it agrees.
        itself: share of equal labels (an abstention is one) over all pairs of rounds.
        calibration_error, log_loss: of its own confidence; the log-loss of certainty is capped. Of a
            multilabel task the first is class by class, the second summed over an item's classes.
        money, seconds: an item.
        order_flips: share of pairs on which a judge preferred another response in the other order.
        position_bias: its leaning to what it reads first, in log-odds.
    """

    items: int
    answered: float
    judged: Judged
    kappa: float
    itself: float
    calibration_error: float
    log_loss: float
    money: float
    seconds: float
    order_flips: float = float("nan")
    position_bias: float = float("nan")
    classes_right: float = float("nan")

    @property
    def agreement(self) -> float:
        """Share of the answers that agree with people."""
        return self.judged.share


def compare(said: Said, orders: Sequence[BothOrders] = ()) -> Compared:
    """The figures of one way of asking; at least one item. `orders`: of a judge, what it said in both."""
    labels, count, space = said.rounds[0], len(said.truth), said.space
    spoke = labels != ABSTAIN
    right = labels == said.truth
    sure: Mask = spoke & ~np.isnan(said.posterior).any(axis=1)
    posterior = said.posterior[sure].reshape(-1, len(space.options))
    told, truth = (space.spread(one[sure]).reshape(-1).astype(np.int64) for one in (labels, said.truth))
    own = posterior[np.arange(len(posterior)), told]
    return Compared(
        items=count,
        answered=float(spoke.mean()),
        judged=Judged(int(spoke.sum()), int(right[spoke].sum())),
        kappa=cohen_kappa(said.truth[spoke], labels[spoke]),
        itself=float(np.mean([*_same(said.rounds)])) if len(said.rounds) > 1 else float("nan"),
        calibration_error=calibration_error(reliability_bins(own, told == truth)),
        log_loss=float(log_loss(posterior, truth).sum() / sure.sum()) if len(truth) else float("nan"),
        money=said.money / count,
        seconds=said.seconds / count,
        classes_right=_classes_right(said, spoke),
        **_of_orders(orders),
    )


def _classes_right(said: Said, spoke: Mask) -> float:
    if not said.space.sets or not spoke.any():
        return float("nan")
    same = said.space.spread(said.rounds[0][spoke]) == said.space.spread(said.truth[spoke])
    return float(same.mean())


def _of_orders(orders: Sequence[BothOrders]) -> dict[str, float]:
    if not orders:
        return {}
    record = judge_record("", "", orders)
    return {"order_flips": record.flip_share, "position_bias": record.bias}


def _same(rounds: I8) -> Iterator[float]:
    for one, other in combinations(rounds, 2):
        yield float((one == other).mean())
