"""What every peer's process is told, and what it answers: JSON on its command line and its output.

python -m benchmarks.peers.queue_pgqueuer '{"dsn": "postgresql://…", "jobs": 20000, "single": 500}'
"""

import sys
import time

import msgspec


class PeerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """In which empty database, and how much; `single` are put in one by one."""

    dsn: str
    jobs: int
    single: int
    bulk: int = 500
    """How many go in by one call of the peer's own bulk operation."""


class PeerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A peer's rates; `cpu_us` is its worker's own CPU time for each job or event."""

    configuration: str
    single_per_s: float
    bulk_per_s: float
    done_per_s: float
    cpu_us: float


class Stopwatch:
    """Wall clock and this process's CPU time since it was made."""

    def __init__(self) -> None:
        self._wall_s = time.perf_counter()
        self._cpu_s = time.process_time()

    def per_s(self, count: int) -> float:
        """Return how many a second `count` of them were."""
        return round(count / (time.perf_counter() - self._wall_s), 1)

    def cpu_us(self, count: int) -> float:
        """Return the CPU time for each of `count`."""
        return round((time.process_time() - self._cpu_s) / count * 1e6, 1)


def read_plan() -> PeerPlan:
    """Read what the process was told."""
    return msgspec.json.decode(sys.argv[1], type=PeerPlan)


def answer(figures: PeerFigures) -> None:
    """Write what was measured, as the output's last line."""
    print(msgspec.json.encode(figures).decode(), flush=True)
