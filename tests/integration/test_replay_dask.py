"""`labelloop replay --dask` on a local cluster of processes."""

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program import FUNCTIONS
from replay_house import ReplayHouse, items

distributed = pytest.importorskip("distributed", reason="needs Dask: the extra dask")

KILLS = (
    FUNCTIONS
    + """

import os
import signal
from pathlib import Path


@labeling_function
def kills(x):
    mark = Path(__file__).with_name("killed")
    if x.text == "hello friend, lunch 151?" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return ABSTAIN
"""
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two worker processes of one thread each, on loopback."""
    path = [folder for folder in sys.path if folder]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path)  # workers are new processes that import what tests do
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, protocol="tcp"
        )
    try:
        yield made
    finally:
        made.close()
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@pytest.fixture
def house(tmp_path: Path) -> ReplayHouse:
    made = ReplayHouse(tmp_path)
    made.write()
    return made


def test_a_cluster_gives_what_this_process_gives(house: ReplayHouse, cluster: Any) -> None:
    lines = items(400)
    house.archive([*lines[:200], b"no json", *lines[200:]])
    loop = house.label(lines[:300])
    loop.close()
    options = ("--chunk", "30", "--diff")
    here = house.replay("archive.jsonl", "--rows", "here.jsonl", *options, "here.json")
    there = house.replay(
        "archive.jsonl", "--rows", "there.jsonl", *options, "there.json", "--dask", cluster.scheduler_address
    )
    assert here.exit_code == 0 and there.exit_code == 0, there.output
    for ending in ("jsonl", "rejected.jsonl", "json"):
        here_file, there_file = house.folder / f"here.{ending}", house.folder / f"there.{ending}"
        assert here_file.read_bytes() == there_file.read_bytes()
    assert len(house.rows("there.jsonl")) == 400 and house.report("there.json")["same"] == 300


def test_a_worker_that_dies_costs_nothing(house: ReplayHouse, cluster: Any) -> None:
    house.archive(items(200))
    (house.folder / "my_functions.py").write_text(KILLS)
    done = house.replay(
        "archive.jsonl", "--rows", "out.jsonl", "--chunk", "10", "--dask", cluster.scheduler_address
    )
    assert done.exit_code == 0, done.output
    assert (house.folder / "killed").exists(), "a worker died"
    assert len(house.rows()) == 200


def test_workers_with_other_functions_are_refused(house: ReplayHouse, cluster: Any) -> None:
    house.archive(items(10))
    (house.folder / "my_functions.py").write_text(
        FUNCTIONS + "\nimport os\nWHERE = os.getpid()\n\n\n@labeling_function\n"
        "def depends(x):\n    return HAM if WHERE < 0 else ABSTAIN\n"
    )
    done = house.replay("archive.jsonl", "--rows", "out.jsonl", "--dask", cluster.scheduler_address)
    assert done.exit_code == 2 and "other labeling functions than the one that began" in done.stderr


def test_a_scheduler_that_is_away_is_tried_again_later(
    house: ReplayHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.adapters.dask_cluster.CONNECT_SECONDS", 0.5)
    house.archive(items(3))
    done = house.replay("archive.jsonl", "--rows", "out.jsonl", "--dask", "tcp://127.0.0.1:1")
    assert done.exit_code == 75 and "no scheduler at tcp://127.0.0.1:1 answers" in done.stderr
