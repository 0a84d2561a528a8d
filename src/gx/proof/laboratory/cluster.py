"""A cluster's workloads on a network of namespaces, one pod each, with their policies in force."""

import errno
import selectors
import socket
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import IO, Final, Self, TypeVar

from gx.proof.laboratory.filters import Refusal, compile_filter
from gx.proof.laboratory.forwarding import Forwarding
from gx.proof.laboratory.namespaces import Network
from gx.proof.laboratory.tools import NetworkTools
from gx.proof.reachability.inventory import Inventory

# Reserved for tests of networks (RFC 2544): in no block of a policy that means somebody.
_NETWORK: Final = "198.18"
_LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 64
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A TCP connection to be tried; the ends are `namespace/name`, or who is outside."""

    source: str
    target: str
    port: int


class Laboratory:
    """Workloads, and some hosts outside the cluster, that can really connect to each other.

    `outside` are hosts by name, with their addresses. Nothing is filtered before `enforce`.
    """

    def __init__(
        self,
        tools: NetworkTools,
        inventory: Inventory,
        outside: Mapping[str, str] | None = None,
    ) -> None:
        names = [str(each) for each in inventory.pods]
        self._inside = {
            name: f"{_NETWORK}.{at // 250}.{at % 250 + 1}" for at, name in enumerate(names)
        }
        self.network = Network(tools, {**self._inside, **(outside or {})})
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.network)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def address(self, member: str) -> str:
        """Return where a workload or a host is reached."""
        return self.network.addresses[member]

    def enforce(self, inventory: Inventory, refusal: Refusal = Refusal.DROP) -> None:
        """Put these policies into force, in place of those before."""
        for pods in inventory.pods:
            if not pods.is_on_host_network:
                rules = compile_filter(inventory, pods, self._inside, refusal)
                self.network.filter(str(pods), rules)

    def listen(self, member: str, ports: Iterable[int]) -> None:
        """Have a member take connections, and say nothing."""

        def bind() -> None:
            for port in ports:
                taking = socket.create_server(("", port), backlog=_BACKLOG)
                self._stack.callback(taking.close)

        self.network.inside(member, bind)

    def inside(self, member: str, work: Callable[[], _Answer]) -> _Answer:
        """Do something where a member is."""
        return self.network.inside(member, work)

    def start(
        self,
        member: str,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        log: IO[str] | None = None,
    ) -> Popen[str]:
        """Start a program where a member is; it ends with the laboratory at the latest."""
        return self.network.start(member, command, folder=folder, log=log)

    def connect(self, attempts: Collection[Attempt], *, timeout_s: float = 5.0) -> set[Attempt]:
        """Try connections, all at once, and return those that were established in time."""
        by_source: dict[str, list[Attempt]] = {}
        for each in attempts:
            by_source.setdefault(each.source, []).append(each)

        def from_one(source: str) -> set[Attempt]:
            mine = by_source[source]
            return self.inside(source, lambda: _established(mine, self.address, timeout_s))

        with ThreadPoolExecutor(len(by_source) or 1) as executor:
            return set().union(*executor.map(from_one, by_source))

    def when_done(self, work: Callable[[], object]) -> None:
        """Do something when the laboratory ends, before its network goes."""
        self._stack.callback(work)

    def forward(self, member: str, port: int) -> int:
        """Make a member's port reachable on loopback, and return the port there.

        It comes from the member's own loopback, which no policy filters.
        """

        def dial() -> socket.socket:
            return self.inside(member, lambda: socket.create_connection((_LOOPBACK, port), 10))

        return self._stack.enter_context(Forwarding(dial)).port


def _established(
    attempts: Iterable[Attempt], address: Callable[[str], str], timeout_s: float
) -> set[Attempt]:
    """Connect to all, and return what was taken; a refusal and silence are both none."""
    found: set[Attempt] = set()
    with ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for each in attempts:
            made = stack.enter_context(socket.socket())
            made.settimeout(0)  # a connection goes on by itself
            code = made.connect_ex((address(each.target), each.port))
            if code == errno.EINPROGRESS:
                waiting.register(made, selectors.EVENT_WRITE, each)
        deadline_s = time.monotonic() + timeout_s
        while waiting.get_map() and (left_s := deadline_s - time.monotonic()) > 0:
            for key, _ in waiting.select(left_s):
                waiting.unregister(key.fileobj)
                if isinstance(key.fileobj, socket.socket) and not key.fileobj.getsockopt(
                    socket.SOL_SOCKET, socket.SO_ERROR
                ):
                    found.add(key.data)
    return found
