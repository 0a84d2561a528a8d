"""A port of loopback that leads into a namespace: bytes are passed on until either end goes."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, Self

_LOOPBACK: Final = "127.0.0.1"
_CHUNK_BYTES: Final = 65_536
_BACKLOG: Final = 64


class Forwarding:
    """Listens on a free port while its `with` block runs; `dial` opens the other half."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial
        self._taking = socket.create_server((_LOOPBACK, 0), backlog=_BACKLOG)
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._run(self._take)
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._taking)
        self._threads[0].join()
        with self._lock:
            for each in self._open:
                _shut(each)
        for thread in self._threads:
            thread.join()
        for each in (*self._open, self._taking):
            each.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        number: int = self._taking.getsockname()[1]
        return number

    def _take(self) -> None:
        while True:
            try:
                caller, _ = self._taking.accept()
            except OSError:
                return  # the block has ended
            try:
                callee = self._dial()
            except OSError:
                caller.close()  # as if nobody listened
                continue
            with self._lock:
                self._open += (caller, callee)
            self._run(partial(_pump, caller, callee))
            self._run(partial(_pump, callee, caller))

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK_BYTES):
            target.sendall(chunk)
    for each in (source, target):
        _shut(each)


def _shut(each: socket.socket) -> None:
    """Wake whoever waits for it."""
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
