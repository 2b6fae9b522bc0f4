"""Where log lines go and what they look like; the one place that sets up logging."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from daemon.core.errors import SetupProblem

LEVELS = {
    name: logging.getLevelNamesMapping()[name.upper()] for name in ("debug", "info", "warning", "error")
}

CHATTY = {
    # Several errors a second while a broker is away; our adapters say it once, in their own words.
    "kafka": logging.CRITICAL,
    "alembic": logging.WARNING,
    "huggingface_hub": logging.ERROR,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,
    "mlflow": logging.WARNING,
    "sentence_transformers": logging.WARNING,
    "urllib3": logging.WARNING,
    "uvicorn.access": logging.WARNING,
}
"""Libraries that are heard from this level on only, unless everything is asked for."""

TELLTALES = {
    # Whole requests, that of a login with its password, and settings with it.
    "kafka.admin.client": logging.INFO,
    "kafka.net.connection": logging.INFO,
    "kafka.protocol.parser": logging.INFO,
    # Addresses; that of a webhook may be a secret.
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
}
"""Libraries that write secrets below this level: they are heard from it on, whatever is asked for."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "action",
    "taskName",
    "color_message",
}


class LineFormatter(logging.Formatter):
    """`2026-05-04T12:00:00.123Z INFO batch_saved: 256 items saved items=256`; time is UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line an event; a traceback follows below it."""
        facts = "".join(f" {name}={value}" for name, value in extras(record).items())
        # A message with line breaks must not look like several events.
        said = " ".join(record.getMessage().splitlines())
        line = f"{moment(record)} {record.levelname} {action(record)}: {said}{facts}"
        return line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, action, message, logger, what the event adds, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """One line an event, whatever it holds."""
        event: dict[str, Any] = {
            "at": moment(record),
            "level": record.levelname.lower(),
            "action": action(record),
            "message": record.getMessage(),
            "logger": record.name,
            **extras(record),
        }
        if record.exc_info is not None:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False, default=str)


def action(record: logging.LogRecord) -> str:
    """The event's stable key; what libraries log goes by their name."""
    return str(getattr(record, "action", record.name))


def extras(record: logging.LogRecord) -> Mapping[str, Any]:
    """What the caller added with `extra=`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def moment(record: logging.LogRecord) -> str:
    """When it happened: ISO 8601, UTC, milliseconds."""
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def set_up(level: str, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send the log of this process to a stream (stderr unless given), replacing what was set up before.

    Raises:
        SetupProblem: there is no such level.
    """
    if level.lower() not in LEVELS:
        raise SetupProblem(f"log level {level!r} is not one of {', '.join(LEVELS)}; see LABELLOOP_LOG_LEVEL")
    number = LEVELS[level.lower()]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else LineFormatter())
    logging.basicConfig(level=number, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name, least in CHATTY.items():
        logging.getLogger(name).setLevel(logging.DEBUG if number == logging.DEBUG else max(number, least))
    for name, least in TELLTALES.items():
        logger = logging.getLogger(name)
        logger.setLevel(logging.NOTSET)
        logger.setLevel(max(logger.getEffectiveLevel(), least))
