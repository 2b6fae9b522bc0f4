"""From a message to labels, questions, windows and new revisions: the loops on a real database."""

import json
import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loop_harness import CLASSES, POLICY, Loop
from rows_for_tests import all_rows

from daemon.adapters.store.ledger import LedgerRoom
from daemon.adapters.store.schema import items, questions
from daemon.core.bundles import BundleFollower
from daemon.core.decide import STATUS
from daemon.core.errors import FenceLost
from daemon.core.states import ItemState
from daemon.core.stream import KEEP_ALIVE_SECONDS, MOST_KEEP_ALIVE_SECONDS
from labeling_functions import labeling_function
from models.bundle import Bundle


@pytest.fixture
def loop(tmp_path: Path):
    made = Loop(tmp_path).start()
    yield made
    made.close()


def truth(text: str) -> int:
    return 1 if "win" in text or text.startswith("maybe spam") else 0


def sure(number: int) -> dict[str, str]:
    text = "win a prize now" if number % 2 else "hello friend, lunch?"
    return {"id": f"sure-{number}", "text": f"{text} {number}"}


def doubtful(number: int) -> dict[str, str]:
    return {"id": f"doubt-{number}", "text": f"maybe {CLASSES[number % 2]} {number}"}


def promote(loop: Loop, bundle: Bundle) -> int:
    duty = loop.store.take_duty("learning", "test", 60.0)
    assert duty is not None
    stored = loop.learning.save_bundle("digest", bundle.to_bytes(), None, None)
    loop.learning.promote(duty, stored)
    return stored


def test_sure_items_are_published_and_doubtful_ones_asked(loop: Loop) -> None:
    loop.send([sure(1), sure(2), doubtful(1)])
    loop.read()
    labels = loop.labels()
    assert labels["sure-1"]["label"] == "spam"
    assert labels["sure-2"]["label"] == "ham"
    assert {label["status"] for label in labels.values()} == {"provisional"}
    assert labels["sure-1"]["votes"] == [
        {"annotator": name, "label": "spam"} for name in ("win", "prize", "now")
    ]
    questions = [json.loads(message.value) for message in loop.messages("questions")]
    assert [(q["item"], q["tier"], q["blind"]) for q in questions] == [("doubt-1", "crowd", False)]
    assert questions[0]["content"] == doubtful(1)


def test_repeated_items_change_nothing_and_contradictions_are_dead_letters(loop: Loop) -> None:
    loop.send([sure(1), sure(1)])
    loop.read()
    loop.send([sure(1), {"id": "sure-1", "text": "something else"}, b"rubbish"])
    loop.read()
    assert [label["revision"] for label in loop.labels().values()] == [1]
    reasons = [
        dict(headers)["reason"]
        for partition in loop.kafka.topics["dead-letters"].partitions
        for headers in partition.headers.values()
    ]
    assert sorted(reasons) == [b"id_conflict", b"not_json"]
    assert loop.worker.progress.duplicates == 2


def test_items_looked_at_again_are_decided_by_the_bundle_that_was_just_promoted(loop: Loop) -> None:
    loop.desk.bundles = BundleFollower(loop.learning, Bundle.from_priors(CLASSES, {}), seconds=3_600.0)
    loop.send([sure(1)])
    loop.read()
    assert loop.desk.bundles.current().id is None
    stored = promote(loop, Bundle.from_priors(CLASSES, {"crowd": 0.9, "expert": 0.98}))
    assert loop.learning.look_again("bundle") == 1
    loop.settle()
    assert [row.bundle for row in all_rows(loop.database, items)] == [stored]


def test_an_answer_becomes_the_label(loop: Loop) -> None:
    loop.send([doubtful(1)])
    loop.read()
    assert loop.answer("ann", "crowd", truth) == 1
    assert loop.labels()["doubt-1"]["status"] == "human"
    assert loop.labels()["doubt-1"]["label"] == "spam"
    assert loop.labels()["doubt-1"]["revision"] == 2
    assert loop.labels()["doubt-1"]["cost"] == pytest.approx(0.05)
    assert loop.answer("ben", "crowd", truth) == 0


