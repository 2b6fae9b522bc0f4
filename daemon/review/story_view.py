"""Stored items as the API tells them: classes named, money in currency."""

from collections.abc import Sequence

from daemon.core.report_rows import GivenAnswer, ItemStory, LabelRevision, RecentLabel, StoredCertificate
from daemon.core.settings import MICROS
from daemon.core.states import ItemState
from daemon.review.bodies import (
    CertificateOut,
    FieldOut,
    GivenAnswerOut,
    ItemOut,
    LabelOut,
    QuestionOut,
    RevisionOut,
    VoteOut,
)
from daemon.review.rendering import class_name, fields_of, snippet


def fields_out(payload: bytes) -> list[FieldOut]:
    """What an annotator sees of an item."""
    return [FieldOut(name=name, text=text) for name, text in fields_of(payload)]


def label_out(row: RecentLabel, classes: Sequence[str]) -> LabelOut:
    """A current label."""
    return LabelOut(
        item=row.item,
        text=snippet(row.payload),
        revision=row.revision,
        label=class_name(row.label, classes),
        probability=row.probability,
        status=row.status,
        at=row.at,
    )


def item_out(story: ItemStory, classes: Sequence[str]) -> ItemOut:
    """An item's story."""
    return ItemOut(
        id=story.id,
        fields=fields_out(story.payload),
        arrived=story.arrived,
        state=story.state,
        label=class_name(story.label, classes),
        score=story.score,
        sure=_sure(story),
        posterior=_named(story.posterior, classes),
        classifier=None if story.classifier is None else _named(story.classifier, classes),
        window=story.window,
        bundle=story.bundle,
        votes=[
            VoteOut(
                function=vote.name,
                label=class_name(vote.options[0], classes) if vote.options[0] >= 0 else None,
            )
            for vote in story.votes
        ],
        answers=[_answer(one, classes) for one in story.answers],
        revisions=[_revision(one, classes) for one in story.revisions],
        questions=[
            QuestionOut(
                id=one.id,
                tier=one.tier,
                purpose=one.purpose,
                state=one.state,
                attempt=one.attempt,
                created=one.created,
                closed=one.closed,
            )
            for one in story.questions
        ],
    )


def _sure(story: ItemStory) -> float:
    """A score stays as it was frozen; what people said about an audited item is in the posterior alone."""
    if story.state == ItemState.HUMAN and 0 <= story.label < len(story.posterior):
        return story.posterior[story.label]
    return story.score


def _named(numbers: Sequence[float], classes: Sequence[str]) -> dict[str, float]:
    return {class_name(index, classes): round(number, 6) for index, number in enumerate(numbers)}


def _answer(one: GivenAnswer, classes: Sequence[str]) -> GivenAnswerOut:
    return GivenAnswerOut(
        annotator=one.name,
        kind=one.kind,
        tier=one.tier,
        purpose=one.purpose,
        label=class_name(one.label, classes),
        seconds=one.seconds,
        cost=one.cost / MICROS,
        at=one.at,
        retracted_at=one.retracted_at,
        trace=one.trace,
    )


def _revision(one: LabelRevision, classes: Sequence[str]) -> RevisionOut:
    return RevisionOut(
        revision=one.revision,
        label=class_name(one.label, classes),
        probabilities=_named(one.probabilities, classes),
        status=one.status,
        window=one.window,
        bundle=one.bundle,
        cost=one.cost / MICROS,
        at=one.at,
        certificate=None if one.certificate is None else _certificate(one.certificate),
    )


def _certificate(one: StoredCertificate) -> CertificateOut:
    return CertificateOut(
        alpha=one.alpha,
        delta=one.delta,
        window=one.window,
        threshold=one.threshold,
        protocol=one.protocol,
    )
