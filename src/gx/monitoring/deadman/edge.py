"""The port of the dead-man's receiver: heartbeats in, its state out, and the telemetry paths."""

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Final, TypeAlias

from gx.monitoring.deadman.heartbeat import BODY_BYTES_MAX, NotAHeartbeatError
from gx.monitoring.deadman.switch import DeadMansSwitch
from gx.telemetry.exposition import App

HEARTBEAT_PATH: Final = "/heartbeat"
STATUS_PATH: Final = "/status"

_Message: TypeAlias = MutableMapping[str, object]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]

_TOO_LONG: Final = (413, {"ok": False, "reason": f"more than {BODY_BYTES_MAX} bytes"})
_NOT_KNOWN: Final = (401, {"ok": False, "reason": "the bearer token is missing or wrong"})
_NOT_POST: Final = (405, {"ok": False, "reason": "heartbeats are sent with POST"})


class HeartbeatApp:
    """Takes heartbeats from who has the token, if there is one; the rest goes to `telemetry`."""

    def __init__(self, switch: DeadMansSwitch, telemetry: App, *, token: str | None) -> None:
        self._switch = switch
        self._telemetry = telemetry
        self._token = token

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        if scope["path"] == HEARTBEAT_PATH:
            status, answer = await self._take(scope, receive)
        elif scope["path"] == STATUS_PATH:
            status, answer = 200, self._switch.describe()
        else:
            await self._telemetry(scope, receive, send)
            return
        await _answer(send, status, answer)

    async def _take(self, scope: _Message, receive: _Receive) -> tuple[int, dict[str, object]]:
        if scope["method"] != "POST":
            return _NOT_POST
        if not self._is_known(scope):
            return _NOT_KNOWN
        body = await _read(receive)
        if body is None:
            return _TOO_LONG
        try:
            self._switch.beat(body)
        except NotAHeartbeatError as error:
            return 400, {"ok": False, "reason": str(error)}
        return 200, {"ok": True}

    def _is_known(self, scope: _Message) -> bool:
        if self._token is None:
            return True
        headers = scope["headers"]
        sent = dict(headers).get(b"authorization", b"") if isinstance(headers, list) else b""
        return hmac.compare_digest(sent, f"Bearer {self._token}".encode())


async def _read(receive: _Receive) -> bytes | None:
    """Return the body; None if it is too long."""
    body = b""
    while True:
        message = await receive()
        part = message.get("body", b"")
        body += part if isinstance(part, bytes) else b""
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body"):
            return body


async def _answer(send: _Send, status: int, answer: dict[str, object]) -> None:
    body = json.dumps(answer).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
