"""What the demo achieved, read from topic `labels` as any consumer would, against the truth."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from daemon.core.report_rows import Overview, Spending
from daemon.core.settings import MICROS, TierSettings
from daemon.core.window_rows import WindowRecord
from daemon.wiring.demo.heard import LabelMessage
from daemon.wiring.demo.model_worth import Worth


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of the closing table."""

    items: int
    automatic: int
    automatic_right: int
    certified: int
    certified_right: int
    right: int
    minority_recall: float
    windows: Sequence[WindowRecord]
    answers: Mapping[str, int]
    model_cost: float
    model: Worth | None
    cost: float
    hours: float
    all_cost: float
    all_hours: float
    items_per_second: float


def judge(
    labels: Mapping[str, LabelMessage],
    truth: Mapping[str, str],
    overview: Overview,
    tiers: Mapping[str, TierSettings],
    seconds: float,
    model: Worth | None = None,
) -> Outcome:
    """Compare the published labels with the truth.

    Args:
        seconds: how long the stream took. model: what a language model was worth, if one answered.
    """
    automatic = [label for label in labels.values() if label.status != "human"]
    certified = [label for label in automatic if label.status == "certified"]
    final = _cheapest_final(tiers)
    people = _spending(overview, tiers, of_models=False)
    return Outcome(
        items=len(labels),
        automatic=len(automatic),
        automatic_right=_right(automatic, truth),
        certified=len(certified),
        certified_right=_right(certified, truth),
        right=_right(list(labels.values()), truth),
        minority_recall=_minority_recall(labels, truth),
        windows=overview.windows,
        answers={spending.tier: spending.answers for spending in people},
        model_cost=_cost(_spending(overview, tiers, of_models=True)),
        model=model,
        cost=_cost(overview.spending),
        hours=sum(spending.seconds for spending in people) / 3_600,
        all_cost=len(labels) * final.price,
        all_hours=len(labels) * final.seconds_per_answer / 3_600,
        items_per_second=len(labels) / max(seconds, 1e-9),
    )


def _cheapest_final(tiers: Mapping[str, TierSettings]) -> TierSettings:
    """Who would be asked about everything."""
    return min((tier for tier in tiers.values() if tier.final), key=lambda tier: tier.price)


def _spending(overview: Overview, tiers: Mapping[str, TierSettings], of_models: bool) -> Sequence[Spending]:
    """Of language models, or of people."""
    return [spending for spending in overview.spending if tiers[spending.tier].is_llm is of_models]


def _cost(spending: Sequence[Spending]) -> float:
    return sum(one.spent for one in spending) / MICROS


def _minority_recall(labels: Mapping[str, LabelMessage], truth: Mapping[str, str]) -> float:
    """Share of the rarest class's items that are labeled so."""
    rare = [labels[item] for item in _rarest(truth) if item in labels]
    return _right(rare, truth) / max(len(rare), 1)


def _right(labels: Sequence[LabelMessage], truth: Mapping[str, str]) -> int:
    return sum(label.label == truth[label.item] for label in labels)


def _rarest(truth: Mapping[str, str]) -> list[str]:
    """Items of the class that has the fewest."""
    counts = Counter(truth.values())
    name = min(counts, key=lambda one: counts[one])
    return [item for item, label in truth.items() if label == name]


def table(outcome: Outcome, alpha: float, confidence: float, currency: str) -> Table:
    """The closing table."""
    shown = Table(title="What the loop did", title_justify="left", show_header=False, pad_edge=False)
    shown.add_column(style="bold")
    shown.add_column(justify="right")
    shown.add_column(style="dim")
    n = max(outcome.items, 1)
    shown.add_row(
        "items labeled", f"{outcome.items:,}", f"{outcome.items_per_second:,.0f} items/s through the stream"
    )
    shown.add_row("automatic", f"{outcome.automatic / n:.1%}", "no person answered; provisional or certified")
    shown.add_row("certified", f"{outcome.certified / n:.1%}", f"{_windows(outcome)}")
    shown.add_row(
        "  promised",
        f"{1 - alpha:.1%} right",
        f"at most {alpha:.1%} wrong in each window, at {confidence:.0%} confidence",
    )
    shown.add_row(
        "  true", _share(outcome.certified_right, outcome.certified), "certified labels against the truth"
    )
    shown.add_row("automatic, right", _share(outcome.automatic_right, outcome.automatic), "against the truth")
    shown.add_row("all labels, right", _share(outcome.right, outcome.items), "people's answers included")
    shown.add_row("rare class found", f"{outcome.minority_recall:.1%}", "share of its items labeled so")
    asked = ", ".join(f"{count:,} by {tier}" for tier, count in sorted(outcome.answers.items()))
    shown.add_row("human answers", f"{sum(outcome.answers.values()):,}", asked)
    if outcome.model is not None:
        _add_model(shown, outcome.model, f"{outcome.model_cost:,.3f} {currency}")
    shown.add_row(
        "cost",
        f"{outcome.cost:,.2f} {currency}",
        f"instead of {outcome.all_cost:,.2f} for asking experts for everything",
    )
    shown.add_row("people's time", f"{outcome.hours:,.1f} h", f"instead of {outcome.all_hours:,.1f} h")
    return shown


def _add_model(shown: Table, model: Worth, cost: str) -> None:
    shown.add_row("model's answers", f"{model.answers:,}", f"{model.right:.1%} right by themselves; {cost}")
    shown.add_row(
        "  posterior with them",
        f"{model.share:.1%} right",
        f"log-loss {model.loss:.3f}; without them {model.share_without:.1%}, {model.loss_without:.3f}",
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%} right" if whole else "none yet"


def _windows(outcome: Outcome) -> str:
    passed = sum(window.tau is not None for window in outcome.windows)
    return f"{passed} of {len(outcome.windows)} windows passed their audits"
