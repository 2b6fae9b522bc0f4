"""An item's story as the API tells it."""

from daemon.core.report_rows import ItemStory, LabelRevision, StoredCertificate
from daemon.core.states import AuditProtocol, ItemState, LabelStatus
from daemon.review.story_view import item_out


def _story(
    state: ItemState, score: float, posterior: tuple[float, ...], revisions: list[LabelRevision]
) -> ItemStory:
    text = b'{"id": "a", "text": "hello"}'
    return ItemStory("a", text, 1, state, 0, score, posterior, None, None, None, [], [], revisions, [])


def test_an_audited_item_is_as_sure_as_its_answer() -> None:
    audited = item_out(_story(ItemState.HUMAN, 0.63, (0.98, 0.02), []), ("ham", "spam"))
    assert (audited.score, audited.sure) == (0.63, 0.98)
    open_item = item_out(_story(ItemState.ASKING, 0.63, (0.7, 0.3), []), ("ham", "spam"))
    assert open_item.sure == 0.63


def test_each_published_label_tells_what_it_was_released_under() -> None:
    certificate = StoredCertificate(7, 0.05, 0.1, 0.93, AuditProtocol.DOUBLE)
    revisions = [
        LabelRevision(1, 0, (0.9, 0.1), LabelStatus.PROVISIONAL, None, None, 0, 1),
        LabelRevision(2, 0, (0.9, 0.1), LabelStatus.CERTIFIED, 7, None, 0, 2, certificate),
    ]
    story = _story(ItemState.CERTIFIED, 0.9, (0.9, 0.1), revisions)
    told = item_out(story, ("ham", "spam")).model_dump()["revisions"]
    assert told[0]["certificate"] is None
    assert told[1]["certificate"] == {
        "alpha": 0.05,
        "delta": 0.1,
        "window": 7,
        "threshold": 0.93,
        "protocol": "double",
    }