def test_one_is_asked_at_a_time_until_it_is_sure(tmp_path: Path) -> None:
    loop = Loop(tmp_path, replace(POLICY, routing=replace(POLICY.routing, ask_below=0.85))).start()
    try:
        loop.send([doubtful(1)])
        loop.read()
        assert loop.answer("ann", "crowd", truth) == 1
        assert loop.labels()["doubt-1"]["status"] == "provisional", "one answer leaves a doubt"
        assert loop.answer("ben", "crowd", truth) == 1
        assert loop.labels()["doubt-1"]["status"] == "human"
        assert loop.answer("cid", "crowd", truth) == loop.answer("eve", "expert", truth) == 0
    finally:
        loop.close()


def test_a_crowd_that_disagrees_with_itself_goes_to_the_expert(tmp_path: Path) -> None:
    tiers = {**POLICY.tiers, "crowd": replace(POLICY.tiers["crowd"], max_votes=2)}
    routing = replace(POLICY.routing, ask_below=0.8)
    loop = Loop(tmp_path, replace(POLICY, tiers=tiers, routing=routing)).start()
    try:
        loop.send([doubtful(1)])
        loop.read()
        loop.answer("ann", "crowd", lambda _: 0)
        loop.answer("ben", "crowd", lambda _: 1)
        assert loop.labels()["doubt-1"]["status"] == "provisional"
        assert loop.answer("eve", "expert", truth) == 1
        assert loop.labels()["doubt-1"]["status"] == "human"
        assert loop.labels()["doubt-1"]["label"] == "spam"
    finally:
        loop.close()


def test_a_window_is_audited_blind_and_certifies(loop: Loop) -> None:
    loop.send([sure(number) for number in range(200)])
    loop.read()
    loop.tend()
    window = loop.windows.open_windows()
    assert len(window) == 1
    told = [json.loads(message.value) for message in loop.messages("questions")]
    audits = loop.answer("eve", "expert", truth)
    assert 60 < audits < 140
    assert [(one["tier"], one["blind"]) for one in told] == [("expert", True)] * audits
    loop.tend()
    assert loop.windows.open_windows() == []
    labels = loop.labels()
    certified = [label for label in labels.values() if label["status"] == "certified"]
    assert len(certified) == 200 - audits
    assert all(label["revision"] == 2 for label in labels.values())
    assert certified[0]["certificate"]["alpha"] == 0.05
    assert certified[0]["certificate"]["window"] == window[0]
    human = [label for label in labels.values() if label["status"] == "human"]
    assert len(human) == audits
    assert all(label["certificate"] is None for label in human)


def test_a_window_of_wrong_labels_certifies_nothing_and_sends_back(loop: Loop) -> None:
    loop.send([sure(number) for number in range(200)])
    loop.read()
    loop.tend()
    audits = loop.answer("eve", "expert", lambda text: 1 - truth(text))
    loop.tend()
    labels = loop.labels()
    assert [label for label in labels.values() if label["status"] == "certified"] == []
    assert sum(label["status"] == "human" for label in labels.values()) == audits
    assert loop.windows.ready().count == 200 - audits
    record = loop.windows.closed_windows(5)[0]
    assert record.tau is None
    assert record.wrong.all()


def test_unanswered_audits_are_errors_once_their_time_is_up(loop: Loop) -> None:
    loop.send([sure(number) for number in range(200)])
    loop.read()
    loop.tend()
    loop.tend()
    assert len(loop.windows.open_windows()) == 1
    loop.clock.advance(POLICY.guarantee.audit_deadline_seconds + 1)
    loop.tend()
    assert loop.windows.open_windows() == []
    assert loop.windows.closed_windows(1)[0].tau is None
    assert loop.questions.lease(loop.questions.enroll("eve", "expert").id, "expert", 5, 60.0) == []


def test_nothing_freezes_before_the_cold_start_is_over(tmp_path: Path) -> None:
    promise = replace(POLICY.guarantee, cold_start_gold=30, cold_start_share=0.5)
    loop = Loop(tmp_path, replace(POLICY, guarantee=promise)).start()
    try:
        loop.send([sure(number) for number in range(300)])
        loop.read()
        assert loop.windows.gold_drawn() == 30
        loop.tend()
        assert loop.windows.open_windows() == []
        assert loop.answer("eve", "expert", truth) == 30
        loop.tend()
        assert loop.windows.open_windows() == []
        promote(loop, Bundle.from_priors(CLASSES, {"crowd": 0.9, "expert": 0.98}))
        loop.tend()
        assert len(loop.windows.open_windows()) == 1
        human = [label for label in loop.labels().values() if label["status"] == "human"]
        assert len(human) == 30
    finally:
        loop.close()


