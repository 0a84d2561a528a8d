"""What the edge writes for operators, and how much of it."""

from pathlib import Path

from structlog.testing import capture_logs

from gx.database.ports import DatabaseUnavailableError
from tests.api.parts import TRANSFER
from tests.api.test_acceptance import FailingGate, backend_with_gate


async def test_a_mistake_of_ours_is_logged_with_where_it_happened(tmp_path: Path) -> None:
    """One line a request, with the request id that the client was told."""
    backend = backend_with_gate(tmp_path, FailingGate(ZeroDivisionError("oops")))
    async with backend.client() as client:
        with capture_logs() as logs:
            response = await client.post("/api/v1/transfers", json=TRANSFER)

    failed = [line for line in logs if line["event"] == "request_failed"]
    assert len(failed) == 1
    assert failed[0]["request_id"] == response.headers["x-request-id"]
    assert failed[0]["endpoint"] == "/api/v1/transfers"
    assert isinstance(failed[0]["exc_info"], ZeroDivisionError)


async def test_an_outage_does_not_flood_the_log(tmp_path: Path) -> None:
    """While the database is away, a line a second says so, not a line a request."""
    backend = backend_with_gate(tmp_path, FailingGate(DatabaseUnavailableError("away")))
    async with backend.client() as client:
        with capture_logs() as logs:
            for _ in range(50):
                await client.post("/api/v1/transfers", json=TRANSFER)

    noted = [line for line in logs if line["event"] == "requests_unavailable"]
    assert 1 <= len(noted) <= 5
    assert noted[0]["log_level"] == "warning"


async def test_refusals_are_not_logged(tmp_path: Path) -> None:
    """A client's mistake is the client's to know; metrics count it."""
    backend = backend_with_gate(tmp_path, FailingGate(ZeroDivisionError()))
    async with backend.client() as client:
        await client.get("/api/v1/users/alice")
        with capture_logs() as logs:
            await client.post("/api/v1/transfers", json={})

    assert logs == []
