"""`labelloop up` stopped by Ctrl-C and by SIGKILL in mid-stream goes on with the same state folder."""

import os
import signal

import pytest
from kafka_fixtures import wait_until
from program import Program, migrated, query
from up_program import Up, program

__all__ = ["program"]


def names(first: int, last: int) -> set[str]:
    return {f"item-{n}" for n in range(first, last)}


@pytest.mark.timeout(300)
def test_it_goes_on_after_ctrl_c_and_after_being_killed(program: Program) -> None:
    url = f"sqlite:///{program.folder / 'state' / 'labelloop.db'}"
    up = Up(program)
    up.send(0, 3_000)
    wait_until(lambda: migrated(url) and count(url) >= 200, 60, f"items; {program.logs()}")
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
    wait_until(lambda: count(url) >= len(before | names(2_900, 4_000)) + 100, 60, "more items")
    up.end(signal.SIGKILL)
    up = Up(program)
    up.send(7_000, 7_500)
    assert up.labels(names(7_000, 7_500)).contradictions == []
    doubled = query(url, "select item, revision, count(*) from labels group by 1, 2 having count(*) > 1")
    assert doubled == []
    up.end(signal.SIGTERM)


@pytest.mark.kafka_only
@pytest.mark.timeout(240)
def test_with_an_apache_kafka_of_its_own_nothing_sent_is_forgotten(program: Program) -> None:
    home = {"LABELLOOP_KAFKA_HOME": os.environ["LABELLOOP_KAFKA_HOME"]}
    url = f"sqlite:///{program.folder / 'state' / 'labelloop.db'}"
    up = Up(program, **home)
    up.send(0, 6_000)
    wait_until(lambda: migrated(url) and count(url) >= 200, 60, f"items; {program.logs()}")
    up.end(signal.SIGINT)
    up = Up(program, **home)
    out = up.labels(names(0, 6_000))
    assert out.contradictions == []
    assert {max(revisions) for revisions in out.revisions.values()} == {1}
    up.end(signal.SIGTERM)


@pytest.mark.timeout(180)
def test_one_that_stands_still_keeps_its_folder_and_its_children_and_wakes_up_to_those_that_fell(
    program: Program,
) -> None:
    up = Up(program)
    before = {child.pid for child in up.family}
    (learner,) = up.children("learn")
    up.process.send_signal(signal.SIGSTOP)
    try:
        second = program.run("up", timeout=40)
        assert second.returncode == 2
        assert "in use by another" in second.stderr
        learner.kill()
        up.send(0, 100)
        assert up.labels(names(0, 100)).contradictions == []
        assert {child.pid for child in up.family} == before
    finally:
        up.process.send_signal(signal.SIGCONT)
    wait_until(lambda: up.children("learn") not in ([], [learner]), 60, f"a learner; {program.logs()}")
    up.end(signal.SIGTERM)


def count(url: str) -> int:
    return int(query(url, "select count(*) from items")[0][0])


def stored(url: str) -> set[str]:
    return {name for (name,) in query(url, "select id from items")}
