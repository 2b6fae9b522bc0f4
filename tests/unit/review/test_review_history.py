"""An item's history: everything in order, and what each published label did to its probability."""

from dataclasses import replace

from daemon.core.states import AnnotatorKind, ItemState, LabelStatus, Purpose, QuestionState
from daemon.core.story_rows import (
    AskedQuestion,
    ControlAnswer,
    GivenAnswer,
    ItemStory,
    LabelRevision,
    RaisedFlag,
    VouchedLabel,
)
from daemon.review.history import history_of
from labeling_functions.label_space import LabelSpace

SPACE = LabelSpace(("ham", "spam"))
TOPICS = LabelSpace(("billing", "delivery"), sets=True)


def _story(**parts: list) -> ItemStory:
    text = b'{"id": "a", "text": "hello"}'
    told = {"votes": [], "answers": [], "revisions": [], "questions": [], **parts}
    return ItemStory("a", text, 10, ItemState.ASKING, 0, 0.9, (0.9, 0.1), None, None, None, **told)


def _asked(state: QuestionState, created: int, closed: int | None) -> AskedQuestion:
    return AskedQuestion(1, "expert", Purpose.AUDIT, state, 1.0, 1, created, closed)


def _answer(at: int, retracted_at: int | None = None) -> GivenAnswer:
    person = AnnotatorKind.PERSON
    return GivenAnswer("ann", person, "expert", Purpose.AUDIT, 1, 3.0, 0, at, retracted_at)


def _revision(number: int, label: int, spam: float, status: LabelStatus, **where: int) -> LabelRevision:
    places = {"window": None, "bundle": None, **where}
    return LabelRevision(
        number, label, (1 - spam, spam), status, places["window"], places["bundle"], 0, 10 + 10 * number
    )


def test_everything_is_told_in_order_with_who_and_why() -> None:
    story = _story(
        questions=[_asked(QuestionState.ANSWERED, 12, 25)],
        answers=[_answer(25, retracted_at=28)],
        revisions=[
            _revision(1, 0, 0.25, LabelStatus.PROVISIONAL),
            _revision(2, 1, 0.75, LabelStatus.HUMAN, window=4, bundle=7),
        ],
    )
    assert [(one.what, one.who, one.why, one.label) for one in history_of(story, SPACE)] == [
        ("arrived", "", "", None),
        ("asked", "expert", "audit", None),
        ("published", "built-in priors", "provisional", "ham"),
        ("answered", "ann", "audit", "spam"),
        ("taken back", "ann", "", "spam"),
        ("published", "bundle 7", "human, audited in window 4", "spam"),
    ]


def test_flags_control_questions_and_who_vouches_are_told() -> None:
    story = _story(
        flags=[RaisedFlag("ann", "crowd", "two languages", 40)],
        controls=[ControlAnswer("ben", 0, False, 30), ControlAnswer("ann", 1, True, 20)],
    )
    told = history_of(replace(story, vouched=VouchedLabel(1, "lead", 15)), SPACE)
    assert [(one.what, one.who, one.why, one.label) for one in told[1:]] == [
        ("vouched for", "lead", "", "spam"),
        ("answered as a control", "ann", "right", "spam"),
        ("answered as a control", "ben", "wrong", "ham"),
        ("flagged", "ann", "two languages", None),
    ]


def test_a_published_label_is_told_with_its_probability_before_and_after() -> None:
    story = _story(
        revisions=[
            _revision(1, 0, 0.25, LabelStatus.PROVISIONAL),
            _revision(2, 1, 0.75, LabelStatus.CERTIFIED, window=4),
        ]
    )
    _, first, second = history_of(story, SPACE)
    assert (first.before, first.after) == (None, 0.75)
    assert (second.before, second.after) == (0.25, 0.75)
    assert second.why == "certified, in window 4"


def test_of_sets_the_probability_is_of_the_whole_set() -> None:
    story = _story(
        revisions=[
            LabelRevision(1, 0b01, (0.5, 0.5, 0.5, 0.5), LabelStatus.PROVISIONAL, None, None, 0, 20),
            LabelRevision(2, 0b11, (0.25, 0.75, 0.5, 0.5), LabelStatus.PROVISIONAL, None, None, 0, 30),
        ]
    )
    last = history_of(story, TOPICS)[-1]
    assert (last.label, last.before, last.after) == (["billing", "delivery"], 0.25, 0.375)


def test_questions_that_nobody_answered_say_how_they_ended() -> None:
    ends = [QuestionState.CANCELLED, QuestionState.EXPIRED, QuestionState.PASSED, QuestionState.LEASED]
    story = _story(questions=[_asked(state, 11, 20) for state in ends])
    assert [one.what for one in history_of(story, SPACE)][5:] == ["withdrawn", "expired", "passed on"]


def test_in_the_same_millisecond_answers_come_before_what_they_changed() -> None:
    story = _story(answers=[_answer(20)], revisions=[_revision(1, 1, 0.75, LabelStatus.HUMAN)])
    assert [one.what for one in history_of(story, SPACE)] == ["arrived", "answered", "published"]
