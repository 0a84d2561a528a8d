"""Peers that do the same job, on the same server in the same round, each a process of its own."""

import asyncio
import importlib.util
import sys
from typing import Final

import msgspec

from benchmarks.peers.figures import PeerFigures, PeerPlan
from benchmarks.programs import run_program
from benchmarks.stack import BenchmarkError, Server

PGQUEUER: Final = "pgqueuer"
PROCRASTINATE: Final = "procrastinate"
EVENTSOURCING: Final = "eventsourcing"

PROCESSES: Final = {
    PGQUEUER: "benchmarks.peers.queue_pgqueuer",
    PROCRASTINATE: "benchmarks.peers.queue_procrastinate",
    EVENTSOURCING: "benchmarks.peers.projection_eventsourcing",
}

JOBS: Final = {PGQUEUER: 20_000, PROCRASTINATE: 2_000, EVENTSOURCING: 4_000}
"""Some seconds of work each; their rates do not depend on the number."""

SINGLE: Final = 500
"""Jobs that are put in one by one."""

PATIENCE_S: Final = 240.0


def installed_peers() -> list[str]:
    """Name the peers that are installed here (the extra `bench`)."""
    return [name for name in PROCESSES if importlib.util.find_spec(name) is not None]


async def measure_peer(server: Server, name: str, number: int, share: float) -> PeerFigures:
    """Run one peer in a new database, which is dropped afterwards, with a share of the jobs.

    Raises:
        BenchmarkError: it failed, or took too long; the text has its last words.
    """
    database = f"{name}{number}"
    plan = PeerPlan(
        dsn=await server.create_database(database),
        jobs=round(JOBS[name] * share),
        single=round(SINGLE * share),
    )
    command = (sys.executable, "-m", PROCESSES[name], msgspec.json.encode(plan).decode())
    try:
        ended = await asyncio.wait_for(run_program(command), PATIENCE_S)
    except TimeoutError as error:
        raise BenchmarkError(f"{name} did not end within {PATIENCE_S:.0f} s") from error
    if ended.status != 0:
        raise BenchmarkError(f"{name} failed: {ended.errors.decode()[-1_500:]}")
    await server.drop_database(database)
    return msgspec.json.decode(ended.output.splitlines()[-1], type=PeerFigures)
