"""New models look at everything again, and the stream goes on meanwhile."""

from pathlib import Path

import pytest
from loop_harness import Loop

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
