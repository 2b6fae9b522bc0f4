"""What goes over the REST API."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

VISIBLE = r"^[^\x00-\x1f\x7f]*$"
"""No control characters: a database may not take them, and nobody sees them."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=VISIBLE)]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


Said = str | list[str]
"""A label: the name of a class, or of multilabel tasks a list of those that apply."""

SAID = "Name of the class; of multilabel tasks a list of those that apply."


class Body(BaseModel):
    """What a call sends; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Enrollment(Body):
    """Who wants to answer."""

    name: Name = Field(description="Name of the reviewer; the same name and tier are the same reviewer.")
    tier: Name = Field(description="Tier whose questions the reviewer answers.")


class LeaseWish(Body):
    """How many items a reviewer wants to hold."""

    reviewer: Id = Field(description="Id that POST /api/reviewers gave.")
    tier: Name = Field(description="The reviewer's tier.")
    count: int = Field(1, ge=1, le=100, description="Items wanted, those already held included.")


class NewAnswer(Body):
    """An answer to a leased question."""

    question: Id = Field(description="The question.")
    reviewer: Id = Field(description="Who answers.")
    label: str | None = Field(
        None,
        description="Name of a class. Of pairs on a scale also 1 (A much better) to 5 (B much better). "
        "Multilabel tasks take `labels` instead.",
    )
    labels: list[str] | None = Field(
        None,
        description="Of multilabel tasks, and of these alone: names of all classes that apply; [] where none "
        "does.",
    )
    seconds: float = Field(0.0, ge=0, le=86_400, description="Seconds that the reviewer took.")


class Skip(Body):
    """A question that a reviewer leaves to others."""

    question: Id = Field(description="The question.")
    reviewer: Id = Field(description="Who skips it.")


class Flag(Body):
    """An item that is to go up a tier."""

    question: Id = Field(description="The question.")
    reviewer: Id = Field(description="Who wants it so.")
    note: str = Field("", max_length=500, description="Why.")


class Undo(Body):
    """Wish to take the last answer back."""

    reviewer: Id = Field(description="Whose last answer.")
    question: Id | None = Field(
        None, description="Take back an answer to this question only; then a repeated call changes nothing."
    )


class TaskOut(BaseModel):
    """What is asked."""

    name: str
    kind: str
    classes: list[str] = Field(
        description="Class names; answers name one of them, of a multilabel task any number."
    )
    descriptions: dict[str, str] = Field(description="Class name -> what belongs there.")
    guidelines: str = Field(description="What people read before they answer; Markdown.")
    tiers: list[str] = Field(description="Tiers that reviewers can enroll in.")
    scale: bool = Field(description="Whether pairs are compared on five points.")


class ReviewerOut(BaseModel):
    """A registered reviewer."""

    id: int
    name: str
    tier: str


class FieldOut(BaseModel):
    """One field of an item, as text."""

    name: str
    text: str


class ImageOut(BaseModel):
    """A picture of an item."""

    address: str
    shown: bool = Field(
        description="Whether the pages load it: it is inside of the message, or its origin is allowed."
    )


class SuggestionOut(BaseModel):
    """What the votes at hand say, where the tier has `suggest`; never of blind questions."""

    label: Said = Field(description=SAID)
    sure: float = Field(description="Probability that it is right.")


class MarkOut(BaseModel):
    """Words that a heuristic found, where the tier has `highlight`; never of blind questions."""

    field: str
    start: int = Field(description="First character, in code points.")
    end: int = Field(description="Behind the last.")
    function: str


class EarlierOut(BaseModel):
    """What somebody of another tier answered."""

    tier: str
    label: Said = Field(description=SAID)


class LeaseOut(BaseModel):
    """An item that a reviewer holds. Nothing is told of why it is asked, and of what others think of it only
    what the tier is set to show."""

    question: int
    item: str
    fields: list[FieldOut]
    images: list[ImageOut]
    until: int = Field(description="End of the lease, milliseconds since 1970, UTC.")
    turned: bool = Field(
        description="Whether response B of a pair is to be shown first: drawn by question, so that what "
        "people prefer for its place cancels. Answers are in terms of A and B all the same."
    )
    suggestion: SuggestionOut | None
    marks: list[MarkOut]
    earlier: list[EarlierOut] = Field(description="Oldest first; empty unless the tier is set to show them.")


class LeasesOut(BaseModel):
    """The reviewer's items, best first."""

    leases: list[LeaseOut]
    unpaid: int = Field(description="Where there are none: open questions that wait for the tier's budget.")


