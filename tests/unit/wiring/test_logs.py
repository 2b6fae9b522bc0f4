"""The log: one line an event."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from daemon.core.errors import SetupProblem
from daemon.wiring import logs

log = logging.getLogger("test.logs")


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Logging is global; it is put back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def logged(as_json: bool = False, level: str = "info") -> io.StringIO:
    """A log that is kept."""
    stream = io.StringIO()
    logs.set_up(level, as_json, stream)
    return stream


def test_an_event_is_a_line_with_time_level_action_and_facts() -> None:
    stream = logged()
    log.warning("%d items\nsaved", 5, extra={"action": "batch_saved", "items": 5})
    moment, level, rest = stream.getvalue().split(" ", 2)
    assert moment.endswith("Z") and len(moment) == len("2026-05-04T12:00:00.123Z")
    assert (level, rest) == ("WARNING", "batch_saved: 5 items saved items=5\n")


def test_events_of_libraries_go_by_their_logger() -> None:
    stream = logged()
    log.info("hello")
    assert " INFO test.logs: hello\n" in stream.getvalue()


def test_json_lines_hold_the_same() -> None:
    stream = logged(as_json=True)
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("failed", extra={"action": "x_failed", "where": object})
    [line] = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["action"], event["level"], event["message"]) == ("x_failed", "error", "failed")
    assert event["traceback"].endswith("ValueError: why")
    assert event["where"] == "<class 'object'>"


def test_a_traceback_follows_its_line() -> None:
    stream = logged()
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("failed")
    first, *traceback = stream.getvalue().splitlines()
    assert first.endswith("test.logs: failed")
    assert traceback[-1] == "ValueError: why"


def test_lower_levels_are_left_out() -> None:
    stream = logged(level="warning")
    log.info("quiet")
    log.warning("loud")
    assert stream.getvalue().count("\n") == 1


def test_chatter_of_libraries_is_heard_only_on_request() -> None:
    stream = logged()
    logging.getLogger("kafka.net").error("connection refused")
    assert stream.getvalue() == ""
    stream = logged(level="debug")
    logging.getLogger("kafka.net").error("connection refused")
    assert "connection refused" in stream.getvalue()


def test_libraries_that_write_logins_and_addresses_are_never_heard_doing_it() -> None:
    stream = logged(level="debug")
    logging.getLogger("kafka.net.connection").debug("SaslAuthenticateRequest(auth_bytes=b'ann\\0s3cret')")
    logging.getLogger("kafka.protocol.parser").debug("Sending request auth_bytes=b'ann\\0s3cret'")
    logging.getLogger("kafka.admin.client").debug("configuration: sasl_plain_password=s3cret")
    logging.getLogger("httpx").info("HTTP Request: POST https://chat.example/hooks/s3cret")
    logging.getLogger("kafka.net.connection").error("connection refused")
    assert "s3cret" not in stream.getvalue()
    assert "connection refused" in stream.getvalue()
    logged()
    assert logging.getLogger("kafka.net.connection").getEffectiveLevel() == logging.CRITICAL


def test_setting_up_again_replaces_the_first() -> None:
    first, second = logged(), logged()
    log.info("once")
    assert (first.getvalue(), second.getvalue().count("once")) == ("", 1)


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(SetupProblem, match="LABELLOOP_LOG_LEVEL"):
        logs.set_up("loud")
