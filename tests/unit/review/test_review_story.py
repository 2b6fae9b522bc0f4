"""An item's story as the API tells it."""

from daemon.core.report_rows import ItemStory, LabelRevision, StoredCertificate
from daemon.core.states import AuditProtocol, ItemState, LabelStatus
from daemon.review.story_view import item_out


def test_each_published_label_tells_what_it_was_released_under() -> None:
    certificate = StoredCertificate(7, 0.05, 0.1, 0.93, AuditProtocol.DOUBLE)
    revisions = [
        LabelRevision(1, 0, (0.9, 0.1), LabelStatus.PROVISIONAL, None, None, 0, 1),
        LabelRevision(2, 0, (0.9, 0.1), LabelStatus.CERTIFIED, 7, None, 0, 2, certificate),
    ]
    story = ItemStory(
        "a",
        b'{"id": "a", "text": "hello"}',
        1,
        ItemState.CERTIFIED,
        0,
        0.9,
        (0.9, 0.1),
        None,
        None,
        None,
        [],
        [],
        revisions,
        [],
    )
    told = item_out(story, ("ham", "spam")).model_dump()["revisions"]
    assert told[0]["certificate"] is None
    assert told[1]["certificate"] == {
        "alpha": 0.05,
        "delta": 0.1,
        "window": 7,
        "threshold": 0.93,
        "protocol": "double",
    }
