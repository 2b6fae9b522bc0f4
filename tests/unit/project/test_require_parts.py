"""A skip for want of a part is a failure where the part is required, and only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE

SUITE = """
import pytest

@pytest.fixture
def server():
    pytest.skip("no PostgreSQL: initdb is not there")

def test_on_the_server(server): ...

@pytest.mark.kafka_only
@pytest.mark.skip(reason="this broker cannot do that")
def test_on_a_cluster(): ...

@pytest.mark.skip(reason="not on Mondays")
def test_whenever(): ...

def test_plain(): ...
"""
CONFTEST = """
from require_parts import pytest_runtest_makereport

def pytest_configure(config):
    config.addinivalue_line("markers", "kafka_only: needs a cluster")
"""


@pytest.mark.parametrize(
    ("required", "closing"),
    [
        ({}, "1 passed, 3 skipped"),
        ({"LABELLOOP_REQUIRE_POSTGRES": "1"}, "1 passed, 2 skipped, 1 error"),
        ({"LABELLOOP_REQUIRE_KAFKA": "1"}, "1 passed, 2 skipped, 1 error"),
        (
            {"LABELLOOP_REQUIRE_POSTGRES": "1", "LABELLOOP_REQUIRE_KAFKA": "1"},
            "1 passed, 1 skipped, 2 errors",
        ),
        ({"LABELLOOP_REQUIRE_POSTGRES": "0"}, "1 passed, 3 skipped"),
    ],
)
def test_required_parts(tmp_path: Path, required: dict[str, str], closing: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_parts.py").write_text(SUITE)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LABELLOOP_")}
    tests = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env={**clean, "PYTHONPATH": tests, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **required},
        capture_output=True,
        text=True,
        timeout=60 * PATIENCE,
        check=False,
    )
    assert closing in done.stdout
    assert done.returncode == (0 if "error" not in closing else 1)
