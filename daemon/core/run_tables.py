"""A candidate's members and classes, and what it changes, as records for people to look at."""

import math
from collections.abc import Mapping, Sequence

from daemon.core.judge_rows import JudgeRecord
from daemon.core.runs import Table
from labeling_functions.analysis import Accuracy
from models.arrays import I8, UNKNOWN
from models.bundle import Bundle
from models.cost import distances
from models.evaluation import f1_scores
from models.training import Candidate, TrainingData
from models.votes import LLM, TIER, kind


def figures(candidate: Candidate, ordered: bool = False) -> Mapping[str, float]:
    """Metrics of members, classes and gold, to be followed from run to run.

    `ordered`: the classes are steps of a scale.
    """
    gold = candidate.bundle.gold
    found = {"gold_effective": gold.effective}
    if ordered:
        found |= _steps_away(candidate.evaluation.confusion)
    for member in member_table(candidate):
        name = member["member"]
        found |= {f"{key}/{name}": float(str(member[key])) for key in ("weight", "temperature", "log_loss")}
    for record in class_table(candidate):
        found[f"f1/{record['class']}"] = float(str(record["f1"]))
    return found


def _steps_away(confusion: I8) -> Mapping[str, float]:
    """How far labels of audited items are from the audit, of (K, K) counts; NaN without audits."""
    total = int(confusion.sum())
    away = distances(len(confusion))
    return {
        "mean_absolute_error": float((confusion * away).sum()) / total if total else math.nan,
        "within_one_step": _share(int(confusion[away <= 1].sum()), total),
    }


def member_table(candidate: Candidate) -> Table:
    """What the posterior is mixed of; log-loss of each alone on audited items that it did not know."""
    members = sorted(candidate.bundle.members, key=lambda member: -member.weight)
    return [
        {
            "member": member.name,
            "weight": member.weight,
            "temperature": member.temperature,
            "log_loss": candidate.member_losses.get(member.name, math.nan),
        }
        for member in members
    ]


def class_table(candidate: Candidate) -> Table:
    """How well each class is told from the others on audited items, and how much gold it rests on."""
    evaluation, bundle = candidate.evaluation, candidate.bundle
    confusion = evaluation.confusion
    f1 = f1_scores(confusion)
    return [
        {
            "class": name,
            "items": int(evaluation.class_counts[k]),
            "audited": int(confusion[k].sum()),
            "gold_effective": bundle.gold.by_class[k],
            "precision": _share(int(confusion[k, k]), int(confusion[:, k].sum())),
            "recall": _share(int(confusion[k, k]), int(confusion[k].sum())),
            "f1": float(f1[k]),
        }
        for k, name in enumerate(bundle.classes)
    ]


def annotator_table(data: TrainingData) -> Table:
    """Tiers of people and ways of asking language models: how often they said what an expert said later.

    Both are asked about doubtful items: everybody is better than this on all.
    """
    votes, truth = data.votes, data.expert
    rows = []
    for place, (key, size) in enumerate(zip(votes.annotators, votes.n_symbols, strict=True)):
        if kind(key) not in (TIER, LLM):
            continue
        own = votes.annotator == place
        said = votes.symbol[own] // (size // len(data.classes))
        known = truth[votes.row[own]] != UNKNOWN
        right = Accuracy.of(int((said == truth[votes.row[own]])[known].sum()), int(known.sum()))
        rows.append(
            {
                "annotator": key,
                "votes": int(own.sum()),
                "checked": 0 if right is None else right.answered,
                **accuracy_cells(right),
            }
        )
    return rows


def accuracy_cells(right: Accuracy | None) -> dict[str, float | None]:
    """Share and interval for a table; empty cells where nothing was checked."""
    return {
        "accuracy": None if right is None else right.share,
        "accuracy_low": None if right is None else right.low,
        "accuracy_high": None if right is None else right.high,
    }


def annotator_figures(table: Table) -> Mapping[str, float]:
    """Metrics `accuracy/ANNOTATOR` of those that were checked, to be followed from run to run."""
    return {
        f"accuracy/{record['annotator']}": float(str(record["accuracy"]))
        for record in table
        if record["accuracy"] is not None
    }


def judge_table(judges: Sequence[JudgeRecord]) -> Table:
    """Judges of pairs: how often the two orders contradicted each other, and how they lean to the first."""
    return [
        {
            "judge": f"{one.name}@{one.version}",
            "pairs": one.pairs,
            "contradicted": one.flip_share,
            "position_bias": one.bias,
            "position_bias_low": one.interval[0],
            "position_bias_high": one.interval[1],
        }
        for one in judges
    ]


def judge_figures(judges: Sequence[JudgeRecord]) -> Mapping[str, float]:
    """Metrics by judge, to be followed from run to run; of its newest version."""
    found: dict[str, float] = {}
    for one in judges:
        found |= {f"contradicted/{one.name}": one.flip_share, f"position_bias/{one.name}": one.bias}
    return found


def change_table(candidate: Candidate, champion: Bundle | None) -> Table:
    """The champion's side and the candidate's; before the first one the built-in priors are the champion."""
    comparison, evaluation, bundle = candidate.comparison, candidate.evaluation, candidate.bundle
    metrics = comparison.metrics
    rows: list[tuple[str, object, object]] = [
        ("log-loss on fresh audits", metrics["fresh_log_loss_champion"], metrics["fresh_log_loss"]),
        ("share of items with this label", 1.0, 1.0 - metrics["labels_changed"]),
    ]
    for k, name in enumerate(bundle.classes):
        rows.append((f"items labeled {name}", int(comparison.before[k]), int(evaluation.class_counts[k])))
    if champion is not None:
        rows += [
            ("label model", champion.label_model, bundle.label_model),
            ("members", len(champion.members), len(bundle.members)),
            ("effective gold", champion.gold.effective, bundle.gold.effective),
        ]
    return [{"what": what, "champion": before, "candidate": now} for what, before, now in rows]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
