"""Probes: yes only from one that answers as it should, never an exception."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typing_extensions import override

from gx.runtime.ports import PortNeed, PortTakenError, is_free, require_free_ports
from gx.runtime.readiness import SILENT, CallReady, HttpReady, Unready
from gx.telemetry.health import ProbeAnswer
from tests.ports import free_port


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Serve one fixed answer to everybody on a free port."""

    class Handler(socketserver.StreamRequestHandler):
        @override
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"HTTP/1.1 302 Found\r\n\r\n", False),
        (b"", False),
        (b"garbage\r\n", False),
        (b"HTTP/1.1 ok\r\n", False),
    ],
)
async def test_http_is_ready_only_with_a_2xx(answer: bytes, *, expected: bool) -> None:
    """A listening socket or a 503 is not readiness."""
    with answering(answer) as port:
        fault = await HttpReady(url=f"http://127.0.0.1:{port}/readyz?x=1").fault()
        assert (fault is None) is expected


async def test_a_503_tells_which_checks_failed() -> None:
    """Two words would send the operator to the logs; the answer has the reason."""
    body = ProbeAnswer({"database": "no connection", "ledger": None}).to_json()
    with answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n" + body) as port:
        fault = await HttpReady(url=f"http://127.0.0.1:{port}/readyz").fault()
    assert fault == Unready("not ready: database: no connection")


async def test_an_answer_that_says_nothing_more_is_told_by_its_status() -> None:
    """A foreign program answers with whatever it likes."""
    with answering(b"HTTP/1.1 503 Service Unavailable\r\n\r\n<html>") as port:
        fault = await HttpReady(url=f"http://127.0.0.1:{port}/readyz").fault()
    assert fault == Unready("not ready: answers with status 503")


async def test_nobody_there_is_not_ready() -> None:
    """The probe of a process that is not up yet says no, quickly."""
    assert await HttpReady(url=f"http://127.0.0.1:{free_port()}/").fault() == SILENT


async def test_a_probe_that_raises_says_no() -> None:
    """Whatever goes wrong in a probe, the supervisor goes on."""

    async def ask() -> bool:
        raise ZeroDivisionError

    assert await CallReady(ask=ask).fault() == SILENT


def test_a_port_is_free_again_at_once_after_its_server_left() -> None:
    """A warm restart must not wait for TIME_WAIT to pass."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        need = PortNeed(port=port, setting="GX_X")
        with socket.create_connection(("127.0.0.1", port)) as client:
            connection, _ = server.accept()
            assert not is_free(need)
            connection.close()  # the server closes first: its side stays in TIME_WAIT
            client.recv(1)
    assert is_free(need)


def test_a_port_taken_on_every_address_is_taken() -> None:
    """A server on 0.0.0.0 would answer in our place, or we in its."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 (that is the rule under test)
        need = PortNeed(port=int(server.getsockname()[1]), setting="GX_X")
        assert not is_free(need)


def test_every_taken_port_is_named_at_once() -> None:
    """One start is enough to learn what to change."""
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        needs = [
            (name, PortNeed(port=int(server.getsockname()[1]), setting=f"GX_{name}"))
            for name, server in (("ONE", one), ("TWO", two))
        ]
        with pytest.raises(PortTakenError) as raised:
            require_free_ports(needs)
    assert "GX_ONE" in str(raised.value)
    assert "GX_TWO" in str(raised.value)
