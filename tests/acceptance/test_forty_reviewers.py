"""Forty reviewers at four review processes: each slot is filled once, and clickers are paused.

Some are slow, some crash, some click; one process is killed half-way. `benchmarks/reviewers.py` is the long
form, with 10,000 questions.
"""

import numpy as np
import pytest
from patience import PATIENCE

from benchmarks.reviewers import FORTY, Played, lines, play
from benchmarks.reviewers_world import OVERLAP

ITEMS = 200
SECONDS = 150
SLOW = 0.5 * PATIENCE
"""Seconds that the median call may take."""


@pytest.fixture(scope="module")
def played(postgres_of_a_module: str, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(postgres_of_a_module, tmp_path_factory.mktemp("forty"), ITEMS, SECONDS * PATIENCE)


@pytest.mark.postgres
@pytest.mark.timeout(SECONDS + 120)
def test_forty_reviewers_fill_each_slot_once(played: Played) -> None:
    found, told = played.outcome, "\n".join(lines(played))
    assert played.finished, told
    assert found.answered == OVERLAP * ITEMS, told
    assert (found.empty, found.twice, found.again) == (0, 0, 0), told
    assert played.seen.doubles == [], told
    assert (found.unpaid, found.off, found.reserved) == (0, 0, 0), told
    assert found.right > 0.97, told


@pytest.mark.postgres
def test_who_clicks_is_paused_and_nobody_else(played: Played) -> None:
    assert played.seen.paused == {f"clicking-{number}" for number in range(FORTY["clicking"])}


@pytest.mark.postgres
def test_nobody_waits_long_for_the_queue(played: Played) -> None:
    for call in ("leases", "answers"):
        assert np.median(played.seen.seconds[call]) < SLOW, "\n".join(lines(played))
