"""The telemetry port of a process: `/metrics`, `/livez` and `/readyz`, and nothing else.

A port of its own, so that probes and scrapes are neither counted nor limited among the users'
requests, and the numbers cannot be reached where the users' requests arrive.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from typing_extensions import override

from gx.domain.errors import GxError
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import ProbeAnswer, Probes

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
LOOPBACK: Final = "127.0.0.1"

_STOP_WITHIN_S: Final = 2
_CONNECTIONS_MAX: Final = 32

_Message: TypeAlias = MutableMapping[str, object]
_Receive: TypeAlias = Callable[[], Awaitable[_Message]]
_Send: TypeAlias = Callable[[_Message], Awaitable[None]]
App: TypeAlias = Callable[[_Message, _Receive, _Send], Awaitable[None]]
"""An ASGI application."""


class PortTakenError(GxError):
    """The telemetry port cannot be bound; another process has it, or the host is not ours."""


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    content_type: str
    body: bytes


class TelemetryApp:
    """The ASGI application behind the port. Rendering runs in a thread, one scrape at a time."""

    def __init__(self, registry: MetricsRegistry, probes: Probes) -> None:
        self._registry = registry
        self._probes = probes
        self._renderer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request; a body is not read."""
        del receive
        response = await self._answer(str(scope["method"]), str(scope["path"]))
        headers = [
            (b"content-type", response.content_type.encode()),
            (b"content-length", str(len(response.body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        """Let go of the rendering thread."""
        self._renderer.shutdown(wait=False, cancel_futures=True)

    async def _answer(self, method: str, path: str) -> _Response:
        if method not in {"GET", "HEAD"}:
            return _text(405, "only GET and HEAD\n")
        match path:
            case "/metrics":
                loop = asyncio.get_running_loop()
                body = await loop.run_in_executor(self._renderer, self._registry.render)
                return _Response(200, METRICS_CONTENT_TYPE, body)
            case "/livez":
                return _probe(self._probes.livez())
            case "/readyz":
                return _probe(self._probes.readyz())
            case _:
                return _text(404, "here are /metrics, /livez and /readyz\n")


def _text(status: int, text: str) -> _Response:
    return _Response(status, "text/plain; charset=utf-8", text.encode())


def _probe(answer: ProbeAnswer) -> _Response:
    return _Response(answer.status_code, "application/json", answer.to_json())


class TelemetryServer:
    """Serves a `TelemetryApp` on its own port, inside the process's event loop.

    `async with TelemetryServer(registry=…, probes=…, port=9090): …` serves while the block runs.
    It leaves the process's signal handlers alone. Port 0 takes a free one; see `port`.
    `wrap` puts an application of the process's own in front of the telemetry paths.
    """

    def __init__(
        self,
        *,
        registry: MetricsRegistry,
        probes: Probes,
        port: int,
        host: str = LOOPBACK,
        wrap: Callable[[App], App] | None = None,
    ) -> None:
        self._telemetry = TelemetryApp(registry, probes)
        self._app: App = self._telemetry if wrap is None else wrap(self._telemetry)
        self._host = host
        self._asked_port = port
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = port

    async def __aenter__(self) -> Self:
        """Bind and serve.

        Raises:
            PortTakenError: The address cannot be bound.
        """
        listener = _bind(self._host, self._asked_port)
        self.port = int(listener.getsockname()[1])
        self._server = _Server(
            uvicorn.Config(
                self._app,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                limit_concurrency=_CONNECTIONS_MAX,
                timeout_graceful_shutdown=_STOP_WITHIN_S,
            )
        )
        self._serving = asyncio.create_task(
            self._server.serve(sockets=[listener]), name="telemetry"
        )
        await self._server.until_started(self._serving)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop within two seconds; requests under way are answered first."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        self._telemetry.close()


class _Server(uvicorn.Server):
    """A uvicorn that lives inside another program, which decides when to stop."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._is_started = asyncio.Event()

    async def until_started(self, serving: asyncio.Task[None]) -> None:
        """Wait until requests are accepted, or raise what kept the server from it."""
        started = asyncio.create_task(self._is_started.wait())
        await asyncio.wait({serving, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if serving.done():
            serving.result()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._is_started.set()

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTakenError(
            f"cannot serve metrics on {host}:{port}: {error.strerror}. Stop what uses the port "
            "(`ss -ltnp`), or choose another one in the settings"
        ) from error
    return listener
