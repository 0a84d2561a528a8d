"""A process that stands in for one of ours where the fault would harm the machine.

It exports what a process exports of itself: its CPU time, its memory, and limits, here small ones.
Told to, it really burns a share of a CPU and really keeps memory: only the limits are make-believe.
`POST /burn` until `/calm`, `/fill` until `/empty`; `GET /metrics`.

On further ports it stands in for what is not on this machine, and exports what `POST /say` told it.
"""

import argparse
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Protocol

import msgspec
import psutil
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from typing_extensions import override

from gx.proof.drills.spoken import Spoken, Statement
from gx.telemetry.catalogue.every_process import PROCESS_CPU_LIMIT, PROCESS_MEMORY_LIMIT

STAND_IN_JOB: Final = "gx-stand-in"
CPU_LIMIT_CORES: Final = 0.1
BURNT_SHARE: Final = 0.15
"""Of one CPU: half as much again as the limit, and little enough to disturb no other drill."""
MEMORY_HEADROOM_BYTES: Final = 64 * 1024 * 1024
_FILLED_BYTES: Final = 62 * 1024 * 1024
_SLICE_S: Final = 0.2
_IDLE_S: Final = 0.05


class Role(Protocol):
    """What one port does."""

    def exposition(self) -> bytes:
        """Return what a scrape gets."""
        ...

    def tell(self, path: str, body: bytes) -> bool:
        """Take an order; False if it is none."""
        ...


class Body:
    """A process of ours: its faults, and the registry that tells of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        base = psutil.Process().memory_info().rss
        for metric, value in (
            (PROCESS_CPU_LIMIT, CPU_LIMIT_CORES),
            (PROCESS_MEMORY_LIMIT, base + MEMORY_HEADROOM_BYTES),
        ):
            Gauge(metric.name, metric.help, registry=self.registry).set(value)
        self._burning = threading.Event()
        self._kept: list[bytearray] = []
        threading.Thread(target=self._burn, daemon=True).start()

    def exposition(self) -> bytes:
        """Return what the process says of itself."""
        return generate_latest(self.registry)

    def tell(self, path: str, body: bytes) -> bool:  # noqa: ARG002 (the path says it all)
        """Do what a path says; False if it is none of the four."""
        match path:
            case "/burn":
                self._burning.set()
            case "/fill":
                # Written to, page by page: what is only reserved is not resident.
                self._kept = [bytearray(b"\x01" * _FILLED_BYTES)]
            case "/calm":
                self._burning.clear()
            case "/empty":
                self._kept.clear()
            case _:
                return False
        return True

    def _burn(self) -> None:
        """Use a share of a CPU, by its own CPU clock: on a busy machine it takes what it gets."""
        while True:
            self._burning.wait()
            began_s, used_s = time.monotonic(), time.thread_time()
            while time.thread_time() - used_s < BURNT_SHARE * _SLICE_S:
                pass
            time.sleep(max(_SLICE_S - (time.monotonic() - began_s), _IDLE_S * BURNT_SHARE))


class Voice:
    """Another program: it says what it was told to say."""

    def __init__(self) -> None:
        self._spoken = Spoken()

    def exposition(self) -> bytes:
        """Return what was told, as it is now."""
        return self._spoken.exposition(time.monotonic())

    def tell(self, path: str, body: bytes) -> bool:
        """Take statements in place of those before."""
        if path != "/say":
            return False
        statements = msgspec.json.decode(body, type=list[Statement])
        self._spoken.say(statements, time.monotonic())
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    role: Role


class _Handler(BaseHTTPRequestHandler):
    """Answers scrapes, and takes orders."""

    def do_GET(self) -> None:
        """Answer a scrape."""
        self._answer(200, _role_of(self).exposition())

    def do_POST(self) -> None:
        """Take an order."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(200 if _role_of(self).tell(self.path, body) else 404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _role_of(handler: BaseHTTPRequestHandler) -> Role:
    if not isinstance(handler.server, _Server):
        raise TypeError("the handler is made for the stand-in's own server")
    return handler.server.role


def _serve(port: int, role: Role) -> threading.Thread:
    server = _Server(("127.0.0.1", port), _Handler)
    server.role = role
    thread = threading.Thread(target=lambda: server.serve_forever(_SLICE_S))
    thread.start()
    return thread


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--voice", type=int, action="append", default=[])
    chosen = parser.parse_args(arguments)
    threads = [_serve(port, Voice()) for port in chosen.voice]
    for thread in (_serve(chosen.port, Body()), *threads):
        thread.join()


if __name__ == "__main__":
    main()
