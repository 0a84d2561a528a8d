"""Logs: one JSON object a line, from this code and from libraries alike, without secrets.

A line is `timestamp`, `level`, `event`, `process`, then the fields that the caller gave and those
bound to the context (`structlog.contextvars.bind_contextvars(command_id=…)`). What a library says
is the `message` of a line whose event is `library_message`: events stay countable constants.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Final, TextIO

import msgspec
import structlog

from gx.domain.clock import Clock
from gx.telemetry.redaction import redact_field

LIBRARY_EVENT: Final = "library_message"

# Each of these says something for every request or query at "info"; some with addresses in it.
_CHATTY: Final = ("uvicorn.access", "httpx", "httpcore", "asyncpg", "asyncio")


class LineProcessor:
    """Turns an event's fields into those of its line, in a fixed order and redacted."""

    def __init__(self, process: str, clock: Clock) -> None:
        self._process = process
        self._clock = clock

    def __call__(
        self, logger: object, method: str, event: MutableMapping[str, object]
    ) -> MutableMapping[str, object]:
        """Return the line's fields. What structlog keeps for itself (`_…`) is passed on."""
        del logger, method
        written = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        line: dict[str, object] = {
            "timestamp": written.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": event.pop("level"),
            "event": redact_field("event", event.pop("event")),
            "process": self._process,
        }
        for key, value in event.items():
            line[key] = value if key.startswith("_") else redact_field(key, value)
        return line


def configure_logging(
    *, process: str, clock: Clock, level: str = "info", stream: TextIO | None = None
) -> None:
    """Write every log line of this process to `stream` (default: standard output) as JSON.

    Call it once, first thing in a process. Whatever handlers were there before are replaced.
    """
    out = stream or sys.stdout
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        LineProcessor(process, clock),
    ]
    structlog.configure(
        processors=[*shared, _render_json],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(shared, out, threshold)


def _route_standard_logging(
    shared: list[structlog.typing.Processor], out: TextIO, threshold: int
) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, _name_event, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render_json],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)


def _name_event(
    logger: object, method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    del logger, method
    return {**event, "event": LIBRARY_EVENT, "message": event.get("event")}


def _render_json(logger: object, method: str, event: Mapping[str, object]) -> str:
    del logger, method
    return msgspec.json.encode(event).decode()
