"""What judges of pairs said in both orders, kept and added up."""

import pytest
from rows_for_tests import add_annotator, add_items, all_rows

from daemon.adapters.store.engine import Database
from daemon.adapters.store.judgments import JudgmentRoom
from daemon.adapters.store.learning import LearningRoom
from daemon.adapters.store.reports import ReportRoom
from daemon.adapters.store.schema import judgments
from daemon.core.judge_rows import BothOrders, judge_record
from labeling_functions.pairs import TIE, A, B

SAID = [
    BothOrders((A, A), (0.9, 0.25)),
    BothOrders((A, B), (1.0, 1.0)),
    BothOrders((B, A), (0.25, 0.0)),
    BothOrders((A, TIE), (0.75, 0.5)),
    BothOrders((-1, B), (0.5, 0.5)),
]


def test_records_are_those_of_the_pairs_themselves(database: Database) -> None:
    room = JudgmentRoom(database)
    add_items(database, ["a"])
    judge = add_annotator(database, "llm/judge", "llm", "llm")
    other = add_annotator(database, "llm/other", "llm", "llm")
    for number, orders in enumerate(SAID):
        room.note(judge, f"i{number}", orders)
    room.note(other, "i0", SAID[1])
    first, second = ReportRoom(database, {}).overview().judges
    expected = judge_record("llm/judge", "", SAID)
    assert (first.name, first.pairs, first.flips, first.first) == ("llm/judge", 5, 2, 1)
    assert (first.firsts, first.seconds) == pytest.approx((expected.firsts, expected.seconds))
    assert first.interval == pytest.approx(expected.interval)
    assert (second.name, second.flip_share) == ("llm/other", 1.0)
    assert [one.name for one in LearningRoom(database).training_rows(10).judges] == ["llm/judge", "llm/other"]


def test_the_last_time_counts(database: Database) -> None:
    room = JudgmentRoom(database)
    judge = add_annotator(database, "llm/judge", "llm", "llm")
    room.note(judge, "a", SAID[1])
    room.note(judge, "a", SAID[0])
    (row,) = all_rows(database, judgments)
    assert (row.said_ab, row.said_ba) == (A, A)
