"""Stored items as the API tells them: classes named, money in currency."""

from collections.abc import Sequence

from daemon.core.report_rows import RecentLabel
from daemon.core.settings import MICROS
from daemon.core.states import ItemState
from daemon.core.story_rows import CastVote, GivenAnswer, ItemStory, LabelRevision, StoredCertificate
from daemon.review.bodies import (
    CertificateOut,
    FieldOut,
    GivenAnswerOut,
    ItemOut,
    LabelOut,
    QuestionOut,
    RevisionOut,
    SetVoteOut,
    VoteOut,
)
from daemon.review.history import history_of
from daemon.review.rendering import class_name, fields_of, label_name, snippet
from labeling_functions.label_space import LabelSpace


def fields_out(fields: Sequence[tuple[str, str]]) -> list[FieldOut]:
    """What an annotator sees of an item."""
    return [FieldOut(name=name, text=text) for name, text in fields]


def label_out(row: RecentLabel, space: LabelSpace) -> LabelOut:
    """A current label."""
    return LabelOut(
        item=row.item,
        text=snippet(row.payload),
        revision=row.revision,
        label=label_name(row.label, space),
        probability=space.likely(row.label, row.probabilities),
        status=row.status,
        at=row.at,
    )


def item_out(story: ItemStory, space: LabelSpace) -> ItemOut:
    """An item's story."""
    return ItemOut(
        id=story.id,
        fields=fields_out(fields_of(story.payload)),
        arrived=story.arrived,
        state=story.state,
        label=label_name(story.label, space),
        score=story.score,
        sure=_sure(story, space),
        posterior=_named(story.posterior, space),
        classifier=None if story.classifier is None else _named(story.classifier, space),
        window=story.window,
        bundle=story.bundle,
        votes=[_vote(vote, space) for vote in story.votes],
        answers=[_answer(one, space) for one in story.answers],
        revisions=[_revision(one, space) for one in story.revisions],
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
        history=history_of(story, space),
        runs=dict(story.runs),
    )


def _sure(story: ItemStory, space: LabelSpace) -> float:
    """A score stays as it was frozen; what people said about an audited item is in the posterior alone."""
    if story.state == ItemState.HUMAN and story.label >= 0:
        return space.likely(story.label, story.posterior)
    return story.score


def _named(posterior: Sequence[float], space: LabelSpace) -> dict[str, float]:
    likely = space.by_class(posterior)
    return {class_name(place, space.classes): round(number, 6) for place, number in enumerate(likely)}


def _vote(vote: CastVote, space: LabelSpace) -> VoteOut | SetVoteOut:
    if not space.sets:
        (label,) = vote.options
        said = class_name(label, space.classes) if label >= 0 else None
        return VoteOut(function=vote.name, version=vote.version, label=said)
    apply, do_not = space.sides(vote.options)
    return SetVoteOut(function=vote.name, version=vote.version, label=apply, denied=do_not)


def _answer(one: GivenAnswer, space: LabelSpace) -> GivenAnswerOut:
    return GivenAnswerOut(
        annotator=one.name,
        version=one.version,
        kind=one.kind,
        tier=one.tier,
        purpose=one.purpose,
        label=label_name(one.label, space),
        seconds=one.seconds,
        cost=one.cost / MICROS,
        at=one.at,
        retracted_at=one.retracted_at,
        trace=one.trace,
    )


def _revision(one: LabelRevision, space: LabelSpace) -> RevisionOut:
    return RevisionOut(
        revision=one.revision,
        label=label_name(one.label, space),
        probabilities=_named(one.probabilities, space),
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
