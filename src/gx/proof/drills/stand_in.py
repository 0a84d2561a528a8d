"""A process that stands in for one of ours where the fault would harm the machine.

It exports what a process exports of itself: its CPU time, its memory, and limits, here small ones.
Told to, it really burns a share of a CPU and really keeps memory: only the limits are make-believe.
`POST /burn` until `/calm`, `/fill` until `/empty`; `GET /metrics`.
"""

import argparse
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import psutil
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from typing_extensions import override

from gx.telemetry.catalogue.every_process import PROCESS_CPU_LIMIT, PROCESS_MEMORY_LIMIT

STAND_IN_JOB: Final = "gx-stand-in"
CPU_LIMIT_CORES: Final = 0.1
BURNT_SHARE: Final = 0.15
"""Of one CPU: half as much again as the limit, and little enough to disturb no other drill."""
MEMORY_HEADROOM_BYTES: Final = 64 * 1024 * 1024
_FILLED_BYTES: Final = 62 * 1024 * 1024
_SLICE_S: Final = 0.2
_IDLE_S: Final = 0.05


class StandIn:
    """Its faults, and the registry that tells of it."""

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

    def tell(self, what: str) -> bool:
        """Do what a path says; False if it is none of the four."""
        match what:
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


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: StandIn


class _Handler(BaseHTTPRequestHandler):
    """Answers scrapes, and takes orders."""

    def do_GET(self) -> None:
        """Answer a scrape."""
        self._answer(200, generate_latest(_stand_in_of(self).registry))

    def do_POST(self) -> None:
        """Take an order."""
        self._answer(200 if _stand_in_of(self).tell(self.path) else 404, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _stand_in_of(handler: BaseHTTPRequestHandler) -> StandIn:
    if not isinstance(handler.server, _Server):
        raise TypeError("the handler is made for the stand-in's own server")
    return handler.server.stand_in


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    server = _Server(("127.0.0.1", parser.parse_args(arguments).port), _Handler)
    server.stand_in = StandIn()
    server.serve_forever(_SLICE_S)


if __name__ == "__main__":
    main()
