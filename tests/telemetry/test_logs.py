"""One JSON object a line, whoever logs, without secrets."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import TextIO

import pytest
import structlog

from gx.telemetry.logs import configure_logging
from tests.telemetry.clocks import StoppedClock


@pytest.fixture
def stream() -> Iterator[TextIO]:
    """Where the logs go; the logging of the test run itself is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    with warnings.catch_warnings():
        configure_logging(process="projector", clock=StoppedClock(), stream=stream)
        yield stream
        logging.captureWarnings(capture=False)
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(stream: TextIO) -> list[dict[str, object]]:
    """Read what was logged."""
    stream.seek(0)
    return [json.loads(line) for line in stream]


def test_a_line_says_when_what_and_who(stream: TextIO) -> None:
    """Time, level, event and process come first, the caller's fields after them."""
    structlog.get_logger().info("block_projected", block=7)

    (line,) = lines(stream)
    assert list(line) == ["timestamp", "level", "event", "process", "block"]
    assert line == {
        "timestamp": "2023-11-14T22:13:20.000Z",
        "level": "info",
        "event": "block_projected",
        "process": "projector",
        "block": 7,
    }


def test_bound_context_is_on_every_line(stream: TextIO) -> None:
    """Ids bound once are on the lines of this code and of libraries."""
    structlog.contextvars.bind_contextvars(command_id="0190-ab")
    structlog.get_logger().info("command_committed")
    logging.getLogger("uvicorn.error").warning("closing %s", "connection")

    assert [line["command_id"] for line in lines(stream)] == ["0190-ab", "0190-ab"]


def test_libraries_write_the_same_kind_of_line(stream: TextIO) -> None:
    """Standard logging goes through the same redaction and gets the same fields."""
    logging.getLogger("asyncpg").error("cannot reach %s", "postgres://gx:h0nse@db/gx")

    (line,) = lines(stream)
    assert line["event"] == "library_message"
    assert line["message"] == "cannot reach postgres://gx:[redacted]@db/gx"
    assert (line["level"], line["process"], line["logger"]) == ("error", "projector", "asyncpg")


def test_secrets_do_not_reach_the_stream(stream: TextIO) -> None:
    """Fields, texts, nested values and tracebacks are all redacted."""
    log = structlog.get_logger()
    secret = "h0nse"
    log.info("started", password=secret, dsn=f"postgres://gx:{secret}@db/gx")
    log.info("called", headers={"Authorization": f"Bearer {secret}"}, payload={"note": secret})
    try:
        int(f"password={secret}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("uvicorn.error").exception("failed")

    assert secret not in stream.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    assert "ValueError" in str(lines(stream)[2]["exception"])
    assert "ValueError" in str(lines(stream)[3]["exception"])


def test_lines_below_the_level_are_not_written(stream: TextIO) -> None:
    """Debug is silent at "info", and so is what libraries say about every request."""
    structlog.get_logger().debug("looked")
    logging.getLogger("gx").debug("looked")
    logging.getLogger("httpx").info("HTTP Request: GET http://db/?token=x")

    assert lines(stream) == []


def test_warnings_are_logged(stream: TextIO) -> None:
    """Python's warnings become lines instead of text on standard error."""
    warnings.simplefilter("always")
    warnings.warn("soon gone", UserWarning, stacklevel=1)

    (line,) = lines(stream)
    assert (line["event"], line["logger"]) == ("library_message", "py.warnings")
    assert "soon gone" in str(line["message"])


def test_anything_can_be_logged(stream: TextIO) -> None:
    """A field that JSON does not know is written as text; a line is never lost."""
    structlog.get_logger().info("odd", value=object(), raw=b"1", error=ValueError("x"))

    (line,) = lines(stream)
    assert (line["raw"], line["error"]) == ("<1 bytes>", "ValueError: x")


def test_standard_output_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a stream the lines go to standard output, where the supervisor collects them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(process="api", clock=StoppedClock())
    structlog.get_logger().info("started")
    logging.captureWarnings(capture=False)
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()

    assert json.loads(capsys.readouterr().out)["process"] == "api"
