"""How much CPU and memory this process may use: its cgroup's limits, else the machine's.

Source: the kernel's cgroup-v1 and cgroup-v2 documents. A limit of any ancestor binds too, so the
smallest one on the way to the root counts.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

_ROOT: Final = Path("/")
_CONTROLLERS: Final = Path("sys/fs/cgroup")


def read_cpu_limit_cores(root: Path = _ROOT) -> float:
    """Return the CPUs that this process may use, at most those it may be scheduled on."""
    quotas = (
        *(_cpu_max(folder) for folder in _folders(root, "")),
        *(_cfs_quota(folder) for folder in _folders(root, "cpu")),
    )
    return _smallest(float(len(os.sched_getaffinity(0))), quotas)


def read_memory_limit_bytes(root: Path = _ROOT) -> float:
    """Return the memory that this process may use, at most the machine's."""
    limits = (
        *(_number(folder / "memory.max") for folder in _folders(root, "")),
        *(_number(folder / "memory.limit_in_bytes") for folder in _folders(root, "memory")),
    )
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return _smallest(float(machine), limits)


def _smallest(ceiling: float, limits: Iterable[float | None]) -> float:
    return min([ceiling, *(limit for limit in limits if limit is not None)])


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the process's cgroup and its ancestors; "" is the unified (v2) hierarchy."""
    mount = root / _CONTROLLERS / controller
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            # In a container the path may lie outside what is mounted; the mount's root is ours.
            relative = PurePosixPath(path).relative_to("/")
            yield from (mount / folder for folder in (relative, *relative.parents))


def _cpu_max(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return _ratio(_parse(quota), _parse(period))


def _cfs_quota(folder: Path) -> float | None:
    return _ratio(_number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us"))


def _ratio(quota: float | None, period: float | None) -> float | None:
    return quota / period if quota and period else None


def _number(path: Path) -> float | None:
    return _parse(_text(path))


def _parse(text: str) -> float | None:
    return float(text) if text.strip().isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the controller is not mounted here, or not for this cgroup version
        return ""
