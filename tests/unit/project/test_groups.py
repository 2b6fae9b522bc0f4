"""Two processes share the tests by files, and one of them has all that drive whole programs."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

SUITE = """
import os
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(12))
def test_it(number):
    place = Path(__file__)
    with (place.parents[1] / "ran").open("a") as ran:
        print(place.parent.name, place.stem, os.environ["PYTEST_XDIST_WORKER"], file=ran)
"""
FILES = (
    "acceptance/test_a",
    "acceptance/test_b",
    "chaos/test_c",
    "unit/test_d",
    "unit/test_e",
    "unit/test_f",
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], set[str]]:
    """(folder, file) -> the processes that ran a test of it."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "conftest.py").write_text("from groups import pytest_xdist_make_scheduler\n")
    for file in FILES:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / f"{file}.py").write_text(SUITE)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = defaultdict(set)
    for line in (folder / "ran").read_text().splitlines():
        place, file, worker = line.split()
        found[place, file].add(worker)
    return dict(found)


def test_tests_of_a_file_run_in_one_process(ran: dict[tuple[str, str], set[str]]) -> None:
    assert [len(workers) for workers in ran.values()] == [1] * len(FILES)


def test_whole_programs_run_in_one_process_and_others_beside_them(
    ran: dict[tuple[str, str], set[str]],
) -> None:
    heavy = {worker for (place, _), workers in ran.items() if place != "unit" for worker in workers}
    assert len(heavy) == 1
    assert {worker for workers in ran.values() for worker in workers} > heavy
