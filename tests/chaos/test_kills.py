"""Workers that stand still for longer than their lease, and standbys that take over.

`GX_CHAOS_SEED` repeats a run.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import pytest

from tests.chaos.scenes import FAST_RECOVERY, a_driver, settle, under_load, verdict
from tests.end_to_end.loop import Loop, running_loop
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500), pytest.mark.xdist_group("chaos")]

SEED: Final = int(os.environ.get("GX_CHAOS_SEED", str(random.randrange(10**6))))  # noqa: S311, TID251 (a schedule; tests have no settings)


async def test_two_submitters_and_two_projectors_do_the_work_of_one() -> None:
    """Standbys take over from a stopped worker; when it wakes, it changes nothing."""
    async with running_loop("--no-monitoring", environment=FAST_RECOVERY) as loop:
        driver = await a_driver(loop, SEED)
        await driver.prepare()
        async with _standby(loop, "outbox", "submit"), _standby(loop, "projection", "run"):
            async with under_load(driver):
                for _ in range(2):
                    for name in ("outbox-submitter", "projector"):
                        assert loop.send(name, signal.SIGSTOP)
                    await asyncio.sleep(4)
                    for name in ("outbox-submitter", "projector"):
                        assert loop.send(name, signal.SIGCONT)
                    await asyncio.sleep(4)
            await settle(loop)
            finding = await verdict(loop, driver)
            assert not finding["faults"], f"seed {SEED}: {finding}"
            connection = await asyncpg.connect(loop.dsn)
            epochs = await connection.fetch("SELECT epoch FROM leases")
            await connection.close()
            assert len(epochs) == 2
            assert all(row["epoch"] > 1 for row in epochs), "no standby ever took over"


@asynccontextmanager
async def _standby(loop: Loop, *subcommand: str) -> AsyncIterator[None]:
    """A second worker beside the supervised one, with ports of its own."""
    ports = {
        "GX_SUBMITTER_METRICS_PORT": str(free_port()),
        "GX_PROJECTOR_METRICS_PORT": str(free_port()),
    }
    environment = {
        **loop.environment,
        **ports,
        "GX_DATABASE_DSN": loop.dsn,
        "GX_LEDGER_SOCKET": str(loop.folder / "run" / "ledger.sock"),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gx.cli.main", *subcommand),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
        assert process.returncode is None, "the standby ended by itself"
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
