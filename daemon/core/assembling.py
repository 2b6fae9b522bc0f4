"""Stored rows become the arrays that models learn from."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from daemon.core.answer_votes import about_facet, tier_key, told_apart, votes_of
from daemon.core.evidence import final_label, function_key
from daemon.core.grouping import groups_of_payloads
from daemon.core.learning_rows import StoredBundle, TrainingRows
from daemon.core.policy import Policy
from daemon.core.rows import Answer, FunctionVersion
from daemon.core.sparing import sampled
from daemon.core.states import RANDOM_PURPOSES
from labeling_functions.label_space import LabelSpace
from models.any_training import AnyData
from models.set_training import SetData
from models.training import TrainingData
from models.votes import Votes

FEWEST_RECENT = 50
"""With fewer items since the stream changed, new ones are compared with all that there were."""

FRESH_OF_ALL = -1
"""Without a champion every audited answer is fresh."""


def assemble(rows: TrainingRows, policy: Policy, champion: StoredBundle | None) -> AnyData:
    """Arrays that models learn from, as `assemble_facets` makes them."""
    facets = assemble_facets(rows, policy, champion)
    return SetData(policy.classes, facets) if policy.space.sets else facets[0]


def assemble_facets(
    rows: TrainingRows, policy: Policy, champion: StoredBundle | None
) -> tuple[TrainingData, ...]:
    """Arrays that models learn from, one row an item; of a multilabel task for each class, of others once.

    Answers of final tiers become `expert`, all others votes, of a person where `told_apart` tells him from
    the others of the tier; on audited items only those that
    stood before the audit, since an item without one has no others either. `fresh` are audited answers that
    came after the champion was trained: it cannot have seen them. Since a drift alarm only
    items that came after it are fresh, timely and `recent`: a candidate must be better on the stream as it is
    now. Where not every item of these has a vector, votes may have decided which do: then only those of
    the sample that always gets one say what the stream's vectors are like.
    """
    now = np.ones(len(rows.ids), np.bool_) if rows.since is None else rows.arrived >= rows.since
    recent = now if now.sum() >= FEWEST_RECENT else None
    given: list[list[Answer]] = [[] for _ in rows.ids]
    for row, answer in rows.answers:
        given[row].append(answer)
    drawn_at = _drawn_at(given, policy.final_tiers)
    trained_at = champion.trained_at if champion else FRESH_OF_ALL
    space = policy.space
    voting = [
        [answer for answer in answers if answer.tier not in policy.final_tiers]
        for answers in _before(given, drawn_at)
    ]
    apart = told_apart(chain.from_iterable(voting))
    labels = np.array([final_label(answers, policy.final_tiers) for answers in given], np.int64)
    first = TrainingData(
        classes=space.options,
        votes=_votes(rows, voting, apart, policy, 0),
        expert=space.facet(labels, 0),
        audited=drawn_at >= 0,
        fresh=(drawn_at > trained_at) & now,
        vectors=_vectors(rows),
        groups=groups_of_payloads(rows.payloads, rows.subjects),
        tier_accuracy=policy.option_accuracies,
        encoder=rows.encoder,
        recent=recent,
        timely=(drawn_at >= 0) & now,
        typical=_typical(rows, recent),
    )
    others = [
        replace(first, votes=_votes(rows, voting, apart, policy, facet), expert=space.facet(labels, facet))
        for facet in range(1, space.n_facets)
    ]
    return (first, *others)


def dense_votes(rows: TrainingRows) -> tuple[NDArray[np.bool_], NDArray[np.int8], list[str]]:
    """Votes of the newest function set: mask of the rows that it labeled, (rows, m * F) matrix, m names."""
    newest = int(rows.functions[0])
    mask = rows.functions == newest
    matrix = np.array([rows.inline[row] for row in np.flatnonzero(mask).tolist()], np.int8)
    return mask, matrix, [rows.names[annotator][0] for annotator in rows.sets[newest]]


def _drawn_at(given: Sequence[Sequence[Answer]], final: frozenset[str]) -> NDArray[np.int64]:
    """(n,) when a final tier first answered a random blind question on each item; -1 where it did not."""
    return np.array([min(_random_times(answers, final), default=-1) for answers in given], np.int64)


def _random_times(answers: Sequence[Answer], final: frozenset[str]) -> list[int]:
    return [a.at for a in answers if a.tier in final and a.purpose in RANDOM_PURPOSES]


def _before(given: Sequence[Sequence[Answer]], drawn_at: NDArray[np.int64]) -> list[list[Answer]]:
    """The answers of each item that came before its random blind answer, or all where there is none."""
    return [
        [answer for answer in answers if at < 0 or answer.at < at]
        for answers, at in zip(given, drawn_at.tolist(), strict=True)
    ]


def _votes(
    rows: TrainingRows,
    voting: Sequence[Sequence[Answer]],
    apart: Collection[str],
    policy: Policy,
    facet: int,
) -> Votes:
    """What is said of one facet: functions of every set that made these rows, then whoever gave answers that
    are votes.
    """
    n_facets, n_options = policy.space.n_facets, len(policy.space.options)
    columns = sorted({annotator for annotators in rows.sets.values() for annotator in annotators})
    entries = np.concatenate(
        [
            np.empty((0, 3), np.int64),
            *(_block(rows, functions, columns, facet, policy.space) for functions in rows.sets),
        ]
    )
    functions = Votes(
        n_items=len(rows.ids),
        annotators=tuple(function_key(FunctionVersion(*rows.names[annotator])) for annotator in columns),
        n_symbols=(n_options + 1,) * len(columns),
        row=entries[:, 0],
        annotator=entries[:, 1],
        symbol=entries[:, 2],
    )
    heard = [about_facet(answers, facet, n_facets) for answers in voting]
    people = [
        tier_key(name)
        for name, tier in policy.tiers.items()
        if name not in policy.final_tiers and not tier.is_llm
    ]
    return Votes.concat_annotators(functions, votes_of(heard, n_options, people, apart))


def _block(
    rows: TrainingRows, functions: int, columns: Sequence[int], facet: int, space: LabelSpace
) -> NDArray[np.int64]:
    """(votes, 3) row, annotator, symbol of one function set; abstentions are a symbol of their own."""
    members = np.flatnonzero(rows.functions == functions)
    places = [columns.index(annotator) for annotator in rows.sets[functions]]
    if not len(members) or not places:
        return np.empty((0, 3), np.int64)
    votes = np.array([rows.inline[row][facet :: space.n_facets] for row in members.tolist()], np.int64)
    symbols = np.where(votes < 0, len(space.options), votes)
    row, column = np.broadcast_arrays(members[:, None], np.array(places)[None])
    return np.stack([row.ravel(), column.ravel(), symbols.ravel()], axis=1)


def _vectors(rows: TrainingRows) -> NDArray[np.float32] | None:
    """(n, d), rows of NaN where there is none: the classifier learns from the others, and votes on these."""
    if rows.encoder is None or not rows.has_vector.any():
        return None
    vectors = rows.vectors.astype(np.float32)
    vectors[~rows.has_vector] = np.nan
    return vectors


def _typical(rows: TrainingRows, recent: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """(n,) as `TrainingData` has it; None where all that is recent has a vector, or nothing has."""
    compared = rows.has_vector if recent is None else rows.has_vector[recent]
    if compared.all() or rows.encoder is None or not rows.has_vector.any():
        return None
    return rows.has_vector & sampled(rows.ids)
