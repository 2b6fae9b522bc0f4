"""A training run as the model registry keeps it: plain data for people to look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = Sequence[Mapping[str, object]]
"""Records that all have the same keys in the same order."""


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What a run learned from, without the data.

    Attributes:
        digest: hexadecimal digest of the rows used.
        rows: number of items.
        source: where they came from, in words.
    """

    digest: str
    rows: int
    source: str


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """One trained candidate with its evaluation, K classes.

    Attributes:
        name: shown as the run's name.
        classes: K names in order.
        parameters, metrics: by name; a metric may be NaN where it has no value.
        function_table: one record a labelling function; with sets of classes, one a function and class.
        member_table: one record a member of the posterior's mixture; with sets of classes, of each.
        class_table: one record a class.
        annotator_table: one record a tier of people, a person and a way of asking a language model.
        people_table: one record a person and class: what they are expected to say of it.
        judge_table: one record a judge of pairs.
        change_table: one record for each thing that the champion had, or did, otherwise.
        confusion: (K, K) counts, [true, predicted]; with sets of classes (F, 2, 2), of each whether it
            applies.
        reliability: (b, 3) mean score, share right, items; a row for each bin of scores.
        risk_coverage: (c, 2) share of items accepted and share of errors among them, coverage rising.
        dataset: what it learned from.
        bundle: the bundle's bytes (npz with JSON inside).
        encoder: name of the encoder that the bundle's head reads; None while the bundle has no head.
        promoted: workers are to follow it.
        reason: why it was promoted or not, one sentence.
        learning: whether people are asked about more items only so that models learn, and why.
    """

    name: str
    classes: tuple[str, ...]
    parameters: Mapping[str, str | float | int]
    metrics: Mapping[str, float]
    function_table: Table
    confusion: NDArray[np.int64]
    reliability: NDArray[np.float64]
    risk_coverage: NDArray[np.float64]
    dataset: DatasetFacts
    bundle: bytes
    encoder: str | None
    promoted: bool
    reason: str
    learning: str = ""
    member_table: Table = ()
    class_table: Table = ()
    annotator_table: Table = ()
    people_table: Table = ()
    judge_table: Table = ()
    change_table: Table = ()


@dataclass(frozen=True, slots=True)
class Logged:
    """Where a run was kept. `model_version` is None when it had no head; `url` is for people."""

    run_id: str
    model_version: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Report:
    """Something measured that is no training run.

    Attributes:
        name: shown as the run's name.
        parameters, metrics: by name; a metric may be NaN where it has no value.
        tables: name -> records.
    """

    name: str
    parameters: Mapping[str, str | float | int]
    metrics: Mapping[str, float]
    tables: Mapping[str, Table]
