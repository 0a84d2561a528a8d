"""The machine that a figure came from, and whether it was free when it was measured."""

import contextlib
import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

BUSY_CORES: Final = 0.3
"""Above this somebody else is at work: every figure would be theirs too."""

PATIENCE_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a reader has to know to compare figures with their own."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    postgresql: str
    commit: str
    """The commit that was measured, "+" behind it where files differed."""

    @classmethod
    def describe(cls, *, postgresql: str) -> "Machine":
        """Describe this machine; `postgresql` is the server's own version text."""
        return cls(
            cpu=_cpu_model(),
            cores=os.cpu_count() or 1,
            memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
            postgresql=postgresql,
            commit=_commit(),
        )


def _commit() -> str:
    git = ["git", "describe", "--always", "--abbrev=10", "--dirty=+", "--exclude=*"]
    answer = subprocess.run(git, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def busy_cores(seconds: float = 1.0) -> float:
    """Tell how many cores were at work during the last `seconds`."""
    return psutil.cpu_percent(interval=seconds) / 100 * (os.cpu_count() or 1)


def wait_until_free() -> float:
    """Wait until nobody else computes; return the cores that were still busy at the end."""
    deadline_s = time.monotonic() + PATIENCE_S
    told = False
    while (busy := busy_cores()) > BUSY_CORES:
        if time.monotonic() > deadline_s:
            break
        if not told:
            print(f"  waiting: {busy:.1f} cores are busy with something else", flush=True)
            told = True
    return round(busy, 2)


class BusyMeter:
    """Tells how much of all cores was at work since it was made, for whomever."""

    def __init__(self) -> None:
        self._began = psutil.cpu_times()

    def share(self) -> float:
        """Return it, from 0 to 1."""
        now = psutil.cpu_times()
        spent_s = sum(now) - sum(self._began)
        idle_s = now.idle + now.iowait - self._began.idle - self._began.iowait
        return round(1 - idle_s / spent_s, 3) if spent_s else 0.0


class OthersMeter:
    """Tells how many cores processes that are not ours used since it was made."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()
        self._others_s = _others_s()

    def cores(self) -> float:
        """Return the cores that others used on average."""
        elapsed_s = time.monotonic() - self._started_s
        return round(max(0.0, _others_s() - self._others_s) / elapsed_s, 2)


def _others_s() -> float:
    """Return the CPU time of everything that we did not start, since the machine began."""
    total = psutil.cpu_times()
    return total.user + total.nice + total.system + total.irq + total.softirq - _own_s()


def _own_s() -> float:
    """Return the CPU time of this process and all that it started, ended ones included."""
    own = psutil.Process()
    used = 0.0
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used
