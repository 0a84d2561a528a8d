"""Secrets that pass through the edge stay there: in no log line, in no answer."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx
import pytest
import structlog

from gx.api.exchange import Exchange
from gx.database.ports import DatabaseUnavailableError
from gx.domain.errors import GxError
from gx.telemetry.logs import configure_logging
from tests.api.parts import TRANSFER, Backend, StoppedClock
from tests.api.test_acceptance import FailingGate, backend_with_gate
from tests.api.tokens import confused_hmac, forged_none

PLANTED: Final = "s3cr3t-0f-0urs"
DSN: Final = f"postgresql://gx:{PLANTED}@db.internal:5432/gx"
FAILURES: Final[Mapping[str, Exception]] = {
    "a defect": RuntimeError(f"cannot use {DSN}"),
    "an error of ours": GxError(f"password={PLANTED} was refused"),
    "the database": DatabaseUnavailableError(f"{DSN} does not answer"),
    "the machine": OSError(f"connect to {DSN}: refused"),
}


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What a process of this system would write to its log."""
    stream = io.StringIO()
    configured = structlog.get_config()
    configure_logging(process="api", clock=StoppedClock(), level="debug", stream=stream)
    yield stream
    structlog.configure(**configured)


async def send(backend: Backend, headers: Mapping[str, str], remark: str = "x") -> httpx.Response:
    """Send a transfer."""
    async with backend.anonymous(headers) as client:
        return await client.post("/api/v1/transfers", json={**TRANSFER, "remark": remark})


def bearing(token: str, **headers: str) -> Mapping[str, str]:
    """Make a request's headers."""
    return {"Authorization": f"Bearer {token}", **headers}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
async def test_a_failures_secret_is_neither_answered_nor_logged(
    tmp_path: Path, logs: io.StringIO, failure: Exception
) -> None:
    """Whatever went wrong behind the edge; and no answer shows where in the code it did."""
    backend = backend_with_gate(tmp_path, FailingGate(failure))

    answer = await send(backend, bearing(backend.token()))

    assert answer.status_code >= 500
    assert PLANTED not in answer.text
    assert not [word for word in ("Traceback", ".py", "db.internal") if word in answer.text]
    assert logs.getvalue()
    assert PLANTED not in logs.getvalue()


async def test_what_a_request_bears_is_not_logged(tmp_path: Path, logs: io.StringIO) -> None:
    """Token, idempotency key and remark are the client's own, also when the request fails."""
    backend = backend_with_gate(tmp_path, FailingGate(ZeroDivisionError("oops")))
    token = backend.token()

    answer = await send(
        backend, bearing(token, **{"Idempotency-Key": PLANTED}), remark=f"for {PLANTED}"
    )

    assert answer.status_code == 500
    assert "request_failed" in logs.getvalue()
    for secret in (PLANTED, token, token.rpartition(".")[2]):
        assert secret not in logs.getvalue()
        assert secret not in answer.text


@pytest.mark.parametrize(
    "token", [forged_none(), confused_hmac(), PLANTED], ids=["none", "HS256", "no JWT"]
)
async def test_a_refused_token_is_not_repeated(
    backend: Backend, logs: io.StringIO, token: str
) -> None:
    """It may be somebody's good token with a typing error in it."""
    answer = await send(backend, bearing(token))

    assert answer.status_code == 401
    for part in token.split("."):
        assert not part or part not in answer.text + logs.getvalue()


async def test_a_failure_inside_a_handler_shows_no_code(
    backend: Backend, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 is one sentence and a request id, by which operators find the line in the log."""

    async def broken(_exchange: Exchange, _bytes_max: int) -> bytes:
        raise KeyError(PLANTED)

    monkeypatch.setattr(Exchange, "read_body", broken)
    answer = await send(backend, bearing(backend.token()))

    assert answer.status_code == 500
    assert answer.json().keys() == {"type", "title", "status", "code", "detail", "requestId"}
    assert PLANTED not in answer.text
    assert answer.json()["requestId"] in logs.getvalue()
