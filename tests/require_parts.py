"""Where a part must be there, a test that was skipped for want of it fails.

LABELLOOP_REQUIRE_KAFKA, LABELLOOP_REQUIRE_POSTGRES, LABELLOOP_REQUIRE_BROWSER, LABELLOOP_REQUIRE_LLM: set
(to 1) by `.ci/run`.
"""

import os
from collections.abc import Generator

import pytest

PARTS = {
    "LABELLOOP_REQUIRE_KAFKA": ("Apache Kafka", "kafka_only"),
    "LABELLOOP_REQUIRE_POSTGRES": ("PostgreSQL", "postgres"),
    "LABELLOOP_REQUIRE_BROWSER": ("Chromium", "browser"),
    "LABELLOOP_REQUIRE_LLM": ("local language model", "llm"),
}
"""Variable -> what the reason of such a skip names, and the marker of such tests."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn such a skip into a failure that gives its reason."""
    report = yield
    if report.skipped and call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception):
        reason = str(call.excinfo.value)
        for variable, (name, marker) in PARTS.items():
            wanted = os.environ.get(variable, "") not in ("", "0")
            if wanted and (name in reason or item.get_closest_marker(marker)):
                report.outcome = "failed"
                report.longrepr = f"skipped, although {variable} is set: {reason}"
    return report
