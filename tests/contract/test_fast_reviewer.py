"""Who works fast never stands before an open queue, whatever slow ones hold."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from rows_for_tests import add_items, add_question, all_rows

from daemon.adapters.store.engine import Database, MovableClock
from daemon.adapters.store.questions import QuestionRoom
from daemon.adapters.store.schema import answers, questions

TIER = "crowd"
MINUTE = 60.0
HELD = 3


@pytest.fixture
def room(database: Database) -> QuestionRoom:
    return QuestionRoom(database)


def test_a_fast_reviewer_gets_all_that_is_open_and_later_what_slow_ones_let_run_out(
    room: QuestionRoom, database: Database, clock: MovableClock
) -> None:
    everything = _ask(database, 30, times=2)
    for number in range(4):
        assert len(room.lease(room.enroll(f"slow-{number}", TIER).id, TIER, HELD, MINUTE)) == HELD
    fast = room.enroll("fast", TIER).id
    wholly_held = everything - {
        row.item for row in all_rows(database, questions, questions.c.state == "open")
    }
    assert len(wholly_held) == 6
    _answer_all(room, fast)
    assert _answered_by(database, fast) == everything - wholly_held
    clock.advance(MINUTE + 1)
    _answer_all(room, fast)
    assert _answered_by(database, fast) == everything


def test_a_fast_reviewer_is_never_sent_away_while_others_lease_and_answer_at_once(
    room: QuestionRoom, database: Database
) -> None:
    # More slots than all the others could lock in one moment: an empty hand before the last item is starving.
    everything = _ask(database, 15, times=40)
    people = [room.enroll(f"ann-{number}", TIER).id for number in range(5)]
    with ThreadPoolExecutor(len(people)) as pool:
        for working in [pool.submit(_answer_all, room, person) for person in people]:
            working.result(timeout=60)
    assert [_answered_by(database, person) for person in people] == [everything] * len(people)


def _ask(database: Database, n_items: int, times: int) -> set[str]:
    """Ids of new items, each wanted so many times."""
    ids = [f"item-{number}" for number in range(n_items)]
    add_items(database, ids)
    for id_ in ids:
        for _ in range(times):
            add_question(database, id_, TIER)
    return set(ids)


def _answer_all(room: QuestionRoom, person: int) -> None:
    """Lease and answer without a pause until nothing is given."""
    while leases := room.lease(person, TIER, HELD, MINUTE):
        room.answer(leases[0].question, person, 0, 0.1)


def _answered_by(database: Database, person: int) -> set[str]:
    return {row.item for row in all_rows(database, answers, answers.c.annotator == person)}
