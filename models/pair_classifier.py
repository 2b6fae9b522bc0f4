r"""The classifier of pairs: Bradley-Terry with ties, learned from soft labels, as a linear head.

$$P(A) : P(B) : P(tie) = e^{w^T d / 2} : e^{-w^T d / 2} : \nu, \quad d = \phi(a) - \phi(b)$$

Without an intercept but log nu of the tie, so that the order in which a pair is given says nothing: turning
it around swaps P(A) and P(B). w is the reward: r(x) = w^T phi(x) in log-odds, a tie counting for neither.

R. Davidson: On extending the Bradley-Terry model to accommodate ties in paired comparison experiments.
Journal of the American Statistical Association 65 (1970).
"""

import numpy as np

from models.arrays import F4, F8, I8, softmax
from models.classifier import CHOICE_ITEMS, LinearHead
from models.folds import grouped_folds
from models.reward_model import CHOICE_FOLDS, LEAST_PROBABILITY, STRENGTHS, kind_sizes
from models.soft_preferences import N_CLASSES, PREFERS_A, PREFERS_B, TIE

PRIOR_WEIGHT = 1.5
"""Weight of one pair of equal responses, labeled A, B and tie alike: no class ever gets impossible."""

MAX_STEPS = 500


def fit_pairs(differences: F4 | F8, targets: F8, weights: F8, kinds: I8, strength: float) -> LinearHead:
    """Ridge regression of soft labels on differences, by L-BFGS.

    Args:
        differences: (n, d) features of A minus features of B.
        targets: (n, 3) soft labels of A, B and tie, rows sum to 1.
        weights: (n,) what each pair counts; pairs of weight 0 are left out.
        kinds: (d,) what kind each feature is of. Kinds count alike before anything is learned, whatever
            their numbers of features and their units.
        strength: inverse regularization strength C, above 0; a kind has mean square 1.

    Returns:
        A head of 3 classes that reads differences as they are given.

    Raises:
        ValueError: shapes that do not fit, or no pair has any weight.
    """
    _check(differences, targets, weights, kinds)
    used = weights > 0
    inputs = np.asarray(differences, np.float64)[used]
    scale = spread(inputs, kinds)
    reward, log_ties = _fit(inputs / scale, targets[used], weights[used], strength)
    return _head(reward / scale, log_ties)


def choose_pair_strength(differences: F4 | F8, targets: F8, weights: F8, groups: I8, kinds: I8) -> float:
    """The C of STRENGTHS with the lowest soft cross-entropy on groups left out; the smallest for one group.

    Args: as of `fit_pairs`; groups (n,): pairs of one prompt stay together. Of more than CHOICE_ITEMS pairs
        a sample is drawn.
    """
    _check(differences, targets, weights, kinds)
    used = np.flatnonzero(weights > 0)
    if len(used) > CHOICE_ITEMS:
        used = np.random.Generator(np.random.PCG64(0)).choice(used, CHOICE_ITEMS, replace=False)
    n_folds = min(CHOICE_FOLDS, len(np.unique(groups[used])))
    if n_folds < 2:
        return STRENGTHS[0]
    folds = grouped_folds(groups[used], n_folds, seed=0)
    inputs = np.asarray(differences, np.float64)[used]
    inputs /= spread(inputs, kinds)
    losses = [_held_out_loss(inputs, targets[used], weights[used], folds, c) for c in STRENGTHS]
    return STRENGTHS[int(np.argmin(losses))]


def reward_weights(head: LinearHead) -> F8:
    """(d,) w of a head that `fit_pairs` made: rewards of features phi are phi @ w, in log-odds."""
    return np.asarray(head.weights[PREFERS_A] - head.weights[PREFERS_B], np.float64)


def spread(differences: F8, kinds: I8) -> F8:
    """(d,) root mean square of each difference, 1 where there is none, times the root of its kind's size."""
    deviation = np.sqrt((differences**2).mean(axis=0))
    return np.asarray(np.where(deviation > 1e-9, deviation, 1.0) * kind_sizes(kinds))


def cross_entropy(proba: F8, targets: F8) -> F8:
    """(n,) of (n, 3) predicted probabilities with soft labels (n, 3), in nats."""
    return np.asarray(-(targets * np.log(np.maximum(proba, LEAST_PROBABILITY))).sum(axis=1))


def _held_out_loss(inputs: F8, targets: F8, weights: F8, folds: I8, strength: float) -> float:
    total = 0.0
    for fold in np.unique(folds).tolist():
        inside, outside = folds != fold, folds == fold
        reward, log_ties = _fit(inputs[inside], targets[inside], weights[inside], strength)
        losses = cross_entropy(softmax(_logits(inputs[outside] @ reward, log_ties)), targets[outside])
        total += float((weights[outside] * losses).sum())
    return total


def _fit(inputs: F8, targets: F8, weights: F8, strength: float) -> tuple[F8, float]:
    """(d,) weights of scaled differences, and log nu."""
    from scipy.optimize import minimize

    x = np.concatenate([inputs, np.zeros((1, inputs.shape[1]))])
    y = np.concatenate([targets, np.full((1, N_CLASSES), 1 / N_CLASSES)])
    counted = np.concatenate([weights, [PRIOR_WEIGHT]]) / (weights.sum() + PRIOR_WEIGHT)
    ridge = 1 / (strength * (weights.sum() + PRIOR_WEIGHT))

    def loss_and_gradient(parameters: F8) -> tuple[float, F8]:
        reward, log_ties = parameters[:-1], parameters[-1]
        proba = softmax(_logits(x @ reward, log_ties))
        loss = counted @ cross_entropy(proba, y) + ridge * (reward @ reward) / 2
        excess = counted[:, None] * (proba - y)
        along = x.T @ ((excess[:, PREFERS_A] - excess[:, PREFERS_B]) / 2) + ridge * reward
        return float(loss), np.append(along, excess[:, TIE].sum())

    start = np.zeros(x.shape[1] + 1)
    found = minimize(
        loss_and_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS, "gtol": 1e-7}
    )
    return np.asarray(found.x[:-1]), float(found.x[-1])


def _logits(reward_difference: F8, log_ties: float) -> F8:
    """(n, 3) of (n,) differences in reward."""
    half = reward_difference / 2
    return np.stack([half, -half, np.full(len(half), log_ties)], axis=1)


def _head(reward: F8, log_ties: float) -> LinearHead:
    half = (reward / 2).astype(np.float32)
    bias = np.zeros(N_CLASSES, np.float32)
    bias[TIE] = log_ties
    return LinearHead(np.stack([half, -half, np.zeros_like(half)]), bias)


def _check(differences: F4 | F8, targets: F8, weights: F8, kinds: I8) -> None:
    if differences.ndim != 2 or kinds.shape != differences.shape[1:]:
        raise ValueError(f"pairs: differences {differences.shape} and kinds {kinds.shape} do not fit")
    if targets.shape != (len(differences), N_CLASSES) or weights.shape != targets.shape[:1]:
        raise ValueError(
            f"pairs: {len(differences)} differences, targets {targets.shape}, weights {weights.shape}"
        )
    if not (weights > 0).any():
        raise ValueError("pairs: no pair has any weight, so there is nothing to learn from")
