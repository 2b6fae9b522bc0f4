"""How often people and language models agreed with an expert who answered later."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, and_, case, func, select

from daemon.adapters.store.first_answers import first_labels
from daemon.adapters.store.schema import annotators, answers
from daemon.core.report_rows import AnnotatorRecord
from daemon.core.states import RANDOM_PURPOSES, AnnotatorKind
from labeling_functions.analysis import Accuracy


def annotator_records(connection: Connection, final: Collection[str]) -> Sequence[AnnotatorRecord]:
    """All that voted on items which chance did not pick, by tier and name, versions oldest first.

    `final`: tiers whose answers are the truth.
    """
    known = first_labels(final)
    checked = and_(known.c.id.is_not(None), answers.c.id < known.c.id)
    right = and_(checked, answers.c.labels == known.c.labels)
    query = (
        select(
            annotators.c.name,
            annotators.c.version,
            annotators.c.kind,
            annotators.c.tier,
            func.count().label("answers"),
            func.sum(case((checked, 1), else_=0)).label("checked"),
            func.sum(case((right, 1), else_=0)).label("right"),
        )
        .join(answers, answers.c.annotator == annotators.c.id)
        .outerjoin(known, known.c.item == answers.c.item)
        .where(
            annotators.c.kind.in_([AnnotatorKind.PERSON.value, AnnotatorKind.LLM.value]),
            answers.c.purpose.not_in([purpose.value for purpose in RANDOM_PURPOSES]),
            answers.c.retracted_at.is_(None),
        )
        .group_by(
            annotators.c.id, annotators.c.name, annotators.c.version, annotators.c.kind, annotators.c.tier
        )
        .order_by(annotators.c.tier, annotators.c.name, annotators.c.id)
    )
    return [
        AnnotatorRecord(
            name=row.name,
            version=row.version if row.kind == AnnotatorKind.LLM.value else "",
            kind=AnnotatorKind(row.kind),
            tier=row.tier,
            answers=int(row.answers),
            accuracy=Accuracy.of(int(row.right), int(row.checked)),
        )
        for row in connection.execute(query)
    ]
