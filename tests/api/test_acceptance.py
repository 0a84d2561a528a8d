"""What stands behind a write: how its failures look, and how its trace goes on."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from gx.api.ports import CommandGate
from gx.database.ports import DatabaseUnavailableError
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.memory.inbox import MemoryCommandInbox
from gx.outbox.ports import Acceptance, BacklogFullError, NewCommand
from tests.api.parts import Backend, build_backend
from tests.api.sending import post_transfer, stored


class FailingGate(CommandGate):
    """Fails each time with the same error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    @override
    async def accept(self, command: NewCommand) -> Acceptance:
        raise self._error


def backend_with_gate(folder: Path, gate: CommandGate) -> Backend:
    """Build an edge whose gate is another one."""
    return build_backend(folder, change=lambda parts, _: replace(parts, gate=gate))


async def test_a_full_backlog_is_said_with_the_time_to_come_back(tmp_path: Path) -> None:
    """503 BACKLOG_FULL with Retry-After, counted as a refused admission; never 429."""
    full = BacklogFullError(oldest_age_ms=31_000, retry_after_s=7)
    backend = backend_with_gate(tmp_path, FailingGate(full))

    response = await post_transfer(backend, {})

    assert (response.status_code, response.json()["code"]) == (503, "BACKLOG_FULL")
    assert response.headers["retry-after"] == "7"
    assert backend.parts.metrics.admissions_refused.read() == 1


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailableError("connection to gx:secret@db.internal:5432 refused"),
        ConnectionRefusedError("db.internal:5432"),
        TimeoutError("db.internal:5432"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_database_that_is_down_is_unavailable_without_details(
    tmp_path: Path, error: Exception
) -> None:
    """503 UNAVAILABLE: no host, no statement, no stack trace in the answer."""
    backend = backend_with_gate(tmp_path, FailingGate(error))

    response = await post_transfer(backend, {})

    assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"
    assert "db.internal" not in response.text
    assert "Traceback" not in response.text


async def test_a_mistake_of_ours_is_an_internal_error_without_details(tmp_path: Path) -> None:
    """500 INTERNAL_ERROR with the request id to look for in the logs, and nothing else."""
    backend = backend_with_gate(tmp_path, FailingGate(ZeroDivisionError("secret detail")))

    response = await post_transfer(backend, {}, {"X-Request-Id": "req-1"})

    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL_ERROR")
    assert "secret detail" not in response.text
    assert response.json()["requestId"] == "req-1"


async def test_one_bad_row_fails_alone(tmp_path: Path) -> None:
    """A row that the store cannot take fails its own request, not the group's others."""

    class Picky(MemoryCommandInbox):
        @override
        async def accept(self, commands: Sequence[NewCommand]) -> Sequence[Acceptance | Exception]:
            answers = list(await super().accept(commands))
            return [
                ValueError("unstorable") if command.arguments["remark"] == "bad" else answer
                for command, answer in zip(commands, answers, strict=True)
            ]

    backend = build_backend(
        tmp_path,
        change=lambda parts, outbox: replace(
            parts, gate=GroupCommitter(Picky(outbox), on_stored=lambda: None)
        ),
    )

    good, bad = await asyncio.gather(
        post_transfer(backend, {}), post_transfer(backend, {"remark": "bad"})
    )

    assert (good.status_code, bad.status_code) == (202, 500)


async def test_a_clients_trace_goes_on(backend: Backend) -> None:
    """The command is stored with the client's trace id and a span of this request's own."""
    given_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    response = await post_transfer(backend, {}, {"traceparent": given_parent})

    parent = stored(backend, response).trace_parent
    assert parent is not None
    version, trace_id, span_id, flags = parent.split("-")
    assert (version, trace_id, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert span_id != "00f067aa0ba902b7"


@pytest.mark.parametrize("headers", [{}, {"traceparent": "00-zz"}], ids=["none", "malformed"])
async def test_without_a_clients_trace_one_begins(
    backend: Backend, headers: dict[str, str]
) -> None:
    """Each command is in a trace; its id is the request's id if the client brought none."""
    response = await post_transfer(backend, {}, headers)

    parent = stored(backend, response).trace_parent
    assert parent is not None
    assert parent.split("-")[1] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("given_id", "is_kept"),
    [("req-1", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("", False)],
    ids=["plain", "longest", "too long", "blank inside", "empty"],
)
async def test_a_clients_request_id_is_kept_if_it_is_harmless(
    backend: Backend, given_id: str, *, is_kept: bool
) -> None:
    """What could break a log line or a header is replaced."""
    response = await post_transfer(backend, {}, {"X-Request-Id": given_id})

    assert (response.headers["x-request-id"] == given_id) is is_kept
