"""The machine that a figure came from, and whether it was free when it was measured."""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

BUSY_LOAD: Final = 0.6
"""Above this one-minute load somebody else is at work: every figure would be theirs too."""

PATIENCE_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a reader has to know to compare figures with their own."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    postgresql: str
    load_at_start: float

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
            load_at_start=round(os.getloadavg()[0], 2),
        )


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
    while (busy := busy_cores()) > BUSY_LOAD:
        if time.monotonic() > deadline_s:
            break
        print(f"  waiting: {busy:.1f} cores are busy with something else", flush=True)
    return round(busy, 2)
