"""Real processes of the system, each with what a test planted in it before it began.

They are forked from a server that has imported everything once, so each costs a few milliseconds,
and they die with it, as it dies with the test. What is planted is a bug (`tests.chaos.bugs`) or
a point at which the process gets a signal (`tests.chaos.halts`): `before-submit=SIGSTOP`.
"""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from multiprocessing import forkserver, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, TypeAlias

import psutil

from gx.database.tether_exec import die_with_parent
from gx.runtime.processes.api import run_api
from gx.runtime.processes.ledger import run_ledger
from gx.runtime.processes.projector import run_projector
from gx.runtime.processes.submitter import run_submitter
from tests.chaos.bugs.catalogue import BUGS
from tests.chaos.checker import run_judge
from tests.chaos.halts import arm

PROGRAMS: Final[Mapping[str, Callable[[], None]]] = {
    "api": run_api,
    "ledger": run_ledger,
    "projector": run_projector,
    "submitter": run_submitter,
}
_Target: TypeAlias = (
    Callable[[str, tuple[str, ...], dict[str, str], Path], None]
    | Callable[[str, Path, Path, Path], None]
)
_CONTEXT: Final = get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


class Child:
    """A process, and how to hurt it."""

    def __init__(self, process: BaseProcess, log: Path) -> None:
        self._process: Final = process
        self._log: Final = log

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether it runs, or stands still."""
        return self._process.is_alive()

    def is_stopped(self) -> bool:
        """Tell whether it stands still, as SIGSTOP leaves it."""
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False

    def says(self, words: str) -> bool:
        """Tell whether its log has these words by now."""
        return words in self.log()

    def log(self) -> str:
        """Return what it said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):  # another has reaped it meanwhile
                os.kill(self.pid, number)

    def resume(self) -> None:
        """Let it go on where it stands still."""
        self.send(signal.SIGCONT)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it and wait until it is gone."""
        self.send(number)
        self.send(signal.SIGCONT)
        self._process.join()


def begin(program: str, plants: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
    """Start a program in a process of its own."""
    return _start(_be, (program, tuple(plants), dict(environment), log), log)


def begin_judge(dsn: str, source: Path, notes: Path, answer: Path) -> Child:
    """Start the judge, who writes what it found into `answer`."""
    return _start(_judge, (dsn, source, notes, answer), answer.with_suffix(".log"))


def _start(target: _Target, arguments: tuple[object, ...], log: Path) -> Child:
    process = _CONTEXT.Process(target=target, args=arguments, daemon=True)
    process.start()
    return Child(process, log)


def _be(program: str, plants: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
    _become_quiet(log)
    os.environ.update(environment)  # noqa: TID251 (a process begins with its environment)
    for plant in plants:
        if "=" in plant:
            arm(plant)
        else:
            BUGS[plant]()
    PROGRAMS[program]()


def _judge(dsn: str, source: Path, notes: Path, answer: Path) -> None:
    _become_quiet(answer.with_suffix(".log"))
    answer.write_text(json.dumps(asdict(run_judge(dsn, source, notes))))


def _become_quiet(log: Path) -> None:
    """Say everything into the log, and die with whoever started the test."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for number in (sys.__stdout__, sys.__stderr__):
        if number is not None:
            os.dup2(descriptor, number.fileno())
    os.close(descriptor)
    _let_the_server_end()
    die_with_parent(os.getppid(), signal.SIGKILL)


def _let_the_server_end() -> None:
    """Close what keeps the server of forks alive: it is to end with the test, whatever ends that.

    A child is given this end of a pipe so that it could begin processes itself.
    """
    own = vars(forkserver._forkserver)
    kept = own["_forkserver_alive_fd"]
    if kept is not None:
        os.close(kept)
        own["_forkserver_alive_fd"] = None
