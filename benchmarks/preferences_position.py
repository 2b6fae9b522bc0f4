"""Position handling on a synthetic judge whose bias is known: one order, both averaged, one corrected."""

import numpy as np

from models.arrays import F8
from models.position_bias import PositionBias, averaged, flip_rate
from models.reward_model import sigmoid, soft_log_loss

PAIRS = 2_000
SEEN_TWICE = 200
"""Pairs judged in both orders, from which the bias is learned."""

WORTH = 1.5
"""Standard deviation of the pairs' worth, in log-odds."""

BETTER = 0.5
"""Share of pairs whose first response is better."""

BIASES = (0.0, 0.5, 1.0, 2.0)
SEEDS = 20


def report() -> None:
    """Print accuracy, log-loss and the win rate of the responses shown first by each way of asking."""
    print(f"synthetic judge, {PAIRS} pairs, {SEEDS} seeds; mean [95 % of seeds]; true win rate {BETTER}")
    columns = "".join(f"{name:>23}" for name in ("accuracy", "log-loss", "win rate"))
    print(f"{'bias':>5}{'flips':>7}  {'handling':22}{'calls':>6}{columns}")
    for bias in BIASES:
        runs = [measure(bias, seed) for seed in range(SEEDS)]
        flips = np.mean([share for share, _ in runs])
        for name, calls in (("one order", 1.0), ("both orders averaged", 2.0), ("one order corrected", 1.1)):
            rows = np.array([rows[name] for _, rows in runs])
            cells = "".join(
                f"{mean:.3f} [{low:.3f}, {high:.3f}]".rjust(23)
                for mean, low, high in zip(
                    rows.mean(axis=0), *np.quantile(rows, (0.025, 0.975), axis=0), strict=True
                )
            )
            print(f"{bias:5.1f}{flips:7.2f}  {name:22}{calls:6.1f}{cells}")


def measure(bias: float, seed: int) -> tuple[float, dict[str, tuple[float, float, float]]]:
    """Share of flips; of each handling accuracy, log-loss, win rate."""
    random = np.random.default_rng(seed)
    better = random.random(PAIRS) < BETTER
    worth = np.abs(random.normal(0, WORTH, PAIRS)) * np.where(better, 1, -1)
    coins = random.random((2, PAIRS))
    first = (coins[0] < sigmoid(worth + bias)).astype(np.float64)
    turned = (coins[1] < sigmoid(bias - worth)).astype(np.float64)
    learned = PositionBias.estimate(first[:SEEN_TWICE], turned[:SEEN_TWICE])
    believed = PositionBias(0.0, learned.clarity)
    soft = {
        "one order": believed.corrected(first),
        "both orders averaged": averaged(believed.corrected(first), believed.corrected(turned)),
        "one order corrected": learned.corrected(first),
    }
    truth = better.astype(np.float64)
    return flip_rate(first, turned), {name: _figures(said, truth) for name, said in soft.items()}


def _figures(said: F8, truth: F8) -> tuple[float, float, float]:
    right = np.where(np.isclose(said, 0.5), 0.5, (said > 0.5) == (truth > 0.5))
    return float(right.mean()), float(soft_log_loss(said, truth).mean()), float(said.mean())
