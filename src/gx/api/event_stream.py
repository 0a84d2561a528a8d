"""Server-sent events: a command's statuses as they change, until a final one.

Format: html.spec.whatwg.org, section 9.2. An event's id is its status, so that a client that
reconnects after the final event (as browsers do) is told by 204 to stay away.
"""

import asyncio
from http import HTTPStatus
from typing import Final

import msgspec

from gx.api.exchange import Exchange
from gx.api.problems import RequestRefusedError
from gx.api.settings import EdgeSettings
from gx.api.status_body import status_body
from gx.api.watcher import CommandWatcher
from gx.domain.refusals import RefusalCode
from gx.outbox.ports import CommandView
from gx.telemetry.instruments import ApiMetrics

CONTENT_TYPE: Final = "text/event-stream"
EVENT_NAME: Final = "status"
RECONNECT_MS: Final = 1_000

_HEARTBEAT: Final = b": still watching\n\n"
_RETRY_AFTER_S: Final = 5


class StatusStreams:
    """Streams to at most `streams_max` clients at once."""

    def __init__(
        self, watcher: CommandWatcher, *, metrics: ApiMetrics, settings: EdgeSettings
    ) -> None:
        self._watcher = watcher
        self._metrics = metrics
        self._settings = settings
        self._open = 0

    async def send(self, exchange: Exchange, view: CommandView) -> None:
        """Stream to one client until the command is final, the client leaves, or time is up.

        Raises:
            RequestRefusedError: UNAVAILABLE while too many streams are open.
        """
        exchange.is_streaming = True
        if view.status.is_final and exchange.header(b"last-event-id") == view.status:
            await exchange.reply_nothing()
            return
        if self._open >= self._settings.streams_max:
            raise RequestRefusedError(
                RefusalCode.UNAVAILABLE,
                f"{self._settings.streams_max} event streams are open already; "
                "ask with wait= instead",
                headers={"Retry-After": str(_RETRY_AFTER_S)},
            )
        self._open += 1
        self._metrics.streams_open.add(1)
        try:
            await self._until_over(exchange, view)
        finally:
            self._open -= 1
            self._metrics.streams_open.add(-1)

    async def _until_over(self, exchange: Exchange, view: CommandView) -> None:
        pump = asyncio.create_task(self._pump(exchange, view), name="event-stream")
        leaving = asyncio.create_task(exchange.until_disconnected(), name="event-stream-client")
        try:
            await asyncio.wait(
                {pump, leaving},
                timeout=self._settings.stream_duration_max_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for task in (pump, leaving):
                task.cancel()
            await asyncio.gather(pump, leaving, return_exceptions=True)
        if not pump.cancelled():
            pump.result()
        if not leaving.done() or leaving.cancelled():
            await exchange.send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, exchange: Exchange, view: CommandView) -> None:
        await exchange.send(
            {
                "type": "http.response.start",
                "status": HTTPStatus.OK.value,
                "headers": [
                    (b"content-type", CONTENT_TYPE.encode()),
                    (b"x-accel-buffering", b"no"),  # or nginx keeps events until it has a page
                ],
            }
        )
        await _send_part(exchange, b"retry: %d\n\n" % RECONNECT_MS)
        heartbeat_s = self._settings.heartbeat_s
        async for newest in self._watcher.follow(view, heartbeat_s=heartbeat_s):
            await _send_part(exchange, _HEARTBEAT if newest is None else _event(newest))


async def _send_part(exchange: Exchange, part: bytes) -> None:
    await exchange.send({"type": "http.response.body", "body": part, "more_body": True})


def _event(view: CommandView) -> bytes:
    data = msgspec.json.encode(status_body(view))
    head = f"event: {EVENT_NAME}\nid: {view.status}\n".encode()
    return head + b"data: " + data + b"\n\n"
