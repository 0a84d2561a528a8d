"""Who may ask, and what a browser may do with the answer.

The numbers are for whoever reaches the address, so it is loopback unless somebody says otherwise.
A page of another site must not reach it through the browser of somebody who can: requests for
another host name are refused (DNS rebinding), and nothing rests on cookies, so that there is
nothing to forge. The one place where a token may be is a header that only our page sets.
"""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

# Charts set styles on their own elements; no style sheet, script or address of elsewhere is taken.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Stands before the application."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = LOOPBACK_NAMES | frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on; either answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        fault = find_fault(str(scope["method"]), Headers(scope=scope), self._hosts)
        answer = self._app if fault is None else PlainTextResponse(f"{fault}\n", status_code=403)
        await answer(scope, receive, send_guarded)


def find_fault(method: str, headers: Headers, hosts: Collection[str]) -> str | None:
    """Say why a request is refused; None if it may pass."""
    host = headers.get("host", "")
    if name_of(host) not in hosts:
        return (
            f"this console does not answer to the name {host[:100]!r}: "
            "add it to GX_CONSOLE_ALLOWED_HOSTS"
        )
    if method in SAFE_METHODS:
        return None
    origin = headers.get("origin", f"http://{host}").partition("://")[2]
    if headers.get("sec-fetch-site", "same-origin") != "same-origin" or origin != host:
        return "only the console's own page may do this"
    if headers.get("content-type", "").partition(";")[0] != "application/json":
        return "send application/json"
    return None


def name_of(host: str) -> str:
    """Return a Host header without its port, in lower case."""
    name, separator, port = host.rpartition(":")
    return (name if separator and port.isdigit() else host).lower()
