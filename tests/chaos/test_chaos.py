"""The short form of the chaos suite; `make soak MINUTES=10` is the long one, with every kind of fault."""

from pathlib import Path

import pytest
import wrong_clocks
from chaos import Plan, missing, play, report

SEED = 7
KINDS = ("worker killed", "worker frozen", "broker killed", "annotate killed")
SECONDS = 900


@pytest.mark.kafka_only
@pytest.mark.postgres
@pytest.mark.timeout(SECONDS)
def test_nothing_is_lost_doubled_or_undone_whatever_is_killed_or_frozen(tmp_path: Path) -> None:
    if lacking := missing():
        pytest.skip(lacking)
    kinds = KINDS if wrong_clocks.missing() else (*KINDS, "clock wrong")
    plan = Plan(SEED, kinds)
    outcome = play(plan, tmp_path, print)
    told = report(plan, outcome)
    print(told)
    assert outcome.broken == {}, told
    assert outcome.counts["answers acknowledged"] > 0, told
    assert outcome.counts["calls to the model"] > 0, told
