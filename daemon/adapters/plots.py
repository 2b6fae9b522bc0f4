"""Pictures of an evaluation for people to look at; drawn without a display and without matplotlib's state."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.evaluation import Tallies, f1_scores

BLUE, GRAY, RED = "#2f6db5", "#9aa3ad", "#c2410c"


def confusion_plot(confusion: NDArray[np.int64], classes: Sequence[str]) -> Any:
    """Figure of a confusion matrix: colored by share of the true class, numbered by counts.

    Args:
        confusion: (K, K) counts, [true, predicted].
        classes: K names.
    """
    k = len(classes)
    side = min(3.6 + 0.55 * k, 14.0)
    figure, axes = _figure(side + 0.9, side)
    totals = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, totals, out=np.zeros(confusion.shape), where=totals > 0)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", fraction=0.046, pad=0.04)
    axes.set_xticks(range(k), classes, rotation=45 if k > 3 else 0, ha="right" if k > 3 else "center")
    axes.set_yticks(range(k), classes)
    axes.set(xlabel="predicted", ylabel="true", title=f"Confusion on {confusion.sum():,} items")
    if k <= 20:
        for (row, column), share in np.ndenumerate(shares):
            ink = "white" if share > 0.55 else "#1f2933"
            axes.text(column, row, f"{confusion[row, column]:,}", ha="center", va="center", color=ink)
    return figure


def class_plot(confusion: NDArray[np.int64], classes: Sequence[str]) -> Any:
    """Figure of how well each class of sets is told: precision, recall and F1; none where there is nothing.

    Args:
        confusion: (F, 2, 2) counts, [class, applies, predicted].
        classes: F names.
    """
    tallies, places = Tallies.of(confusion), np.arange(len(classes))
    figure, axes = _figure(7.2, min(2.2 + 0.5 * len(classes), 24.0))
    shares = {
        "precision": (_shares(tallies.hits, tallies.said), "o", GRAY),
        "recall": (_shares(tallies.hits, tallies.true), "s", RED),
        "F1": (f1_scores(confusion), "D", BLUE),
    }
    for name, (values, marker, color) in shares.items():
        axes.plot(values, places, marker, color=color, label=name)
    axes.set_yticks(places, [f"{name} ({n:,})" for name, n in zip(classes, tallies.true, strict=True)])
    axes.set(xlim=(-0.02, 1.02), ylim=(len(classes) - 0.5, -0.5))
    items = int(confusion[0].sum()) if len(confusion) else 0
    axes.set(
        title=f"Classes on {items:,} items", xlabel="share; in brackets the items that a class applies to"
    )
    axes.legend(loc="lower left", frameon=False)
    axes.grid(alpha=0.25)
    return figure


def _shares(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))


def reliability_plot(bins: NDArray[np.float64]) -> Any:
    """Figure of how often labels are right at each score, with the number of items below.

    Args:
        bins: (b, 3) mean score, share right, items.
    """
    from matplotlib.ticker import PercentFormatter

    figure, (axes, below) = _figure(6.4, 6.0, rows=(4, 1))
    filled = bins[bins[:, 2] > 0]
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.plot(filled[:, 0], filled[:, 1], color=BLUE, marker="o", label="observed")
    axes.set(ylabel="share right", ylim=(-0.02, 1.02), title="Reliability of the scores")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="upper left", frameon=False)
    axes.grid(alpha=0.25)
    below.bar(filled[:, 0], filled[:, 2], width=0.03, color=BLUE, alpha=0.6)
    below.set(xlabel="score: probability that the label is right", ylabel="items")
    start = min(0.5, float(filled[:, 0].min()) - 0.05) if len(filled) else 0.0
    for part in (axes, below):
        part.set_xlim(start, 1.02)
    axes.tick_params(labelbottom=False)
    return figure


def risk_coverage_plot(points: NDArray[np.float64], target_error: float | None = None) -> Any:
    """Figure of the error among the most confident items, by how many are accepted.

    Args:
        points: (c, 2) coverage and error among the accepted, coverage rising.
        target_error: drawn as a line if given.
    """
    from matplotlib.ticker import PercentFormatter

    figure, axes = _figure(6.4, 4.4)
    axes.step(points[:, 0], points[:, 1], where="post", color=BLUE, label="error among the accepted")
    axes.fill_between(points[:, 0], points[:, 1], step="post", color=BLUE, alpha=0.12)
    if target_error is not None:
        axes.axhline(
            target_error, color=RED, linestyle="--", linewidth=1, label=f"target error {target_error:.1%}"
        )
    top = max([0.02, target_error or 0.0, *points[:, 1].tolist()]) * 1.15
    axes.set(xlim=(0, 1), ylim=(0, min(top, 1.02)), title="Risk and coverage")
    axes.set(xlabel="share accepted, most confident first", ylabel="errors among the accepted")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="upper left", frameon=False)
    axes.grid(alpha=0.25)
    return figure


def feedback_plot(table: Sequence[Mapping[str, Any]]) -> Any:
    """Figure of reward models by the feedback that they learned from: accuracy and log-loss with intervals.

    Args:
        table: records with `feedback`, and `accuracy` and `log_loss` each as `_mean`, `_low`, `_high`.
    """
    figure, drawn = _figure(6.4, 4.4, rows=(1, 1))
    names = [str(record["feedback"]) for record in table]
    titles = {"accuracy": "share of held-out pairs right", "log_loss": "log-loss, nats"}
    for axes, (name, title) in zip(drawn, titles.items(), strict=True):
        mean, low, high = (
            np.array([record[f"{name}_{part}"] for record in table]) for part in ("mean", "low", "high")
        )
        axes.errorbar(mean, range(len(table)), xerr=[mean - low, high - mean], fmt="o", color=BLUE, capsize=4)
        axes.set(xlabel=title, ylim=(len(table) - 0.5, -0.5))
        axes.set_yticks(range(len(table)), names)
        axes.grid(axis="x", alpha=0.25)
    return figure


def _figure(width: float, height: float, rows: tuple[int, ...] = ()) -> tuple[Any, Any]:
    """A figure with one pair of axes, or one below the other with these relative heights."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    if not rows:
        axes = figure.subplots()
        drawn = [axes]
    else:
        axes = figure.subplots(len(rows), 1, height_ratios=rows)
        drawn = list(axes)
    for part in drawn:
        part.spines[["top", "right"]].set_visible(False)
    return figure, axes
