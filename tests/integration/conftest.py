"""Fixtures of the tests against real parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow_fixtures import mlflow_server
from review_house import House

__all__ = ["mlflow_server"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty one."""
    made = House(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One for the module: an open one keeps asyncio's other users out of this thread."""
    from browsing import CHROMIUM, chromium

    if CHROMIUM is None:
        pytest.skip("no Chromium found (Debian: apt install chromium)")
    with chromium() as one:
        yield one
