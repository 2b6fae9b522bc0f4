"""How long tests wait: deadlines are told for a test that has the machine to itself."""

import os

import pytest

PATIENCE = 3.0 if "PYTEST_XDIST_WORKER" in os.environ else 1.0
"""Deadlines are so many times as long where other processes of tests run beside this one.

A deadline is there to end a test that has failed; one that works never waits for it.
"""

ANSWER_SECONDS = 20.0 * PATIENCE
"""That a call of a server waits for its answer; httpx gives up after five."""

LONGEST_SECONDS = 600.0
"""That a test is given beside others, unless it asks for more by itself."""


def give_time(item: pytest.Item) -> None:
    """Lengthen what pytest-timeout allows a test, as its deadlines are."""
    if PATIENCE == 1.0:
        return
    marker = item.get_closest_marker("timeout")
    seconds = float(marker.args[0] if marker else item.config.getini("timeout"))
    longer = max(seconds, min(PATIENCE * seconds, LONGEST_SECONDS))
    item.add_marker(pytest.mark.timeout(longer), append=False)
