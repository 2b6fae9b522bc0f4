"""The curves of the routing benchmark as a picture."""

from collections.abc import Mapping
from pathlib import Path

from models.arrays import F8

COLORS = {"ours": "#0b6e4f", "uncertain>expert": "#8c6bb1", "uncertain>3crowd": "#d95f02"}

ACROSS = 4
"""Panels in a row."""


def draw(curves: Mapping[str, Mapping[str, F8]], path: Path) -> None:
    """Accuracy against USD an item, one panel a file; the format follows the file's name."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "routing"
    from matplotlib import pyplot as plt

    rows = -(-len(curves) // ACROSS)
    figure, grid = plt.subplots(rows, ACROSS, figsize=(3.2 * ACROSS, 3.0 * rows), squeeze=False)
    panels = grid.ravel()
    for unused in panels[len(curves) :]:
        unused.set_axis_off()
    for panel, (name, measured) in zip(panels, curves.items(), strict=False):
        for policy, color in COLORS.items():
            accuracy, cost = measured[policy].mean(axis=0)
            panel.plot(cost, accuracy, marker="o", markersize=3, color=color, label=policy)
        everyone = measured["all expert"][:, 0].mean()
        panel.axhline(everyone, color="#666", linewidth=0.8, linestyle="--", label="all expert (.60)")
        panel.set_title(name)
        panel.set_xlabel("USD an item", fontsize=8)
        panel.set_xscale("log")
        panel.grid(alpha=0.25)
    grid[0][0].set_ylabel("accuracy")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower right", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
