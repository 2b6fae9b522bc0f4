"""`labelloop up` stopped by Ctrl-C, SIGKILL or SIGSTOP in mid-stream goes on with the same state folder."""

import os
import signal

import pytest
from kafka_fixtures import wait_until
from program import Program
from up_program import Up, program

from benchmarks.past_the_program import query

__all__ = ["program"]


def names(first: int, last: int) -> set[str]:
    return {f"item-{n}" for n in range(first, last)}


@pytest.mark.timeout(420)
def test_it_goes_on_after_ctrl_c_and_after_being_killed_and_having_stood_still(program: Program) -> None:
    url = program.url
    up = Up(program)
    up.send(0, 3_000)
    program.until(lambda: program.stored >= 200, "items")
    up.end(signal.SIGINT)
    assert up.process.returncode == 0
    before = stored(url)
    up = Up(program)
    up.send(2_900, 4_000)
    out = up.labels(names(3_000, 4_000))
    assert out.contradictions == []
    assert stored(url) >= before | names(2_900, 4_000)
    assert not set(out.revisions) & (before - {f"item-{n}" for n in range(2_900, 3_000)})
    up.send(4_000, 7_000)
    wait_until(lambda: program.stored >= len(before | names(2_900, 4_000)) + 100, 60, "more items")
    up.end(signal.SIGKILL)
    up = Up(program)
    up.send(7_000, 7_500)
    assert up.labels(names(7_000, 7_500)).contradictions == []
    doubled = query(url, "select item, revision, count(*) from labels group by 1, 2 having count(*) > 1")
    assert doubled == []
    _stands_still_and_wakes_up(program, up)
    up.end(signal.SIGTERM)


def _stands_still_and_wakes_up(program: Program, up: Up) -> None:
    """Stopped, it keeps its folder and its children; when it wakes up it starts again those that fell."""
    before = {child.pid for child in up.family}
    (learner,) = up.children("learn")
    up.process.send_signal(signal.SIGSTOP)
    try:
        second = program.run("up", timeout=40)
        assert second.returncode == 2
        assert "in use by another" in second.stderr
        learner.kill()
        up.send(7_500, 7_600)
        assert up.labels(names(7_500, 7_600)).contradictions == []
        assert {child.pid for child in up.family} == before
    finally:
        up.process.send_signal(signal.SIGCONT)
    program.until(lambda: up.children("learn") not in ([], [learner]), "a learner")


@pytest.mark.kafka_only
@pytest.mark.timeout(240)
def test_with_an_apache_kafka_of_its_own_nothing_sent_is_forgotten(program: Program) -> None:
    home = {"LABELLOOP_KAFKA_HOME": os.environ["LABELLOOP_KAFKA_HOME"]}
    up = Up(program, **home)
    up.send(0, 6_000)
    program.until(lambda: program.stored >= 200, "items")
    up.end(signal.SIGINT)
    up = Up(program, **home)
    out = up.labels(names(0, 6_000))
    assert out.contradictions == []
    assert {max(revisions) for revisions in out.revisions.values()} == {1}
    up.end(signal.SIGTERM)


def stored(url: str) -> set[str]:
    return {name for (name,) in query(url, "select id from items")}
