"""What a worker counts of itself, on a loop that works."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from loop_harness import FUNCTIONS, Loop
from metrics_for_tests import Told

from daemon.adapters.watching.prometheus import PrometheusMeter
from daemon.core.metrics import By
from daemon.core.pipeline import STAGES
from labeling_functions.function import labeling_function


@labeling_function
def breaks(x: Any) -> int:
    raise ValueError("never works")


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    made = Loop(tmp_path, functions=(*FUNCTIONS, breaks), meter=PrometheusMeter(By.RUN)).start()
    yield made
    made.database.close()


def _told(loop: Loop) -> Told:
    assert isinstance(loop.meter, PrometheusMeter)
    return Told(loop.meter.expose("")[0].decode())


def test_messages_are_counted_by_what_became_of_them(loop: Loop) -> None:
    sure = [{"id": f"sure-{n}", "text": "win a prize now"} for n in range(5)]
    loop.send([*sure, sure[0], b"rubbish", {"id": "sure-1", "text": "something else"}])
    loop.read()
    loop.worker._measure_lag()
    told = _told(loop)
    assert told.get("labelloop_messages_total") == 8
    assert told.get("labelloop_items_total") == 5
    assert told.get("labelloop_duplicates_total") == 1
    dead = told.by("labelloop_dead_letters_total", "reason")
    assert dead == {"id_conflict": 1, "not_json": 1}
    assert told.get("labelloop_function_failures_total", function="breaks") == 5
    assert told.get("labelloop_lag_messages") == 0
    assert told.get("labelloop_partitions") == 2
    assert (told.get("labelloop_last_batch_timestamp_seconds") or 0) > 1_700_000_000


def test_a_lag_that_the_broker_does_not_tell_any_more_is_missing(loop: Loop) -> None:
    """The last one known would say for the whole outage that nothing waits."""
    loop.worker._measure_lag()
    assert _told(loop).get("labelloop_lag_messages") == 0
    loop.kafka.reachable = False
    loop.worker._lag_measured = 0.0
    loop.worker._measure_lag()
    assert _told(loop).get("labelloop_lag_messages") is None


def test_labels_are_counted_as_they_are_published(loop: Loop) -> None:
    loop.send([{"id": f"sure-{n}", "text": "win a prize now"} for n in range(3)])
    loop.send([{"id": "doubt-1", "text": "win lunch"}])
    loop.read()
    assert loop.answer("ann", "expert", lambda _: 1) + loop.answer("ben", "crowd", lambda _: 1) >= 1
    published = Counter(json.loads(message.value)["status"] for message in loop.messages("labels"))
    told = _told(loop)
    assert published["human"] >= 1 and published["provisional"] >= 1
    for status, count in published.items():
        assert told.get("labelloop_labels_total", status=status) == count
    assert told.get("labelloop_sent_messages_total", topic="labels") == sum(published.values())
    assert told.get("labelloop_rechecked_items_total") == 1


def test_every_batch_is_seen_in_every_stage(loop: Loop) -> None:
    loop.send([{"id": "one", "text": "hello friend"}])
    loop.read()
    told = _told(loop)
    for stage in STAGES:
        assert told.get("labelloop_batch_stage_seconds_count", stage=stage) == 1


def test_a_batch_that_another_worker_saved_counts_as_a_lost_fence_and_not_as_work(loop: Loop) -> None:
    loop.send([{"id": "one", "text": "hello friend"}])
    batch = loop.source.poll()
    with ThreadPoolExecutor(1) as hands:
        for _ in range(2):
            loop.worker._finish(batch, hands.submit(loop.worker._label_and_save, batch))
    told = _told(loop)
    assert told.get("labelloop_items_total") == 1
    assert told.get("labelloop_fences_lost_total") == 1
