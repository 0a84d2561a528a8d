"""A network whose answers a test writes down beforehand, and which remembers the questions."""

import json
from collections.abc import Iterable

import httpx
from typing_extensions import override

from gx.client.client import GxClient
from gx.client.retry import RetryPolicy
from gx.client.transport import ClientSettings, Transport

COMMAND_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class ScriptedHttp(httpx.AsyncBaseTransport):
    """Answers with the outcomes in order; an exception stands for a broken connection."""

    def __init__(self, outcomes: Iterable[httpx.Response | httpx.TransportError]) -> None:
        self._outcomes = list(outcomes)
        self.requests: list[httpx.Request] = []

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, httpx.TransportError):
            raise outcome
        return outcome


class Naps:
    """A sleep that takes no time and remembers how long it would have been."""

    def __init__(self) -> None:
        self.durations_s: list[float] = []

    async def __call__(self, duration_s: float) -> None:
        """Return at once."""
        self.durations_s.append(duration_s)


def a_client(
    *outcomes: httpx.Response | httpx.TransportError, policy: RetryPolicy | None = None
) -> tuple[GxClient, ScriptedHttp, Naps]:
    """Build a client on a scripted network; its jitter is always at the ceiling."""
    http, naps = ScriptedHttp(outcomes), Naps()
    settings = ClientSettings(
        base_url="http://gx.test", token="t0ken", retry=policy or RetryPolicy(attempts_max=4)
    )
    transport = Transport(settings, http=http, sleep=naps, fraction=lambda: 1.0)
    return GxClient(transport), http, naps


def accepted() -> httpx.Response:
    """The answer to an accepted command."""
    return httpx.Response(
        202,
        json={
            "commandId": COMMAND_ID,
            "status": "PENDING",
            "statusUrl": f"/api/v1/commands/{COMMAND_ID}",
        },
    )


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    """A refusal as RFC 9457 has it."""
    return httpx.Response(
        status,
        content=json.dumps({"title": code, "status": status, "code": code, "detail": "because"}),
        headers={"Content-Type": "application/problem+json", **headers},
    )


def command(status: str, **more: object) -> httpx.Response:
    """The answer to a question for a command."""
    return httpx.Response(200, json=command_wire(status, **more))


def command_wire(status: str, **more: object) -> dict[str, object]:
    """A command as the API shows it."""
    return {
        "commandId": COMMAND_ID,
        "commandType": "MINT_COINS",
        "status": status,
        "arguments": {"accountId": "alice", "amount": "5", "remark": "r"},
        "actor": "root",
        "subject": "root",
        "acceptedAtMs": 1_700_000_000_000,
        **more,
    }
