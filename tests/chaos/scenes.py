"""What every chaos test does around its kills: load from outside, quiet, and a verdict."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg

from tests.chaos.driver import Driver
from tests.end_to_end.loop import Loop

FAST_RECOVERY: Final = {"GX_SUBMITTER_LEASE_S": "2", "GX_PROJECTOR_LEASE_S": "2"}
QUIET_S: Final = 120.0


async def a_driver(loop: Loop, seed: int, *, rate_per_s: float = 200.0) -> Driver:
    """Clients with an administrator's and a partner's token."""
    return Driver(
        url=loop.url,
        admin_token=await loop.token("super_admin", "root"),
        partner_token=await loop.token("partner", "bank", "--act-for", "*"),
        seed=seed,
        rate_per_s=rate_per_s,
        prior=await stored(loop),
    )


async def stored(loop: Loop, *, besides: Sequence[str] = ()) -> list[str]:
    """List the commands of the loop, but those of some types."""
    query = "SELECT command_id FROM commands WHERE command_type <> ALL($1::text[])"
    connection = await asyncpg.connect(loop.dsn)
    try:
        return [str(row[0]) for row in await connection.fetch(query, list(besides))]
    finally:
        await connection.close()


async def settle(loop: Loop) -> None:
    """Wait until nothing is left to do."""
    deadline_s = time.monotonic() + QUIET_S
    while time.monotonic() < deadline_s:
        try:
            connection = await asyncpg.connect(loop.dsn)
        except (OSError, asyncpg.PostgresError):
            await asyncio.sleep(0.2)
            continue
        try:
            waiting = await connection.fetchval("SELECT count(*) FROM outbox")
            newest = await connection.fetchval("SELECT max(block_number) FROM command_results")
            reached = await connection.fetchval("SELECT block_number FROM projection_checkpoints")
        finally:
            await connection.close()
        if waiting == 0 and reached is not None and (newest or 0) <= reached:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"the loop did not become quiet within {QUIET_S} s:\n{loop.log_tail()}")


async def verdict(loop: Loop, driver: Driver, chain: Path | None = None) -> dict[str, object]:
    """Have the judge recount the chain, the embedded ledger's if none is named.

    The judge is a process of its own.
    """
    notes = loop.folder / "accepted.json"
    driver.write(notes)
    return await judged(loop.dsn, chain or loop.ledger_file, notes)


async def judged(dsn: str, chain: Path, notes: Path) -> dict[str, object]:
    """Run the judge as a process of its own, and return what it found.

    Raises:
        AssertionError: It could not judge.
    """
    judge = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.checker", dsn, str(chain), str(notes)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await judge.communicate()
    assert output, errors.decode()
    finding: dict[str, object] = json.loads(output)
    return finding


def faults_in(finding: dict[str, object]) -> list[str]:
    """Return what the judge found wrong."""
    faults = finding["faults"]
    assert isinstance(faults, list)
    return [str(fault) for fault in faults]


@asynccontextmanager
async def under_load(driver: Driver) -> AsyncIterator[None]:
    """Send for as long as the block runs, then bring every request to its answer."""
    sending = asyncio.create_task(driver.run())
    try:
        yield
    finally:
        driver.stop()
        await sending
