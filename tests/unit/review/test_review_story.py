"""An item's story as the API tells it."""

from dataclasses import replace

import pytest

from daemon.core.states import AuditProtocol, ItemState, LabelStatus
from daemon.core.story_rows import CastVote, ItemStory, LabelRevision, StoredCertificate
from daemon.review.story_view import item_out
from labeling_functions.label_space import LabelSpace

SPACE = LabelSpace(("ham", "spam"))
TOPICS = LabelSpace(("billing", "delivery", "praise"), sets=True)


def _story(
    state: ItemState, score: float, posterior: tuple[float, ...], revisions: list[LabelRevision]
) -> ItemStory:
    text = b'{"id": "a", "text": "hello"}'
    return ItemStory("a", text, 1, state, 0, score, posterior, None, None, None, [], [], revisions, [])


def test_an_audited_item_is_as_sure_as_its_answer() -> None:
    audited = item_out(_story(ItemState.HUMAN, 0.63, (0.98, 0.02), []), SPACE)
    assert (audited.score, audited.sure) == (0.63, 0.98)
    open_item = item_out(_story(ItemState.ASKING, 0.63, (0.7, 0.3), []), SPACE)
    assert open_item.sure == 0.63


def test_each_published_label_tells_what_it_was_released_under() -> None:
    certificate = StoredCertificate(7, 0.05, 0.1, 0.93, AuditProtocol.DOUBLE)
    revisions = [
        LabelRevision(1, 0, (0.9, 0.1), LabelStatus.PROVISIONAL, None, None, 0, 1),
        LabelRevision(2, 0, (0.9, 0.1), LabelStatus.CERTIFIED, 7, None, 0, 2, certificate),
    ]
    story = _story(ItemState.CERTIFIED, 0.9, (0.9, 0.1), revisions)
    told = item_out(story, SPACE).model_dump()["revisions"]
    assert told[0]["certificate"] is None
    assert told[1]["certificate"] == {
        "alpha": 0.05,
        "delta": 0.1,
        "window": 7,
        "threshold": 0.93,
        "protocol": "double",
    }


def test_a_set_is_told_by_its_names_and_votes_by_their_sides() -> None:
    posterior = (0.1, 0.9, 0.8, 0.2, 0.5, 0.5)
    votes = [CastVote("hints", "1", (1, -1, 0)), CastVote("silent", "1", (-1, -1, -1))]
    story = replace(_story(ItemState.HUMAN, 0.63, posterior, []), label=0b001, votes=votes)
    told = item_out(story, TOPICS)
    assert told.label == ["billing"]
    assert told.sure == pytest.approx(0.9 * 0.8 * 0.5)
    assert told.posterior == {"billing": 0.9, "delivery": 0.2, "praise": 0.5}
    assert told.model_dump(by_alias=True)["votes"] == [
        {"function": "hints", "version": "1", "label": ["billing"], "not": ["praise"]},
        {"function": "silent", "version": "1", "label": [], "not": []},
    ]
