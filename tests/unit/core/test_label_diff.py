"""What labels made anew would change."""

from dataclasses import replace

import numpy as np
import pytest

from daemon.core.label_diff import Diff, StoredLabel, Turned, Unsaid, compare
from daemon.core.replaying import Relabeled
from daemon.core.states import ItemState
from labeling_functions.label_space import LabelSpace, set_of

SPACE = LabelSpace(("ham", "spam"))
HAM, SPAM = 0, 1
SAME = StoredLabel(b"d", HAM, 0.8, ItemState.READY)


def found(*labels: int, scores: tuple[float, ...] | None = None) -> Relabeled:
    """Items a, b, c ... with these labels, and content `d`."""
    n = len(labels)
    ids = [chr(ord("a") + place) for place in range(n)]
    sure = np.array(scores or (0.8,) * n, np.float32)
    return Relabeled(
        ids=ids,
        digests=[b"d"] * n,
        labels=np.array(labels),
        posterior=np.empty((n, 0), np.float32),
        scores=sure,
        votes=np.ones(n, int),
        inline=np.ones((n, 1), np.int8),
        rejected=(),
    )


def test_what_stays_and_what_turns_is_counted_and_named() -> None:
    stored = {"a": SAME, "b": replace(SAME, state=ItemState.CERTIFIED), "c": replace(SAME, label=SPAM)}
    diff, turned = compare(found(HAM, SPAM, SPAM), stored, SPACE, 0.5)
    assert (diff.same, diff.turned, diff.compared) == (2, 1, 3)
    assert diff.turns == {"ham": {"spam": 1}} and diff.turned_from == {"certified": 1}
    assert turned == [Turned("b", "ham", "spam", 0.8, pytest.approx(0.8), "certified")]


def test_scores_that_pass_the_bar_in_either_direction() -> None:
    stored = {"a": SAME, "b": SAME, "c": replace(SAME, score=0.95), "d": replace(SAME, score=0.95)}
    diff, _ = compare(found(HAM, HAM, HAM, HAM, scores=(0.9, 0.89, 0.1, 0.99)), stored, SPACE, 0.9)
    assert (diff.newly_confident, diff.no_longer_confident) == (1, 1)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (None, Unsaid.NOT_STORED),
        (replace(SAME, digest=b"other"), Unsaid.OTHER_CONTENT),
        (replace(SAME, by_people=True), Unsaid.PEOPLE),
        (replace(SAME, state=ItemState.HUMAN), Unsaid.PEOPLE),
        (replace(SAME, by_models=True), Unsaid.MODELS),
        (replace(SAME, state=ItemState.FROZEN), Unsaid.FROZEN),
        (replace(SAME, shared=True), Unsaid.SUBJECT),
    ],
)
def test_what_rests_on_more_than_the_archive_holds_is_left_open(
    stored: StoredLabel | None, reason: Unsaid
) -> None:
    diff, turned = compare(found(SPAM), {} if stored is None else {"a": stored}, SPACE, 0.5)
    assert diff == Diff(unsaid={reason.value: 1}) and not turned


def test_chunks_add_up_to_what_one_would_have_counted() -> None:
    stored = {"a": SAME, "b": SAME, "c": replace(SAME, label=SPAM, score=0.1)}
    whole, _ = compare(found(SPAM, HAM, HAM, SPAM), stored, SPACE, 0.5)
    total = Diff()
    rows = found(SPAM, HAM, HAM, SPAM)
    for row in range(4):
        part = replace(
            rows,
            ids=rows.ids[row : row + 1],
            digests=[b"d"],
            labels=rows.labels[row : row + 1],
            scores=rows.scores[row : row + 1],
        )
        total.add(compare(part, stored, SPACE, 0.5)[0])
    assert total == whole and whole.unsaid == {"not_stored": 1}


def test_sets_are_told_by_their_names() -> None:
    space = LabelSpace(("bill", "parcel", "thanks"), sets=True)
    stored = {"a": replace(SAME, label=set_of([0, 2]))}
    diff, _ = compare(found(0), stored, space, 0.5)
    assert diff.turns == {"bill, thanks": {"none": 1}}
