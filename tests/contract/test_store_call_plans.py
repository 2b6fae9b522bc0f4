"""What calls took so far, and how often answers of models agree with experts."""

from dataclasses import replace

from rows_for_tests import add_annotator, add_answer, add_items

from daemon.adapters.store.call_plans import CallPlanRoom
from daemon.adapters.store.calls import CallRoom
from daemon.adapters.store.engine import Database
from daemon.core.call_plan import Judged, Seen
from daemon.core.call_rows import Call, CallBill, CallCaps

BILL = CallBill(micros=4, tokens_in=30, tokens_out=2, seconds=0.5)


def room_of(database: Database) -> CallPlanRoom:
    return CallPlanRoom(database, frozenset({"expert"}))


def test_paid_calls_are_summed_by_annotator(database: Database) -> None:
    ledger = CallRoom(database, CallCaps({}, {}, None))
    small, large = (add_annotator(database, name, "llm", "llm") for name in ("llm/small", "llm/large"))
    call = Call(tier="llm", endpoint="hosted", run="r", micros=10, seconds=60.0)
    for annotator in (small, small, large):
        line = ledger.reserve(replace(call, annotator=annotator))
        assert line is not None
        ledger.settle(line, BILL)
    for unfinished in (ledger.lost, ledger.release, lambda _: None):
        line = ledger.reserve(replace(call, annotator=small))
        assert line is not None
        unfinished(line)
    ledger.hit(replace(call, annotator=small, micros=0), replace(BILL, micros=0))
    assert room_of(database).seen("llm") == {
        ("llm/small", ""): Seen(2, 60, 4, 1.0),
        ("llm/large", ""): Seen(1, 30, 2, 0.5),
    }
    assert room_of(database).seen("crowd") == {}


def test_answers_are_judged_by_what_experts_said_blind_on_random_items(database: Database) -> None:
    add_items(database, ["right", "wrong", "panel", "in doubt", "by the crowd", "unanswered"])
    model = add_annotator(database, "llm/small", "llm", "llm")
    ann, eve = add_annotator(database, "ann"), add_annotator(database, "eve")
    crowd = add_annotator(database, "cid", "crowd")
    for item in ("right", "wrong", "panel", "in doubt", "by the crowd"):
        add_answer(database, item, model, 1)
    add_answer(database, "right", ann, 1, purpose="audit")
    add_answer(database, "wrong", ann, 0, purpose="gold")
    add_answer(database, "panel", ann, 1, purpose="audit")
    add_answer(database, "panel", eve, 0, purpose="audit")
    add_answer(database, "in doubt", ann, 0, purpose="settle")
    add_answer(database, "by the crowd", crowd, 1, purpose="audit")
    add_answer(database, "unanswered", ann, 1, purpose="audit")
    assert room_of(database).judged("llm") == {("llm/small", ""): Judged(3, 2)}
    assert room_of(database).judged("expert") == {}
