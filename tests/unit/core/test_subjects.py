"""Several observations of one thing are decided as one."""

import numpy as np
import pytest

from daemon.core.desk import PerMinute
from daemon.core.evidence import Evidence, of_stored
from daemon.core.rows import Answer, OpenItem
from daemon.core.states import AnnotatorKind, ItemState, Purpose
from models.bundle import Bundle

BUNDLE = Bundle.from_priors(("ham", "spam"), {"expert": 0.98})
SPAM, HAM, SILENT = 1, 0, -1


def item(id_: str, vote: int, subject: str | None = "deer", answers: tuple[Answer, ...] = ()) -> OpenItem:
    return OpenItem(
        id=id_,
        state=ItemState.ASKING,
        functions=1,
        inline=np.array([vote], np.int8),
        posterior=np.array([0.5, 0.5], np.float32),
        labels=np.array([0], np.int8),
        score=0.5,
        revision=1,
        sent_back=0,
        window=None,
        bundle=None,
        cost=0,
        subject=subject,
        answers=answers,
    )


def evidence(*items: OpenItem) -> Evidence:
    groups = np.zeros(len(items), np.int64)
    return of_stored(items, groups, lambda _: ("function:f@1",), BUNDLE, ("expert",), frozenset({"expert"}))


def test_observations_that_agree_make_each_other_surer() -> None:
    alone = evidence(item("a", SPAM)).posterior[0, SPAM]
    together = evidence(item("a", SPAM), item("b", SPAM)).posterior
    assert together[0].tolist() == together[1].tolist()
    assert alone < together[0, SPAM] < alone**2 / (alone**2 + (1 - alone) ** 2)


def test_observations_that_contradict_each_other_leave_it_open() -> None:
    assert evidence(item("a", SPAM), item("b", HAM)).posterior == pytest.approx(0.5)


def test_what_shows_nothing_follows_what_shows_something() -> None:
    found = evidence(item("a", SPAM), item("b", SILENT)).posterior
    assert found[1, SPAM] > 0.5


def test_other_subjects_and_none_stand_alone() -> None:
    found = evidence(item("a", SPAM), item("b", HAM, "fox"), item("c", HAM, None), item("d", SILENT, None))
    assert found.posterior[0, SPAM] > 0.5 > found.posterior[1, SPAM]
    assert found.posterior[3, SPAM] == pytest.approx(0.5)
    assert found.follows is not None and not found.follows.any()


def test_an_expert_on_one_observation_settles_all() -> None:
    told = Answer(1, "ann", AnnotatorKind.PERSON, "expert", Purpose.SETTLE, HAM, 5)
    found = evidence(item("a", SPAM, answers=(told,)), item("b", SPAM), item("c", SPAM, "fox"))
    assert found.final.tolist() == [HAM, HAM, -1]


def test_only_the_first_observation_is_asked() -> None:
    found = evidence(item("a", SILENT), item("b", SILENT))
    assert found.follows is not None
    assert found.follows.tolist() == [False, True]


def test_an_allowance_is_full_again_after_a_minute() -> None:
    now = [0.0]
    allowance = PerMinute(3, lambda: now[0])
    assert allowance.left() == 3
    allowance.take(2)
    assert allowance.left() == 1
    now[0] = 60.0
    assert allowance.left() == 3
