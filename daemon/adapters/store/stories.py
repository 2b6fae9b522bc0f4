"""One item with everything that happened to it, and the labels that came last."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, and_, select

from daemon.adapters.store import annotating
from daemon.adapters.store.bulk import among
from daemon.adapters.store.codec import f4, i1, label_of
from daemon.adapters.store.schema import (
    annotators,
    answers,
    bundles,
    controls,
    flags,
    items,
    labels,
    questions,
    truths,
    windows,
)
from daemon.core.report_rows import RecentLabel
from daemon.core.states import (
    AnnotatorKind,
    AuditProtocol,
    ItemState,
    LabelStatus,
    Purpose,
    QuestionState,
)
from daemon.core.story_rows import (
    AskedQuestion,
    CastVote,
    ControlAnswer,
    GivenAnswer,
    ItemStory,
    LabelRevision,
    RaisedFlag,
    StoredCertificate,
    VouchedLabel,
)


def story(connection: Connection, id_: str) -> ItemStory | None:
    """Everything about one item; None if there is none of this id."""
    row = connection.execute(select(items).where(items.c.id == id_)).one_or_none()
    if row is None:
        return None
    return ItemStory(
        id=row.id,
        payload=bytes(row.payload),
        arrived=row.arrived,
        state=ItemState(row.state),
        label=label_of(row.labels),
        score=float(row.score),
        posterior=_numbers(row.posterior),
        classifier=_said(row.classifier),
        window=row.window,
        bundle=row.bundle,
        votes=_votes(connection, row),
        answers=_answers(connection, id_),
        revisions=(revisions := _revisions(connection, id_)),
        questions=_questions(connection, id_),
        runs=_runs(connection, [row.bundle, *(one.bundle for one in revisions)]),
        flags=_flags(connection, id_),
        controls=_controls(connection, id_),
        vouched=_vouched(connection, id_),
    )


def recent(connection: Connection, limit: int) -> list[RecentLabel]:
    """Current labels of items that came or were answered lately, newest label first.

    The items are found through indexes: labels themselves are in no order of time.
    """
    published = select(items.c.id).where(items.c.revision > 0)
    arrived = published.order_by(items.c.arrived.desc()).limit(limit)
    answered = select(answers.c.item).order_by(answers.c.id.desc()).limit(limit)
    ids = {*connection.execute(arrived).scalars(), *connection.execute(answered).scalars()}
    current = and_(labels.c.item == items.c.id, labels.c.revision == items.c.revision)
    query = (
        select(items.c.payload, labels)
        .join(labels, current)
        .where(among(connection, items.c.id, ids))
        .order_by(labels.c.at.desc(), labels.c.item)
        .limit(limit)
    )
    return [
        RecentLabel(
            item=row.item,
            payload=bytes(row.payload),
            revision=row.revision,
            label=label_of(row.labels),
            probabilities=_numbers(row.probabilities),
            status=LabelStatus(row.status),
            at=row.at,
        )
        for row in connection.execute(query)
    ]


def _numbers(data: bytes) -> tuple[float, ...]:
    return tuple(float(number) for number in f4(data))


def _said(classifier: bytes | None) -> tuple[float, ...] | None:
    """The classifier's probabilities; None where it said nothing, as of an item without a vector."""
    numbers = None if classifier is None else _numbers(classifier)
    return None if numbers is None or np.isnan(numbers).any() else numbers


def _votes(connection: Connection, row: Row[Any]) -> Sequence[CastVote]:
    if row.functions not in annotating.members(connection, [row.functions]):
        return []
    functions = annotating.functions_of(connection, row.functions)
    said = i1(row.inline).reshape(len(functions), len(row.labels)).tolist()
    return [
        CastVote(function.name, function.version, tuple(options))
        for function, options in zip(functions, said, strict=True)
    ]


def _answers(connection: Connection, id_: str) -> list[GivenAnswer]:
    query = (
        select(answers, annotators.c.name, annotators.c.kind, annotators.c.tier, annotators.c.version)
        .join(annotators, annotators.c.id == answers.c.annotator)
        .where(answers.c.item == id_)
        .order_by(answers.c.id)
    )
    return [
        GivenAnswer(
            name=row.name,
            kind=AnnotatorKind(row.kind),
            tier=row.tier,
            purpose=Purpose(row.purpose),
            label=label_of(row.labels),
            seconds=float(row.seconds),
            cost=row.cost,
            at=row.at,
            retracted_at=row.retracted_at,
            trace=row.trace,
            version=row.version if row.kind == AnnotatorKind.LLM.value else "",
        )
        for row in connection.execute(query)
    ]


def _revisions(connection: Connection, id_: str) -> list[LabelRevision]:
    terms = (windows.c.alpha, windows.c.delta, windows.c.tau, windows.c.protocol)
    query = (
        select(labels, *terms)
        .outerjoin(windows, windows.c.id == labels.c.window)
        .where(labels.c.item == id_)
        .order_by(labels.c.revision)
    )
    return [
        LabelRevision(
            revision=row.revision,
            label=label_of(row.labels),
            probabilities=_numbers(row.probabilities),
            status=LabelStatus(row.status),
            window=row.window,
            bundle=row.bundle,
            cost=row.cost,
            at=row.at,
            certificate=_certificate(row),
        )
        for row in connection.execute(query)
    ]


def _runs(connection: Connection, ids: Sequence[int | None]) -> dict[int, str]:
    wanted = sorted({id_ for id_ in ids if id_ is not None})
    query = select(bundles.c.id, bundles.c.run_id).where(bundles.c.id.in_(wanted))
    return {row.id: row.run_id for row in connection.execute(query) if row.run_id is not None}


def _certificate(row: Row[*tuple[Any, ...]]) -> StoredCertificate | None:
    if row.window is None or row.tau is None:
        return None
    return StoredCertificate(row.window, row.alpha, row.delta, row.tau, AuditProtocol(row.protocol))


def _questions(connection: Connection, id_: str) -> list[AskedQuestion]:
    query = select(questions).where(questions.c.item == id_).order_by(questions.c.id)
    return [
        AskedQuestion(
            id=row.id,
            tier=row.tier,
            purpose=Purpose(row.purpose),
            state=QuestionState(row.state),
            priority=row.priority,
            attempt=row.attempt,
            created=row.created,
            closed=row.closed,
        )
        for row in connection.execute(query)
    ]


def _flags(connection: Connection, id_: str) -> list[RaisedFlag]:
    query = (
        select(flags, annotators.c.name)
        .join(annotators, annotators.c.id == flags.c.annotator)
        .where(flags.c.item == id_)
        .order_by(flags.c.id)
    )
    return [RaisedFlag(row.name, row.tier, row.note, row.at) for row in connection.execute(query)]


def _controls(connection: Connection, id_: str) -> list[ControlAnswer]:
    query = (
        select(controls, annotators.c.name)
        .join(annotators, annotators.c.id == controls.c.annotator)
        .where(controls.c.item == id_, controls.c.labels.is_not(None))
        .order_by(controls.c.at, controls.c.question)
    )
    return [
        ControlAnswer(row.name, label_of(row.labels), row.labels == row.truth, row.at)
        for row in connection.execute(query)
    ]


def _vouched(connection: Connection, id_: str) -> VouchedLabel | None:
    row = connection.execute(select(truths).where(truths.c.item == id_)).one_or_none()
    return None if row is None else VouchedLabel(label_of(row.labels), row.source, row.at)