def test_where_no_more_items_come_the_missing_draws_are_made_from_those_that_are_stored(
    tmp_path: Path,
) -> None:
    promise = replace(POLICY.guarantee, cold_start_gold=30, cold_start_share=0.1)
    loop = Loop(tmp_path, replace(POLICY, guarantee=promise)).start()
    try:
        loop.send([sure(number) for number in range(100)])
        loop.read()
        first = loop.windows.gold_drawn()
        assert 0 < first < 30
        loop.clock.advance(1)
        loop.tend()
        assert loop.windows.gold_drawn() == first, "more items may come"
        loop.clock.advance(60)
        loop.tend()
        assert loop.windows.gold_drawn() == first, "the first draws wait for answers"
        assert loop.answer("eve", "expert", truth) == first
        loop.tend()
        assert loop.windows.gold_drawn() == 30
        loop.tend()
        assert loop.answer("eve", "expert", truth) == 30 - first
        loop.tend()
        assert loop.windows.gold_drawn() == 30
        asked = [row.item for row in all_rows(loop.database, questions)]
        assert len(set(asked)) == len(asked) == 30
    finally:
        loop.close()


def released(loop: Loop) -> int:
    """Let one window release labels whose audits find nothing; how many."""
    loop.send([sure(number) for number in range(200)])
    loop.read()
    loop.tend()
    loop.answer("eve", "expert", truth)
    loop.tend()
    return sum(label["status"] == "certified" for label in loop.labels().values())


def outgoing(tmp_path: Path, **promise: object) -> Loop:
    """A loop that audits many released labels again."""
    guarantee = replace(POLICY.guarantee, **promise)  # type: ignore[arg-type]
    return Loop(tmp_path, replace(POLICY, guarantee=guarantee)).start()


def test_audits_of_released_labels_correct_them(tmp_path: Path) -> None:
    loop = outgoing(tmp_path, outgoing_share=1.0)
    try:
        count = released(loop)
        loop.learning.look_again("test", 1_000)
        loop.settle()
        assert sum(label["status"] == "certified" for label in loop.labels().values()) == count
        assert loop.answer("ann", "expert", lambda text: 1 - truth(text), limit=1) == 1
        labels = loop.labels().values()
        (corrected,) = [label for label in labels if label["revision"] == 3]
        assert (corrected["status"], corrected["certificate"]) == ("human", None)
        assert corrected["label"] != CLASSES[truth(sure(int(corrected["item"][5:]))["text"])]
        loop.answer("ann", "expert", truth)
        loop.tend()
        record = loop.windows.ledger()
        assert (record.released, record.audited, record.found) == (count, count, 1)
        assert loop.questions.lease(loop.questions.enroll("joe", "expert").id, "expert", 9, 60.0) == []
    finally:
        loop.close()


def test_a_bad_ledger_suspends_acceptance_until_it_is_started_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loop = outgoing(tmp_path, outgoing_share=0.5, target_error=0.2)
    try:
        count = released(loop)
        loop.send([sure(number) for number in range(200, 400)])
        loop.read()
        loop.tend()
        assert len(loop.windows.open_windows()) == 1
        loop.answer("ann", "expert", lambda text: truth(text) ^ (int(text.split()[-1]) < 200))
        for _ in range(3):
            loop.tend()
        told = [record for record in caplog.records if getattr(record, "action", "") == "suspended"]
        assert loop.windows.open_windows() == []
        suspended = loop.windows.closed_windows(1)[0]
        assert (suspended.tau, suspended.wrong.any()) == (None, False), "its own audits were flawless"
        labels = loop.labels().values()
        assert 0 < sum(label["status"] == "certified" for label in labels) < count
        loop.send([sure(number) for number in range(400, 600)])
        loop.read()
        loop.tend()
        assert loop.windows.open_windows() == [], "nothing freezes"
        assert len(told) == 1
        LedgerRoom(loop.database).restart("the reviewers of the first window were mistaken")
        loop.tend()
        assert len(loop.windows.open_windows()) == 1
        loop.answer("eve", "expert", truth)
        loop.tend()
        assert loop.windows.closed_windows(1)[0].certified > 0
    finally:
        loop.close()


