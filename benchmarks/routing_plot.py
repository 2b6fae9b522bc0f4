"""The curves of the routing benchmark as a picture."""

from collections.abc import Mapping
from pathlib import Path

from models.arrays import F8

COLORS = {"ours": "#0b6e4f", "uncertain>expert": "#8c6bb1", "uncertain>3crowd": "#d95f02"}


def draw(curves: Mapping[str, Mapping[str, F8]], path: Path) -> None:
    """Accuracy against USD an item, one panel a file; the format follows the file's name."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "routing"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(curves), figsize=(3.4 * len(curves), 3.2), squeeze=False)
    for panel, (name, measured) in zip(panels[0], curves.items(), strict=True):
        for policy, color in COLORS.items():
            accuracy, cost = measured[policy].mean(axis=0)
            panel.plot(cost, accuracy, marker="o", markersize=3, color=color, label=policy)
        everyone = measured["all expert"][:, 0].mean()
        panel.axhline(everyone, color="#666", linewidth=0.8, linestyle="--", label="all expert (.60)")
        panel.set_title(name)
        panel.set_xlabel("USD an item")
        panel.set_xscale("log")
        panel.grid(alpha=0.25)
    panels[0][0].set_ylabel("accuracy")
    panels[0][-1].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
