"""New models look at everything again, and the stream goes on meanwhile."""

from pathlib import Path

import pytest
from loop_harness import Loop

from daemon.adapters.store import asking
from daemon.core import desk as desk_module


@pytest.fixture
def loop(tmp_path: Path):
    made = Loop(tmp_path).start()
    yield made
    made.close()


def test_the_desk_rests_after_a_full_load_and_then_goes_on(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "RECHECKS", 4)
    monkeypatch.setattr(desk_module, "BREATH_SECONDS", 60.0)
    loop.send([{"id": f"item-{number}", "text": "win a prize now"} for number in range(6)])
    loop.read()
    assert loop.learning.look_again("bundle") == 6
    assert loop.desk._rechecks_in_turn() == 4
    assert loop.desk._rechecks_in_turn() == 0, "new items may be saved now"
    loop.desk._rested_at = 0.0
    assert loop.desk._rechecks_in_turn() == 2
    assert loop.desk._rested_at == 0.0, "a few answers are no load"


def test_while_items_wait_another_pass_goes_on_later_and_answers_do_not_wait_for_it(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "RECHECKS", 2)
    monkeypatch.setattr(desk_module, "BREATH_SECONDS", 1e-3)
    monkeypatch.setattr(desk_module, "REST_WHILE_PRESSED", 1e6)
    loop.send([{"id": f"item-{number}", "text": "win a prize now"} for number in range(5)])
    loop.read()
    loop.learning.look_again("bundle")
    loop.desk.pressed = lambda: True
    assert loop.desk._rechecks_in_turn() == 2
    loop.desk._rested_at = 0.0
    assert loop.desk._rechecks_in_turn() == 0, "the stream comes first"
    with loop.database.write() as connection:
        asking.recheck_item(connection, "item-4", "answer")
    assert loop.desk._rechecks_in_turn() == 1
    loop.desk._next_load_at = 0.0
    assert loop.desk._rechecks_in_turn() == 2
