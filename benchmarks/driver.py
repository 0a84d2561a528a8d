"""The driver inside the machine: commands go into the outbox as the API puts them there.

No HTTP: what is measured is the loop from the inbox to the read models.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Final

from benchmarks.stack import BenchmarkError, Loop
from benchmarks.timeline import Journey, journey, now_ms, require_committed, until_done
from benchmarks.transfers import ACCOUNTS, preparation, random_transfers, transfer_command
from gx.database.notifications import Notifier
from gx.outbox.command_ids import CommandIds
from gx.outbox.group_commit import GroupCommitter
from gx.outbox.ports import NewCommand
from gx.outbox.postgres.inbox import PostgresCommandInbox
from gx.outbox.postgres.store import WAKE_UP_CHANNEL
from gx.runtime.clock import SystemClock

GROUP: Final = 500
CHUNK: Final = 50_000
"""A million commands at once would be a gigabyte."""


class Driver:
    """Accepts commands in groups. Use `driving`."""

    def __init__(self, loop: Loop, inbox: PostgresCommandInbox, notifier: Notifier) -> None:
        self.loop = loop
        self._inbox = inbox
        self._notifier = notifier

    async def accept(self, commands: Sequence[NewCommand]) -> float:
        """Store the commands in groups of 500 and wake the submitter; return the seconds."""
        started_s = time.perf_counter()
        for first in range(0, len(commands), GROUP):
            answers = await self._inbox.accept(commands[first : first + GROUP])
            failed = [answer for answer in answers if isinstance(answer, Exception)]
            if failed:
                raise BenchmarkError(f"the inbox refused {len(failed)} commands") from failed[0]
            self._notifier.notify()
        return time.perf_counter() - started_s

    async def send(self, commands: Sequence[NewCommand], *, rate_per_s: float, seed: int) -> None:
        """Store commands one by one at random moments, through the API's group commit."""
        gate = GroupCommitter(self._inbox, on_stored=self._notifier.notify)
        dice = random.Random(seed)  # noqa: S311 (a benchmark's dice)
        due_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for command in commands:
                due_s += dice.expovariate(rate_per_s)
                early_s = due_s - time.perf_counter()
                await asyncio.sleep(max(early_s, 0.001) if early_s > 0 else 0)
                group.create_task(gate.accept(command))
        await gate.close()


@asynccontextmanager
async def driving(loop: Loop) -> AsyncIterator[Driver]:
    """Open a driver of a loop."""
    notifier = Notifier(loop.listening, WAKE_UP_CHANNEL)
    inbox = PostgresCommandInbox(loop.pool, new_id=CommandIds(SystemClock(), os.urandom))
    try:
        yield Driver(loop, inbox, notifier)
    finally:
        await notifier.close()


def make_transfers(seed: int, count: int, accounts: int = ACCOUNTS) -> list[NewCommand]:
    """Make random transfers beforehand, so that making them is not measured."""
    return [transfer_command(one) for one in islice(random_transfers(seed, accounts), count)]


async def prepare(driver: Driver, accounts: int = ACCOUNTS) -> None:
    """Bootstrap the loop's system and open its accounts, through the loop itself.

    Raises:
        BenchmarkError: an account was not opened.
    """
    commands = preparation(accounts)
    while chunk := list(islice(commands, CHUNK)):
        since_ms = await now_ms(driver.loop)
        await driver.accept(chunk)
        await until_done(driver.loop, since_ms)
        await require_committed(driver.loop, since_ms)


async def drive_closed(
    driver: Driver, *, seed: int, count: int, accounts: int = ACCOUNTS
) -> Journey:
    """Put everything in as fast as the inbox takes it, and follow it to the read models."""
    commands = make_transfers(seed, count, accounts)
    since_ms = await now_ms(driver.loop)
    await driver.accept(commands)
    await until_done(driver.loop, since_ms)
    return await journey(driver.loop, since_ms)


async def drive_open(driver: Driver, *, seed: int, rate_per_s: float, seconds: float) -> Journey:
    """Send at a rate, whether or not the loop keeps up, and follow it to the read models."""
    commands = make_transfers(seed, round(rate_per_s * seconds))
    since_ms = await now_ms(driver.loop)
    await driver.send(commands, rate_per_s=rate_per_s, seed=seed)
    await until_done(driver.loop, since_ms)
    return await journey(driver.loop, since_ms)
