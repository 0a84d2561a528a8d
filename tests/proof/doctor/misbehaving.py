"""Targets that misbehave, each at a path of its own, and a Prometheus that asks them."""

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import httpx
from typing_extensions import override

from gx.runtime.prometheus import alertmanager_command, prometheus_command
from gx.runtime.tools import Tool
from tests.ports import free_port

HOST: Final = "127.0.0.1"
START_S: Final = 60.0
PAUSE_S: Final = 0.2
GOOD: Final = """\
# HELP outbox_pending_comands Misspelt.
# TYPE outbox_pending_comands gauge
outbox_pending_comands 3
# TYPE lab_commands_total counter
lab_commands_total{result="done"} 0
# TYPE lab_left gauge
lab_left{side="left",zone="a"} 1
# TYPE lab_right gauge
lab_right{side="right",zone="b"} 1
lab_right{side="other",zone="b"} 1
"""
MANY: Final = "".join(f'lab_many{{number="{number}"}} 1\n' for number in range(50))
ANSWERS: Final = {
    "/good": (200, "text/plain; version=0.0.4", GOOD),
    "/metrics": (200, "text/plain; version=0.0.4", GOOD),
    "/secret": (401, "text/plain", "who are you?\n"),
    "/broken": (500, "text/plain", "no\n"),
    "/page": (200, "text/html", "<!doctype html><html><body>hello</body></html>\n"),
    "/bad": (200, "text/plain; version=0.0.4", "lab_bad{a=} 1\n"),
    "/many": (200, "text/plain; version=0.0.4", MANY),
    "/nothing": (200, "text/plain; version=0.0.4", ""),
    "/old": (200, "text/plain; version=0.0.4", "lab_old 1 1600000000000\n"),
}


class _Handler(BaseHTTPRequestHandler):
    """Answers by path; `/fading` has a series only the first times, `/slow` never ends.

    Each server has a class of its own: what one of them has told or stopped is not the others'.
    """

    fading: int
    stopped: threading.Event

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/fading":
            type(self).fading -= 1
            body = "lab_fading 1\n" if self.fading > 0 else "lab_other 1\n"
            self._answer(200, "text/plain; version=0.0.4", body)
        elif path == "/slow":
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.flush()
            self.stopped.wait(30)
        else:
            self._answer(*ANSWERS.get(path, (404, "text/plain", "nothing here\n")))

    def _answer(self, status: int, content_type: str, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[int]:
    """Serve every answer on a free port."""

    class Handler(_Handler):
        fading = 5
        stopped = threading.Event()

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        Handler.stopped.set()
        server.shutdown()
        server.server_close()


@contextmanager
def hanging() -> Iterator[int]:
    """Take connections, as the kernel does for a process that is stopped, and say nothing."""
    with socket.create_server((HOST, 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


@contextmanager
def resetting() -> Iterator[int]:
    """Take connections and break them off."""
    listener = socket.create_server((HOST, 0), backlog=64)

    def reset() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(1)
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.close()

    thread = threading.Thread(target=reset, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def running_prometheus(tool: Tool, configuration: Path, folder: Path) -> Iterator[str]:
    """Run Prometheus with a configuration until the block ends; yield its address."""
    port = free_port()
    command = prometheus_command(
        tool, configuration=configuration, storage=folder / "data", port=port, retention_days=1
    )
    with _running(tool, command, port, folder / "prometheus.log") as url:
        yield url


@contextmanager
def running_alertmanager(tool: Tool, configuration: Path, folder: Path) -> Iterator[str]:
    """Run Alertmanager with a configuration until the block ends; yield its address."""
    port = free_port()
    command = alertmanager_command(
        tool, configuration=configuration, storage=folder / "alertmanager", port=port
    )
    with _running(tool, command, port, folder / "alertmanager.log") as url:
        yield url


@contextmanager
def _running(tool: Tool, command: Sequence[str], port: int, log_file: Path) -> Iterator[str]:
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, cwd=tool.working_folder, stdout=log, stderr=log)
    url = f"http://{HOST}:{port}"
    try:
        _wait_until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(url: str) -> None:
    pause = threading.Event()
    for _ in range(round(START_S / PAUSE_S)):
        if _is_ready(url):
            return
        pause.wait(PAUSE_S)
    raise TimeoutError(f"nobody is ready at {url}")


def _is_ready(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/-/ready", timeout=5.0, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