class AnswerOut(BaseModel):
    """The answer is recorded."""

    question: int


class UndoOut(BaseModel):
    """The question again, or null if there was nothing to take back."""

    lease: LeaseOut | None


class Done(BaseModel):
    """It is done."""

    ok: bool = True


class QueueOut(BaseModel):
    """How one queue stands."""

    tier: str
    purpose: str
    open: int
    leased: int
    answered: int
    oldest_seconds: float = Field(description="Age of the oldest open question.")


class QueuesOut(BaseModel):
    """All queues."""

    queues: list[QueueOut]


class LabelOut(BaseModel):
    """The current label of an item."""

    item: str
    text: str = Field(description="The beginning of the item's text.")
    revision: int
    label: Said = Field(description=SAID)
    probability: float = Field(description="Of the label, as a whole.")
    status: str
    at: int = Field(description="Milliseconds since 1970, UTC.")


class LabelsOut(BaseModel):
    """Labels, newest first."""

    labels: list[LabelOut]


class VoteOut(BaseModel):
    """A labeling function's vote; null for an abstention."""

    function: str
    version: str = Field(description="Hash of its source.")
    label: str | None


class SetVoteOut(BaseModel):
    """A labeling function's vote of a multilabel task; of classes in neither list it says nothing."""

    function: str
    version: str = Field(description="Hash of its source.")
    label: list[str] = Field(description="Classes that apply.")
    denied: list[str] = Field(serialization_alias="not", description="Classes that do not.")


class GivenAnswerOut(BaseModel):
    """An answer on an item."""

    annotator: str
    version: str = Field(description="Of how a language model was asked; empty for people.")
    kind: str
    tier: str | None
    purpose: str
    label: Said = Field(description=SAID)
    seconds: float
    cost: float
    at: int
    retracted_at: int | None
    trace: str | None = Field(
        description="Of a language model's answer that is traced; /traces/ID leads to MLflow's page."
    )


class CertificateOut(BaseModel):
    """What a label was released under, as in its message on topic `labels`."""

    alpha: float
    delta: float
    window: int
    threshold: float
    protocol: str


class RevisionOut(BaseModel):
    """A label as it was published."""

    revision: int
    label: Said = Field(description=SAID)
    probabilities: dict[str, float] = Field(
        description="How likely each class is; of multilabel tasks, that it applies."
    )
    status: str
    window: int | None
    bundle: int | None
    cost: float
    at: int
    certificate: CertificateOut | None = Field(description="Null for labels that no window released.")


class QuestionOut(BaseModel):
    """A question on an item."""

    id: int
    tier: str
    purpose: str
    state: str
    attempt: int = Field(description="How often it was leased.")
    created: int
    closed: int | None


class MomentOut(BaseModel):
    """Something that happened to an item."""

    at: int = Field(description="Milliseconds since 1970, UTC.")
    what: str = Field(
        description="arrived, vouched for, asked, answered, answered as a control, flagged, taken back, "
        "published, withdrawn, expired or passed on."
    )
    who: str = Field(
        default="", description="The tier that was asked, the annotator, who vouches, or what decided."
    )
    why: str = Field(
        default="",
        description="What a question was for, what a label rests on, the note of a flag, or whether the "
        "answer to a control question was right.",
    )
    label: Said | None = Field(default=None, description=SAID)
    before: float | None = Field(
        default=None, description="Of a published label: how likely it was by the revision before, if any."
    )
    after: float | None = Field(
        default=None, description="Of a published label: how likely it is by this revision."
    )


class ItemOut(BaseModel):
    """Everything about one item."""

    id: str
    fields: list[FieldOut]
    arrived: int
    state: str
    label: Said = Field(description=SAID)
    score: float = Field(description="Calibrated probability that the label is right.")
    sure: float = Field(description="The same with what people answered since.")
    posterior: dict[str, float] = Field(
        description="How likely each class is; of multilabel tasks, that it applies."
    )
    classifier: dict[str, float] | None
    window: int | None
    bundle: int | None
    votes: list[VoteOut | SetVoteOut]
    answers: list[GivenAnswerOut]
    revisions: list[RevisionOut]
    questions: list[QuestionOut]
    history: list[MomentOut] = Field(description="Everything that happened, oldest first.")
    runs: dict[int, str] = Field(description="Bundle -> id of its training run; /runs/ID leads to MLflow.")
