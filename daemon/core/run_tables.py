"""A candidate's members and classes, and what it changes, as records for people to look at."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from daemon.core.erring import erring_of
from daemon.core.judge_rows import JudgeRecord
from daemon.core.runs import Table
from labeling_functions.analysis import Accuracy
from models.any_training import AnyCandidate, AnyData
from models.arrays import I8, UNKNOWN, Mask
from models.bundle import Bundle
from models.bundles import AnyBundle
from models.cost import distances
from models.evaluation import Tallies, f1_scores
from models.set_bundle import SetBundle
from models.set_training import SetData
from models.training import TrainingData
from models.votes import LLM, TIER, family, is_person, kind


def figures(candidate: AnyCandidate, ordered: bool = False) -> Mapping[str, float]:
    """Metrics of members, classes and gold, to be followed from run to run.

    Where any number of classes may apply, each has members of its own: they stand in their table alone.

    `ordered`: the classes are steps of a scale.
    """
    bundle = candidate.bundle
    found = {"gold_effective": bundle.gold.effective}
    if ordered:
        found |= _steps_away(candidate.evaluation.confusion)
    if isinstance(bundle, Bundle):
        for member in member_table(candidate):
            name = member["member"]
            found |= {
                f"{key}/{name}": float(str(member[key])) for key in ("weight", "temperature", "log_loss")
            }
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


def member_table(candidate: AnyCandidate) -> Table:
    """What the posterior is mixed of; log-loss of each alone on audited items that it did not know.

    Where any number of classes may apply, a posterior a class.
    """
    bundle = candidate.bundle
    whose = [{"class": name} for name in bundle.classes] if isinstance(bundle, SetBundle) else [{}]
    return [
        {
            **about,
            "member": member.name,
            "weight": member.weight,
            "temperature": member.temperature,
            "log_loss": losses.get(member.name, math.nan),
        }
        for about, part, losses in zip(whose, bundle.parts, candidate.member_losses, strict=True)
        for member in sorted(part.members, key=lambda member: -member.weight)
    ]


def class_table(candidate: AnyCandidate) -> Table:
    """How well each class is told from the others on audited items, and how much gold it rests on."""
    evaluation, bundle = candidate.evaluation, candidate.bundle
    tallies, f1 = Tallies.of(evaluation.confusion), f1_scores(evaluation.confusion)
    return [
        {
            "class": name,
            "items": int(evaluation.class_counts[k]),
            "audited": int(tallies.true[k]),
            "gold_effective": bundle.gold.by_class[k],
            "precision": _share(int(tallies.hits[k]), int(tallies.said[k])),
            "recall": _share(int(tallies.hits[k]), int(tallies.true[k])),
            "f1": float(f1[k]),
        }
        for k, name in enumerate(bundle.classes)
    ]


def annotator_table(data: AnyData) -> Table:
    """Tiers of people, each of their people and ways of asking language models: how often they said what an
    expert said later.

    Where any number of classes may apply, how often the whole set was right, and how often what was said of
    one class was. They are asked about doubtful items: everybody is better than this on all.
    """
    rows = []
    votes = data.facets[0].votes
    for name, places in _speakers(votes.annotators).items():
        hits = _hits(data.facets, places)
        right = Accuracy.of(int(hits.all(axis=1).sum()), len(hits))
        about_classes = {"class_accuracy": float(hits.mean()) if hits.size else None}
        rows.append(
            {
                "annotator": name,
                "votes": int(np.isin(votes.annotator, places).sum()),
                "checked": len(hits),
                **accuracy_cells(right),
                **(about_classes if isinstance(data, SetData) else {}),
            }
        )
    return rows


def _speakers(keys: Sequence[str]) -> dict[str, list[int]]:
    """Who is told of -> places among the annotators; a tier is all of its people together."""
    places: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        if kind(key) == TIER:
            places.setdefault(family(key), []).append(place)
        if kind(key) == LLM or is_person(key):
            places[key] = [place]
    return places


def _hits(facets: Sequence[TrainingData], annotators: Sequence[int]) -> Mask:
    """(v, F) whether annotators' votes on items that an expert answered were right about each facet."""
    return np.stack([_hits_of(facet, annotators) for facet in facets], axis=1)


def _hits_of(data: TrainingData, annotators: Sequence[int]) -> Mask:
    votes, own = data.votes, np.isin(data.votes.annotator, annotators)
    said = votes.symbol[own] // (votes.n_symbols[annotators[0]] // len(data.classes))
    truth = data.expert[votes.row[own]]
    return np.asarray((said == truth)[truth != UNKNOWN], np.bool_)


def people_table(bundle: AnyBundle) -> Table:
    """How each person answers on items of each class, as the models have learned it: a record a class."""
    return [
        {
            "annotator": one.key,
            **({"class": one.about} if one.about else {}),
            "true": name,
            "expected_items": float(one.expected[:, k].sum()),
            **{
                f"said_{option}": _share(one.expected[s, k], one.expected[:, k].sum())
                for s, option in enumerate(one.options)
            },
            "right": float(one.right[k, 0]),
            "right_low": float(one.right[k, 1]),
            "right_high": float(one.right[k, 2]),
        }
        for one in erring_of(bundle)
        for k, name in enumerate(one.options)
    ]


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


def change_table(candidate: AnyCandidate, champion: AnyBundle | None) -> Table:
    """The champion's side and the candidate's; before the first one the built-in priors are the champion."""
    comparison, evaluation, bundle = candidate.comparison, candidate.evaluation, candidate.bundle
    metrics = comparison.metrics
    rows: list[tuple[str, object, object]] = [
        (
            "log-loss on the audits compared",
            metrics["compared_log_loss_champion"],
            metrics["compared_log_loss"],
        ),
        ("share of items with this label", 1.0, 1.0 - metrics["labels_changed"]),
    ]
    for k, name in enumerate(bundle.classes):
        rows.append((f"items labeled {name}", int(comparison.before[k]), int(evaluation.class_counts[k])))
    if champion is not None:
        rows += [
            ("label model", champion.label_model, bundle.label_model),
            ("members", count_members(champion), count_members(bundle)),
            ("effective gold", champion.gold.effective, bundle.gold.effective),
        ]
    return [{"what": what, "champion": before, "candidate": now} for what, before, now in rows]


def count_members(bundle: AnyBundle) -> int:
    """Of all posteriors together."""
    return sum(len(part.members) for part in bundle.parts)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan
