"""A supervisor in a process of its own, for tests that kill it or stop it from outside.

Run as `python -m tests.runtime.stack_process FOLDER POSTGRES_PORT VALKEY_PORT`: it runs a
real PostgreSQL, a real Valkey and a shell that ignores SIGTERM, and prints a line when
they are ready.
"""

import asyncio
import sys
from pathlib import Path

from gx.database.embedded import EmbeddedPostgres
from gx.runtime.clock import SystemClock
from gx.runtime.ports import PortNeed
from gx.runtime.process import ItemStatus, ProcessSpec
from gx.runtime.readiness import CallReady
from gx.runtime.stack import StackFolder
from gx.runtime.supervisor import Supervisor
from gx.runtime.valkey import EmbeddedValkey
from tests.runtime.started import StartedReady

IGNORES_TERM = "trap '' TERM; while :; do sleep 0.1; done"


class PrintingObserver:
    """Says when the stack is ready."""

    def item_changed(self, status: ItemStatus) -> None:
        """Say nothing."""

    def stack_ready(self, elapsed_s: float) -> None:
        """Say so."""
        sys.stdout.write(f"ready after {elapsed_s:.1f} s\n")
        sys.stdout.flush()


def build_items(folder: Path, postgres_port: int, valkey_port: int) -> list[ProcessSpec]:
    """Build the three processes."""
    postgres = EmbeddedPostgres(home=folder / "postgres", port=postgres_port).prepare()
    valkey = EmbeddedValkey(home=folder / "valkey", port=valkey_port).prepare()
    return [
        ProcessSpec(
            name="postgres",
            command=postgres.command,
            environment=postgres.environment,
            account=postgres.account,
            readiness=CallReady(ask=postgres.is_ready),
            ports=(PortNeed(port=postgres_port, setting="GX_STACK_POSTGRES_PORT"),),
            stop_signal=postgres.stop_signal,
            death_signal=postgres.death_signal,
            stop_grace_s=20,
        ),
        ProcessSpec(
            name="valkey",
            command=valkey.command,
            environment=valkey.environment,
            readiness=CallReady(ask=valkey.is_ready),
            ports=(PortNeed(port=valkey_port, setting="GX_STACK_VALKEY_PORT"),),
            stop_signal=valkey.stop_signal,
        ),
        ProcessSpec(
            name="stubborn",
            command=("/bin/sh", "-c", IGNORES_TERM),
            readiness=StartedReady(),
            after=("postgres", "valkey"),
            stop_grace_s=0.2,
        ),
    ]


async def main(folder: Path, postgres_port: int, valkey_port: int) -> None:
    """Run the stack until it is told to stop."""
    supervisor = Supervisor(
        build_items(folder, postgres_port, valkey_port),
        folder=StackFolder(folder),
        clock=SystemClock(),
        observer=PrintingObserver(),
        urls={"postgres": f"127.0.0.1:{postgres_port}"},
    )
    await supervisor.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
