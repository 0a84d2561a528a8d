"""Whatever of a Fabric network is killed or frozen when: nothing is lost, nothing happens twice.

`GX_CHAOS_FABRIC_KILLS` sets the number of kills, `GX_CHAOS_SEED` repeats their schedule, and
`GX_CHAOS_ORDERER_STOP_S` says for how long the orderer stands still, and then for how long it is
dead.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import cycle, islice
from typing import Final

import asyncpg
import pytest

from tests.chaos.scenes import (
    FAST_RECOVERY,
    QUIET_S,
    a_driver,
    settle,
    under_load,
    verdict,
)
from tests.end_to_end.fabric_loop import fabric_loop
from tests.end_to_end.loop import Loop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800), pytest.mark.xdist_group("chaos")]

KILLS: Final = int(os.environ.get("GX_CHAOS_FABRIC_KILLS", "5"))  # noqa: TID251 (tests have no settings)
SEED: Final = int(os.environ.get("GX_CHAOS_SEED", str(random.randrange(10**6))))  # noqa: S311, TID251 (a schedule; tests have no settings)
ORDERER_STOP_S: Final = float(os.environ.get("GX_CHAOS_ORDERER_STOP_S", "12"))  # noqa: TID251 (tests have no settings)
VICTIMS: Final = ("orderer", "peer-org1", "chaincode-a", "peer-org2", "outbox-submitter")
RATE_PER_S: Final = 100.0
PATIENCE_S: Final = 2 * ORDERER_STOP_S + 900.0
"""While kill follows upon kill, the API may well take no command for minutes."""


async def test_kills_and_a_stopped_orderer_lose_nothing_and_double_nothing() -> None:
    """Each victim comes back by itself, commands go on, and the judge finds every sum right."""
    choose = random.Random(SEED)  # noqa: S311 (a schedule, not a secret)
    async with fabric_loop(environment=FAST_RECOVERY) as fabric:
        loop = fabric.loop
        driver = await a_driver(loop, SEED, rate_per_s=RATE_PER_S)
        driver.patience_s = PATIENCE_S
        await driver.prepare()
        async with under_load(driver):
            for name in islice(cycle(VICTIMS), KILLS):
                await asyncio.sleep(choose.uniform(0.2, 1.5))
                await assert_it_survives_the_death_of(loop, name)
            await assert_no_command_pays_for(loop, frozen(loop, "orderer"))
            await assert_no_command_pays_for(loop, held_down(loop, "orderer"))
        await settle(loop)
        finding = await verdict(loop, driver, fabric.profile)

        assert not finding["faults"], f"seed {SEED}: {finding}"
        assert not driver.unexpected, driver.unexpected[:3]
        assert int(str(finding["committed"])) > KILLS
        assert int(str(finding["rejected"])) > 0


async def assert_it_survives_the_death_of(loop: Loop, name: str) -> None:
    """A killed process is started anew, and commands are answered again after that."""
    killed = loop.pid_of(name)
    assert loop.send(name, signal.SIGKILL), name
    async with asyncio.timeout(QUIET_S):
        while loop.pid_of(name) in {None, killed}:  # noqa: ASYNC110 (a file has no event)
            await asyncio.sleep(0.1)
    await assert_commands_are_answered(loop)


async def assert_no_command_pays_for(
    loop: Loop, stopped: AbstractAsyncContextManager[None]
) -> None:
    """However long something is stopped: no command is charged an attempt, nor given up."""
    async with stopped:
        await asyncio.sleep(ORDERER_STOP_S)
        assert await count(loop, "outbox WHERE attempts > 0") == 0
        assert await count(loop, "dead_letters") == 0
    await assert_commands_are_answered(loop)


@asynccontextmanager
async def frozen(loop: Loop, name: str) -> AsyncIterator[None]:
    """Let a process stand still: it takes what is sent to it, and answers nothing."""
    assert loop.send(name, signal.SIGSTOP), name
    try:
        yield
    finally:
        loop.send(name, signal.SIGCONT)


@asynccontextmanager
async def held_down(loop: Loop, name: str) -> AsyncIterator[None]:
    """Kill a process again whenever the supervisor has started it: nobody answers its port."""

    async def kill() -> None:
        while True:
            loop.send(name, signal.SIGKILL)
            await asyncio.sleep(0.1)

    killing = asyncio.create_task(kill())
    try:
        yield
    finally:
        killing.cancel()


async def assert_commands_are_answered(loop: Loop) -> None:
    """More of them have a result than now, before long."""
    before = await count(loop, "command_results")
    async with asyncio.timeout(QUIET_S):
        while await count(loop, "command_results") == before:  # noqa: ASYNC110 (a table has no event)
            await asyncio.sleep(0.1)


async def count(loop: Loop, table: str) -> int:
    """Count a table's rows."""
    connection = await asyncpg.connect(loop.dsn)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 (a constant)
    finally:
        await connection.close()
