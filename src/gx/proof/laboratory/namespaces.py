"""Network namespaces joined by a bridge that is in one of its own: nothing of the host's changes.

Each member has an address and reaches every other directly. All of it goes when the `with` block
ends, programs first; what a run left that was killed goes when the next one starts.
"""

import ctypes
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Self, TypeVar

from gx.proof.laboratory.tools import LaboratoryError, NetworkTool, NetworkTools

PREFIX: Final = "gxlab"
_FOLDER: Final = Path("/run/netns")
_TOOL_TIMEOUT_S: Final = 60
_STOP_TIMEOUT_S: Final = 10
_CLONE_NEWNET: Final = 0x4000_0000  # linux/sched.h
_HUB: Final = "hub"
_Answer = TypeVar("_Answer")


class Network:
    """Members by name, each in a namespace with one address.

    Needs root: it makes namespaces, devices and filters.
    """

    def __init__(self, tools: NetworkTools, addresses: Mapping[str, str]) -> None:
        self.addresses = dict(addresses)
        self._tools = tools
        # The process's number says whether whoever made it still lives.
        stem = f"{PREFIX}-{os.getpid()}-{secrets.token_hex(2)}"
        self._names = {each: f"{stem}-{at}" for at, each in enumerate((*addresses, _HUB))}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise LaboratoryError("network namespaces need root: run it as root")
        remove_leftovers(self._tools)
        with ExitStack() as undo:
            undo.callback(self._remove)
            self._make()
            self._stack = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def filter(self, member: str, rules: str) -> None:
        """Replace a member's packet filter, in nftables' language."""
        self.inside(member, lambda: _run(self._tools.nft, ["-f", "-"], rules))

    def inside(self, member: str, work: Callable[[], _Answer]) -> _Answer:
        """Do something in a member's namespace; sockets made there stay in it.

        It runs in a thread of its own, which alone enters the namespace.
        """
        with ThreadPoolExecutor(1) as executor:
            return executor.submit(self._enter_and, member, work).result()

    def start(
        self,
        member: str,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        log: IO[str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a program in a member's namespace; it ends with the network at the latest."""
        words = [self._tools.ip.path, "netns", "exec", self._names[member], *command]
        process = subprocess.Popen(  # noqa: S603 (programs that the caller starts on purpose)
            words,
            cwd=folder,
            env=os.environ | self._tools.ip.environment,  # noqa: TID251 (what it inherits anyway)
            stdin=subprocess.DEVNULL,
            stdout=log or subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._stack.callback(_stop, process)
        return process

    def _enter_and(self, member: str, work: Callable[[], _Answer]) -> _Answer:
        with (_FOLDER / self._names[member]).open("rb") as file:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
                reason = os.strerror(ctypes.get_errno())
                raise LaboratoryError(f"the namespace of {member} cannot be entered: {reason}")
        return work()

    def _make(self) -> None:
        hub = self._names[_HUB]
        members = [(each, self._names[each]) for each in self.addresses]
        lines = [f"netns add {name}" for name in self._names.values()]
        lines += [
            f"link add m{at} netns {hub} type veth peer name eth0 netns {name}"
            for at, (_, name) in enumerate(members)
        ]
        self._batch(lines)
        joined = [f"link set m{at} master bridge up" for at in range(len(members))]
        self._batch(["link add bridge type bridge", "link set bridge up", *joined], inside=hub)
        for member, name in members:
            self._batch(
                [
                    "link set lo up",
                    f"address add {self.addresses[member]}/32 dev eth0",
                    "link set eth0 up",
                    "route add default dev eth0",
                ],
                inside=name,
            )

    def _batch(self, lines: Sequence[str], inside: str | None = None) -> None:
        where = ["-netns", inside] if inside else []
        _run(self._tools.ip, [*where, "-batch", "-"], "\n".join(lines) + "\n")

    def _remove(self) -> None:
        for name in self._names.values():
            _remove(self._tools, name)


def remove_leftovers(tools: NetworkTools) -> None:
    """Remove the namespaces of runs that were killed; those of living ones stay."""
    for path in _FOLDER.glob(f"{PREFIX}-*"):
        owner = path.name.split("-")[1]
        if not Path("/proc", owner).exists():
            _remove(tools, path.name)


def _remove(tools: NetworkTools, name: str) -> None:
    if (_FOLDER / name).exists():
        _run(tools.ip, ["netns", "delete", name])


def _run(tool: NetworkTool, arguments: Sequence[str], text: str = "") -> None:
    try:
        done = subprocess.run(  # noqa: S603 (ip and nft themselves)
            [tool.path, *arguments],
            env=os.environ | tool.environment,  # noqa: TID251 (what it inherits anyway)
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TOOL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise LaboratoryError(f"{tool.path} did not end within {_TOOL_TIMEOUT_S} s") from error
    if done.returncode != 0:
        words = " ".join(arguments)
        raise LaboratoryError(f"{Path(tool.path).name} {words}: {done.stderr.strip()}")


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
