"""What happened to an item, in order: who was asked why, who said what, and what became of its label."""

from collections.abc import Iterator

from daemon.core.states import LabelStatus, QuestionState
from daemon.core.story_rows import AskedQuestion, GivenAnswer, ItemStory, LabelRevision
from daemon.review.bodies import MomentOut
from daemon.review.rendering import label_name
from labeling_functions.label_space import LabelSpace

ORDER = (
    "arrived",
    "vouched for",
    "asked",
    "answered",
    "answered as a control",
    "flagged",
    "taken back",
    "published",
    "withdrawn",
    "expired",
    "passed on",
)
"""Of what happened in the same millisecond."""

ENDED = {
    QuestionState.CANCELLED: "withdrawn",
    QuestionState.EXPIRED: "expired",
    QuestionState.PASSED: "passed on",
}
"""How questions end that nobody answered."""


def history_of(story: ItemStory, space: LabelSpace) -> list[MomentOut]:
    """Oldest first."""
    moments = [
        MomentOut(at=story.arrived, what="arrived"),
        *(moment for question in story.questions for moment in _question(question)),
        *(moment for answer in story.answers for moment in _answer(answer, space)),
        *_revisions(story, space),
        *_people(story, space),
    ]
    return sorted(moments, key=lambda moment: (moment.at, ORDER.index(moment.what)))


def _question(one: AskedQuestion) -> Iterator[MomentOut]:
    yield MomentOut(at=one.created, what="asked", who=one.tier, why=one.purpose)
    if one.closed is not None and one.state in ENDED:
        yield MomentOut(at=one.closed, what=ENDED[one.state], who=one.tier, why=one.purpose)


def _answer(one: GivenAnswer, space: LabelSpace) -> Iterator[MomentOut]:
    label = label_name(one.label, space)
    yield MomentOut(at=one.at, what="answered", who=one.name, why=one.purpose, label=label)
    if one.retracted_at is not None:
        yield MomentOut(at=one.retracted_at, what="taken back", who=one.name, label=label)


def _people(story: ItemStory, space: LabelSpace) -> Iterator[MomentOut]:
    for flag in story.flags:
        yield MomentOut(at=flag.at, what="flagged", who=flag.name, why=flag.note)
    for one in story.controls:
        told = "right" if one.is_right else "wrong"
        label = label_name(one.label, space)
        yield MomentOut(at=one.at, what="answered as a control", who=one.name, why=told, label=label)
    if (vouched := story.vouched) is not None:
        label = label_name(vouched.label, space)
        yield MomentOut(at=vouched.at, what="vouched for", who=vouched.source, label=label)


def _revisions(story: ItemStory, space: LabelSpace) -> Iterator[MomentOut]:
    before: LabelRevision | None = None
    for one in story.revisions:
        yield MomentOut(
            at=one.at,
            what="published",
            who="built-in priors" if one.bundle is None else f"bundle {one.bundle}",
            why=_reason(one),
            label=label_name(one.label, space),
            before=None if before is None else space.likely(one.label, before.probabilities),
            after=space.likely(one.label, one.probabilities),
        )
        before = one


def _reason(one: LabelRevision) -> str:
    if one.window is None:
        return one.status.value
    place = "in" if one.status == LabelStatus.CERTIFIED else "audited in"
    return f"{one.status.value}, {place} window {one.window}"
