"""Ports for tests: below those that the kernel hands out, so that nobody gets one by chance.

A port that was free when it was looked for, and is taken when it is listened at, fails whole
stacks: on a machine where three of them start at once, connections take ports all the time.
"""

import random
import socket
from typing import Final

_FIRST: Final = 10_000
_LAST: Final = 20_999
# Workers with one seed must not try the same ports in the same order.
_choose: Final = random.SystemRandom()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at now."""
    while True:
        port = _choose.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def free_ports(count: int) -> list[int]:
    """Return as many different ones."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)
