"""CPU and memory limits, read from made-up cgroup files of both versions."""

import os
from pathlib import Path

import pytest

from gx.telemetry.limits import read_cpu_limit_cores, read_memory_limit_bytes

CPUS = float(len(os.sched_getaffinity(0)))
MEMORY = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def write(root: Path, files: dict[str, str]) -> Path:
    """Make files under a folder that stands for the file system's root."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_without_limits_the_machine_is_the_limit(tmp_path: Path) -> None:
    """No cgroup files, or ones that say "max" and -1: usable CPUs and the host's memory."""
    assert read_cpu_limit_cores(tmp_path) == CPUS
    assert read_memory_limit_bytes(tmp_path) == MEMORY
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "3:cpu,cpuacct:/\n2:memory:/\n0::/\n",
            "sys/fs/cgroup/cpu.max": "max 100000\n",
            "sys/fs/cgroup/memory.max": "max\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )
    assert read_cpu_limit_cores(root) == CPUS
    assert read_memory_limit_bytes(root) == MEMORY


def test_version_2_limits_are_read(tmp_path: Path) -> None:
    """Quota over period, and memory.max, of the process's own cgroup."""
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/kubepods/pod1\n",
            "sys/fs/cgroup/kubepods/pod1/cpu.max": "50000 100000\n",
            "sys/fs/cgroup/kubepods/pod1/memory.max": "268435456\n",
        },
    )

    assert read_cpu_limit_cores(root) == 0.5
    assert read_memory_limit_bytes(root) == 268_435_456


def test_version_1_limits_are_read(tmp_path: Path) -> None:
    """CFS quota over period, and limit_in_bytes; in a container the path is not mounted."""
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n1:cpuacct,cpu:/docker/abc\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "25000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "134217728\n",
        },
    )

    assert read_cpu_limit_cores(root) == 0.25
    assert read_memory_limit_bytes(root) == 134_217_728


def test_the_tightest_ancestor_binds(tmp_path: Path) -> None:
    """A parent's smaller limit is the one that the process meets."""
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/memory.max": "1000000\n",
            "sys/fs/cgroup/a/b/memory.max": "2000000\n",
        },
    )

    assert read_memory_limit_bytes(root) == 1_000_000


@pytest.mark.parametrize("garbage", ["", "0 0\n", "many\n", "100000\n"])
def test_unreadable_limits_are_no_limits(tmp_path: Path, garbage: str) -> None:
    """A file that says nothing sensible neither fails nor makes the limit 0."""
    root = write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": garbage})

    assert read_cpu_limit_cores(root) == CPUS


def test_this_process_has_limits() -> None:
    """The real files of this machine give something to divide by."""
    assert 0 < read_cpu_limit_cores() <= CPUS
    assert 0 < read_memory_limit_bytes() <= MEMORY
