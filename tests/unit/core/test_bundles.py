"""Which models a worker follows when what is stored cannot be read."""

from dataclasses import dataclass, field

import pytest

from daemon.core.bundles import BundleFollower, Current
from daemon.core.learning_rows import StoredBundle
from models.bundle import Bundle

PRIORS = Bundle.from_priors(("a", "b"), {})
GOOD = Bundle.from_priors(("a", "b"), {"crowd": 0.8}).to_bytes()
DAMAGED = GOOD[:-50]


@dataclass
class Shelf:
    """A store with one promoted bundle; counts how often it handed one out."""

    stored: StoredBundle | None = None
    given: list[int] = field(default_factory=list)

    def promote(self, id_: int, data: bytes) -> None:
        self.stored = StoredBundle(id_, "digest", data, 0, None, None)

    def current_bundle(self, known: int | None) -> StoredBundle | None:
        if self.stored is None or self.stored.id == known:
            return None
        self.given.append(self.stored.id)
        return self.stored


def follower(shelf: Shelf) -> BundleFollower:
    return BundleFollower(shelf, PRIORS, seconds=0.0)  # type: ignore[arg-type]


def test_damaged_models_leave_those_before_in_use_and_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()
    following = follower(shelf)
    assert following.current() == Current(None, PRIORS)
    shelf.promote(1, GOOD)
    assert following.current().id == 1
    shelf.promote(2, DAMAGED)
    assert [following.current().id, following.newest().id, following.current().id] == [1, 1, 1]
    assert shelf.given == [1, 2]
    (told,) = caplog.records
    assert told.__dict__["action"] == "bundle_refused"
    assert "bundle 2 is not used" in told.getMessage()
    shelf.promote(3, GOOD)
    assert following.current().id == 3


def test_without_any_before_there_are_the_priors() -> None:
    shelf = Shelf()
    shelf.promote(2, DAMAGED)
    assert follower(shelf).current() == Current(None, PRIORS)
