"""Processes share the tests by files, and at most two of them drive whole programs at a time."""

import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
from groups import LONG_IN_STARTING, WHOLE_PROGRAMS
from patience import PATIENCE

SUITE = """
import os
import time
from pathlib import Path, PurePosixPath
import pytest

@pytest.mark.parametrize("number", range(12))
def test_it(number):
    began = time.monotonic()
    time.sleep(0.01)
    place, worker = Path(__file__), os.environ["PYTEST_XDIST_WORKER"]
    with (place.parents[1] / "ran").open("a") as ran:
        print(place.parent.name, place.stem, worker, began, time.monotonic(), file=ran)
"""
FILES = (
    "acceptance/test_a",
    "acceptance/test_b",
    "acceptance/test_c",
    "chaos/test_d",
    "unit/test_e",
    "unit/test_f",
    "unit/test_g",
    "unit/test_h",
)
SHARING = ("contract/test_i", "integration/test_j", "unit/test_k")


@dataclass(frozen=True)
class Ran:
    """A test that ran: where it stands, in which process and from when to when."""

    place: str
    file: str
    worker: str
    began: float
    ended: float


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> list[Ran]:
    """All tests of such a suite in three processes."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "conftest.py").write_text("from groups import pytest_xdist_make_scheduler\n")
    for file in FILES:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / f"{file}.py").write_text(SUITE)
    for file in SHARING:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / f"{file}.py").write_text(f"{SUITE}\n# {LONG_IN_STARTING[0]}\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = (
        "-p",
        "xdist",
        "-n",
        "3",
        "--dist",
        "loadgroup",
        "--no-loadscope-reorder",
        "-p",
        "no:cacheprovider",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in (folder / "ran").read_text().splitlines()]
    return [Ran(*words[:3], float(words[3]), float(words[4])) for words in lines]


def test_tests_of_a_file_run_in_one_process(ran: list[Ran]) -> None:
    workers = defaultdict(set)
    for one in ran:
        workers[one.place, one.file].add(one.worker)
    assert [len(found) for found in workers.values()] == [1] * len(FILES + SHARING)


def test_those_that_share_what_is_long_in_starting_run_in_one_process(ran: list[Ran]) -> None:
    names = {PurePosixPath(file).name for file in SHARING}
    assert len({one.worker for one in ran if one.file in names}) == 1


def test_no_more_than_two_processes_have_whole_programs_at_a_time(ran: list[Ran]) -> None:
    whole = [one for one in ran if one.place in WHOLE_PROGRAMS]
    beside = [{other.worker for other in whole if other.began <= one.began < other.ended} for one in whole]
    assert max(map(len, beside)) == 2


def test_the_third_has_others_meanwhile(ran: list[Ran]) -> None:
    last_whole = max(one.ended for one in ran if one.place in WHOLE_PROGRAMS)
    assert any(one.began < last_whole for one in ran if one.place not in WHOLE_PROGRAMS)
