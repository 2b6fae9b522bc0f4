"""How people err, read from the bundle that workers follow, on both databases."""

from dataclasses import replace

import numpy as np

from daemon.adapters.store.engine import Database
from daemon.adapters.store.erring import ErringRoom
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.stream import StreamRoom
from models.bundle import Bundle
from models.set_bundle import SetBundle


def test_nobody_before_the_first_promotion_then_those_of_the_current_bundle(database: Database) -> None:
    room, learning = ErringRoom(database), LearningRoom(database)
    duty = StreamRoom(database, {}).take_duty("learning", "me", 60)
    assert duty is not None
    blank = Bundle.from_priors(("ham", "spam"), {})
    first = replace(blank, people={"tier:crowd@7": np.eye(2)})
    kept = learning.save_bundle("one", first.to_bytes(), None, None)
    assert list(room.erring()) == []
    learning.promote(duty, kept)
    assert [(one.annotator, one.tier, one.options) for one in room.erring()] == [
        (7, "crowd", ("ham", "spam"))
    ]
    sets = SetBundle.from_priors(("billing", "praise"), {})
    told = replace(sets, parts=tuple(replace(part, people={"tier:crowd": np.eye(2)}) for part in sets.parts))
    learning.promote(duty, learning.save_bundle("two", told.to_bytes(), None, None))
    assert [(one.annotator, one.about) for one in room.erring()] == [(None, "billing"), (None, "praise")]
