"""What MLflow is told of a training run."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from daemon.core.assembling import dense_votes
from daemon.core.learning_rows import TrainingRows
from daemon.core.run_tables import (
    accuracy_cells,
    annotator_figures,
    annotator_table,
    change_table,
    class_table,
    count_members,
    figures,
    judge_figures,
    judge_table,
    member_table,
    people_table,
)
from daemon.core.runs import DatasetFacts, TrainingRun
from labeling_functions.analysis import FunctionReport, analyze
from models.any_training import AnyCandidate, AnyData
from models.arrays import I8, UNKNOWN
from models.bundles import AnyBundle
from models.set_training import SetData
from models.training import TrainingData


def describe(
    rows: TrainingRows,
    data: AnyData,
    candidate: AnyCandidate,
    champion: AnyBundle | None,
    source: str,
    target_error: float,
    ordered: bool = False,
) -> TrainingRun:
    """A run with its facts, figures and tables.

    Args:
        rows: what was read. data: what was learned from. candidate: what came of it.
        champion: that it was compared with; None before the first.
        source: where the items come from, in words. target_error: drawn into the risk-coverage plot.
        ordered: the classes are steps of a scale.
    """
    bundle = candidate.bundle
    evaluation = candidate.evaluation
    annotators = annotator_table(data)
    return TrainingRun(
        name=f"{bundle.label_model} {datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
        classes=data.classes,
        parameters={**_parameters(rows, data, bundle), "target_error": target_error},
        metrics={
            **evaluation.metrics,
            **figures(candidate, ordered),
            **annotator_figures(annotators),
            **judge_figures(rows.judges),
        },
        function_table=_function_table(rows, data),
        member_table=member_table(candidate),
        class_table=class_table(candidate),
        annotator_table=annotators,
        people_table=people_table(bundle),
        judge_table=judge_table(rows.judges),
        change_table=change_table(candidate, champion),
        confusion=evaluation.confusion,
        reliability=evaluation.reliability,
        risk_coverage=evaluation.risk_coverage,
        dataset=DatasetFacts(_digest(rows), len(rows.ids), source),
        bundle=bundle.to_bytes(),
        encoder=bundle.encoder if bundle.has_classifier else None,
        promoted=candidate.promoted,
        reason=candidate.reason,
    )


def _parameters(rows: TrainingRows, data: AnyData, bundle: AnyBundle) -> dict[str, str | float | int]:
    return {
        "label_model": bundle.label_model,
        "encoder": bundle.encoder or "none",
        "items": len(rows.ids),
        "audited": int(data.audited.sum()),
        "answers": len(rows.answers),
        "functions": len(data.facets[0].votes.annotators),
        "members": count_members(bundle),
    }


def _digest(rows: TrainingRows) -> str:
    """Changes with the items, their votes and the answers; not with the order in which they were read."""
    answers = sorted((rows.ids[row], a.annotator, a.label) for row, a in rows.answers)
    votes = sorted((name, vote.tobytes()) for name, vote in zip(rows.ids, rows.inline, strict=True))
    return hashlib.blake2b(repr((votes, answers)).encode(), digest_size=8).hexdigest()


def _function_table(rows: TrainingRows, data: AnyData) -> list[Mapping[str, object]]:
    """Functions of the newest set, judged on random blind answers only; where any number of classes may
    apply, a record for each function and class.
    """
    mask, matrix, names = dense_votes(rows)
    if not matrix.size:
        return []
    whose = [{"class": name} for name in data.classes] if isinstance(data, SetData) else [{}]
    n_facets = len(data.facets)
    reports = [
        analyze(matrix[:, place::n_facets], names, len(facet.classes), _audited(facet)[mask])
        for place, facet in enumerate(data.facets)
    ]
    return [
        _record(report, about, data.facets[0].classes)
        for of_function in zip(*reports, strict=True)
        for report, about in zip(of_function, whose, strict=True)
    ]


def _audited(data: TrainingData) -> I8:
    """(n,) labels by random blind answers; -1 without one."""
    return np.where(data.audited, data.expert, UNKNOWN)


def _record(report: FunctionReport, about: Mapping[str, object], options: Sequence[str]) -> dict[str, object]:
    right = report.accuracy
    return {
        "function": report.name,
        **about,
        "coverage": report.coverage,
        "overlap": report.overlap,
        "conflict": report.conflict,
        **{f"votes_{name}": votes for name, votes in zip(options, report.votes, strict=True)},
        **accuracy_cells(right),
        "checked": 0 if right is None else right.answered,
    }
