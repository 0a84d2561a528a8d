"""Whatever is killed when: an accepted command takes effect once, or is refused once.

`GX_CHAOS_KILLS` sets the number of kills, `GX_CHAOS_SEED` repeats a run.
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

from tests.chaos.driver import Driver
from tests.chaos.scenes import FAST_RECOVERY, a_driver, settle, under_load, verdict
from tests.end_to_end.loop import Loop, free_port, running_loop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500), pytest.mark.xdist_group("chaos")]

KILLS: Final = int(os.environ.get("GX_CHAOS_KILLS", "20"))  # noqa: TID251 (tests have no settings)
SEED: Final = int(os.environ.get("GX_CHAOS_SEED", str(random.randrange(10**6))))  # noqa: S311, TID251 (a schedule; tests have no settings)
VICTIMS: Final = ("outbox-submitter", "projector", "api", "ledger", "postgres")


async def test_random_kills_lose_nothing_and_double_nothing() -> None:
    """Kill -9 of any process at any moment; the loop recovers by itself and the sums are right."""
    choose = random.Random(SEED)  # noqa: S311 (a schedule, not a secret)
    story: list[str] = []
    async with running_loop("--no-monitoring", environment=FAST_RECOVERY) as loop:
        driver = await a_driver(loop, SEED)
        await driver.prepare()
        async with under_load(driver):
            while len(story) < KILLS:
                await asyncio.sleep(choose.uniform(0.2, 1.5))
                victim = VICTIMS[len(story) % len(VICTIMS)]
                if loop.send(victim, signal.SIGKILL):
                    story.append(victim)
        await settle(loop)
        finding = await verdict(loop, driver)
        assert not finding["faults"], f"seed {SEED}, killed {story}: {finding}"
        assert not driver.unexpected, driver.unexpected[:3]
        assert int(str(finding["committed"])) > KILLS
        assert int(str(finding["rejected"])) > 0
        assert sum(loop.restarts().values()) >= KILLS * 0.8
        await _the_judge_can_tell(loop, driver)


async def _the_judge_can_tell(loop: Loop, driver: Driver) -> None:
    """A judge that finds nothing must be able to find something: each planted fault is named."""
    planted = {
        "UPDATE accounts SET balance = balance + 1 WHERE account_id = 'chaos-0'": "balances differ",
        "INSERT INTO account_entries SELECT account_id, 999999999, 0, 0, kind, delta, counterparty,"
        " remark, recorded_at, transaction_id, command_id FROM account_entries LIMIT 1": "entries",
        "DELETE FROM command_results WHERE command_id IN"
        " (SELECT command_id FROM command_results LIMIT 1)": "never settled",
        "UPDATE projection_checkpoints SET block_number = block_number - 1": "checkpoint",
    }
    connection = await asyncpg.connect(loop.dsn)
    try:
        for statement, words in planted.items():
            await connection.execute(statement)
            finding = await verdict(loop, driver)
            assert words in str(finding["faults"]), (statement, finding)
    finally:
        await connection.close()


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
