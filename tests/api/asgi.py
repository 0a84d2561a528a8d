"""Speaks ASGI by hand, where a client library would hide what matters: chunks and departures."""

import asyncio
from collections.abc import Sequence
from typing import Final

from gx.api.app import EdgeApp
from gx.api.exchange import Message

HOST: Final = (b"host", b"api.test")


class Conversation:
    """One request, part by part."""

    def __init__(
        self,
        app: EdgeApp,
        method: str,
        path: str,
        *,
        headers: Sequence[tuple[bytes, bytes]] = (),
        chunks: Sequence[bytes] = (b"",),
    ) -> None:
        self._app = app
        self._headers = headers
        self._scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [HOST, *headers],
            "client": ("192.0.2.1", 4711),
            "server": ("api.test", 80),
        }
        self._chunks = list(chunks)
        self._left = asyncio.Event()
        self._news = asyncio.Event()
        self.taken = 0
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.is_complete = False

    def again(self) -> "Conversation":
        """Prepare the same request once more."""
        method, path = str(self._scope["method"]), str(self._scope["path"])
        return Conversation(
            self._app, method, path, headers=self._headers, chunks=list(self._chunks)
        )

    def leave(self) -> None:
        """Go away, as a client whose connection breaks."""
        self._left.set()

    async def run(self) -> None:
        """Let the application answer."""
        await self._app(self._scope, self._receive, self._send)

    async def until(self, text: bytes) -> None:
        """Wait until the answer holds a text."""
        async with asyncio.timeout(30):
            while text not in self.body:
                self._news.clear()
                await self._news.wait()

    async def _receive(self) -> Message:
        if self.taken < len(self._chunks):
            body = self._chunks[self.taken]
            self.taken += 1
            more_body = self.taken < len(self._chunks)
            return {"type": "http.request", "body": body, "more_body": more_body}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            assert isinstance(message["status"], int)
            assert isinstance(message["headers"], list)
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            body = message.get("body", b"")
            assert isinstance(body, bytes)
            self.body += body
            self.is_complete = not message.get("more_body", False)
            self._news.set()
