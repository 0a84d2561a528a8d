"""Ports for tests: below those that the kernel hands out, so that nobody gets one by chance.

A port that was free when it was looked for, and is taken when it is listened at, fails whole
stacks: on a machine where three of them start at once, connections take ports all the time.
"""

import os
import random
import socket
from collections import deque
from typing import Final

_FIRST: Final = 10_000
_LAST: Final = 20_999
_SHARES: Final = 8
# Each worker of pytest-xdist ("gw0", "gw1", ...) has a share of its own: what one of them was
# given and has not listened at yet, another cannot be given.
_WORKER: Final = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # noqa: TID251 (pytest's own)
_SHARE: Final = int(_WORKER.removeprefix("gw")) % _SHARES
# Processes with one seed must not try the same ports in the same order.
_choose: Final = random.SystemRandom()
_given: Final = deque[int](maxlen=300)  # free now, and still somebody's: a stack takes its 16 late


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at now, and that was not given out lately."""
    while True:
        port = _choose.randrange(_FIRST + _SHARE, _LAST + 1, _SHARES)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.append(port)
        return port


def free_ports(count: int) -> list[int]:
    """Return as many different ones."""
    return [free_port() for _ in range(count)]
