"""What counts as a crash in a run of chaos."""

from crashes import crashes

LOGS = """
2026-01-01T00:00:00Z WARNING restart: annotate-model ended with -11; starting it again
2026-01-01T00:00:01Z WARNING restart: run ended with -9; starting it again
2026-01-01T00:00:02Z WARNING restart: learn ended with 75; starting it again
"""


def test_a_child_of_up_that_nobody_killed_is_told() -> None:
    assert crashes({}, LOGS) == ["annotate-model ended with -11"]


def test_who_said_why_did_not_crash() -> None:
    assert crashes({("run-1", 75): 5, ("run-2", 2): 1}, "") == []
    assert crashes({("run-1", 1): 2, ("learn", -6): 1}, "") == [
        "run-1 ended with 1",
        "run-1 ended with 1",
        "learn ended with -6",
    ]