def test_a_promoted_bundle_turns_open_labels_into_new_revisions(loop: Loop) -> None:
    loop.send([sure(1), doubtful(1)])
    loop.read()
    before = Bundle.from_priors(CLASSES, {"crowd": 0.8, "expert": 0.98})
    turned = {kind: np.ascontiguousarray(table[:, ::-1]) for kind, table in before.fallbacks.items()}
    bundle = replace(before, fallbacks=turned)
    stored = promote(loop, bundle)
    assert loop.learning.look_again("test") == 2
    loop.settle()
    assert loop.labels()["sure-1"]["label"] == "ham"
    assert loop.labels()["sure-1"]["revision"] == 2
    assert loop.labels()["sure-1"]["bundle"] == stored


def test_what_the_budget_does_not_reach_is_asked_on_the_next_day(tmp_path: Path) -> None:
    tiers = {**POLICY.tiers, "crowd": replace(POLICY.tiers["crowd"], budget_per_day=0.10)}
    loop = Loop(tmp_path, replace(POLICY, tiers=tiers)).start()
    try:
        loop.send([doubtful(number) for number in range(5)])
        loop.read()
        assert loop.answer("ann", "crowd", truth) == 2
        loop.clock.advance(86_400)
        loop.settle()
        assert loop.answer("ann", "crowd", truth) == 2
        loop.clock.advance(86_400)
        loop.settle()
        assert loop.answer("ann", "crowd", truth) == 1
        assert {label["status"] for label in loop.labels().values()} == {"human"}
    finally:
        loop.close()


def test_what_one_budget_does_not_reach_is_asked_of_another_tier(tmp_path: Path) -> None:
    tiers = {**POLICY.tiers, "crowd": replace(POLICY.tiers["crowd"], budget_per_day=0.10)}
    loop = Loop(tmp_path, replace(POLICY, tiers=tiers)).start()
    try:
        loop.send([doubtful(number) for number in range(5)])
        loop.read()
        loop.desk.look_elsewhere()
        loop.clock.advance(5)
        loop.settle()
        assert loop.answer("eve", "expert", truth) == 0, "the crowd has money"
        assert loop.answer("ann", "crowd", truth) == 2
        loop.desk.look_elsewhere()
        loop.clock.advance(5)
        loop.settle()
        assert loop.answer("ann", "crowd", truth) == 0
        assert loop.answer("eve", "expert", truth) == 3
        assert {label["status"] for label in loop.labels().values()} == {"human"}
    finally:
        loop.close()


def test_a_worker_that_slept_writes_nothing(loop: Loop) -> None:
    loop.send([sure(1)])
    batch = loop.source.poll()
    loop.source.rewind()
    loop.read()
    with pytest.raises(FenceLost):
        loop.store.save_batch(batch.spans, None, None, lambda _: [], {"dead_letter:x": 1})
    assert len(loop.labels()) == 1


def test_every_final_state_has_its_status() -> None:
    assert set(STATUS) == {ItemState.HUMAN, ItemState.CERTIFIED}


def test_a_slow_batch_looks_at_the_broker_ever_more_seldom(tmp_path: Path) -> None:
    """Each look takes from the processor that an encoder needs for itself."""
    pauses = [min(2**n * KEEP_ALIVE_SECONDS, MOST_KEEP_ALIVE_SECONDS) for n in range(6)]
    assert pauses[-1] == pauses[-2] == MOST_KEEP_ALIVE_SECONDS
    looks: list[float] = []
    enough = threading.Event()

    @labeling_function
    def slow(_: Any) -> int:
        enough.wait(60)
        return 1

    def look() -> None:
        looks.append(time.monotonic())
        if len(looks) > len(pauses):
            enough.set()

    loop = Loop(tmp_path, functions=(slow,)).start()
    loop.source.keep_alive = look
    loop.worker.saved = loop.worker.stop.set
    loop.send([{"id": "a", "text": "win"}])
    loop.worker.run()
    assert loop.worker.progress.items == 1
    rested = [later - earlier for earlier, later in pairwise(looks)]
    assert all(seconds >= 0.9 * pause for seconds, pause in zip(rested, pauses, strict=False))
    loop.close()
