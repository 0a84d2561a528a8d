"""Everything fails at once, at random: still each command exactly once, and in order."""

import asyncio
import random

import pytest
from typing_extensions import override

from gx.domain.identifiers import CommandId
from gx.ledger.errors import (
    EndorseError,
    EvaluateError,
    LedgerError,
    LedgerUnavailableError,
    StreamError,
    SubmitError,
    VerdictError,
)
from gx.ledger.ports import ValidationCode
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.fake_ledger import FakeLedger
from tests.outbox.processes import SubmitterProcess
from tests.outbox.scenes import a_mint, accept, assert_each_once, wait_for

COMMANDS = 240
ACCOUNTS = 30

FAILURES: dict[str, type[LedgerError]] = {
    "prepare": EndorseError,
    "submit": SubmitError,
    "submitted": SubmitError,
    "verdict": VerdictError,
    "evaluate": EvaluateError,
    "chain_info": LedgerUnavailableError,
    "blocks": StreamError,
}


class ChaoticLedger(FakeLedger):
    """Fails now and then at every step, and invalidates now and then what it orders."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self.likelihood = 0.05

    @override
    async def _step(self, step: str) -> None:
        await super()._step(step)
        if self._chance.random() < self.likelihood:
            raise FAILURES[step](f"{step} failed")
        if step == "submit" and self._chance.random() < self.likelihood:
            self.codes.append(ValidationCode.MVCC_READ_CONFLICT)


async def let_processes_die(
    world: OutboxWorld, ledger: FakeLedger, chance: random.Random, done: asyncio.Event
) -> list[SubmitterProcess]:
    """Run two submitters with a shaky database; kill, freeze and replace them at random."""

    def start(number: int) -> SubmitterProcess:
        process = SubmitterProcess(world, ledger, holder=f"submitter-{number}")
        process.life.loses_database = lambda: chance.random() < 0.05
        return process

    processes = [start(0), start(1)]
    frozen: list[SubmitterProcess] = []
    number = 1
    while not done.is_set():
        await asyncio.sleep(chance.uniform(0.05, 0.4))
        number += 1
        victim = processes.pop(0)
        if chance.random() < 0.5:
            await victim.kill()
        else:
            victim.life.stop()
            frozen.append(victim)
        processes.append(start(number))
        if frozen and chance.random() < 0.5:
            awoken = frozen.pop(0)
            awoken.life.go_on()
            processes.append(awoken)
    for sleeper in frozen:
        sleeper.life.go_on()
    return [*processes, *frozen]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_exactly_once_and_in_order_through_it_all(memory: OutboxWorld, seed: int) -> None:
    """The contracts remember nothing here: only the envelopes keep a command from doubling."""
    chance = random.Random(seed)  # noqa: S311 (reproducible failures, no secret)
    ledger = ChaoticLedger(chance)
    done = asyncio.Event()
    dying = asyncio.create_task(let_processes_die(memory, ledger, chance, done))
    ids: list[CommandId] = []
    for number in range(COMMANDS):
        ids += await accept(memory, a_mint(f"a{number % ACCOUNTS}"))
        if number % 10 == 0:
            await asyncio.sleep(chance.uniform(0, 0.05))
            await ledger.cut_streams()

    await asyncio.sleep(1)
    ledger.likelihood = 0
    done.set()
    survivors = await dying
    for process in survivors:
        process.life.loses_database = lambda: False
    await wait_for(memory, ids, timeout_s=30)
    for process in survivors:
        await process.finish()

    assert_each_once(ledger, ids)
    for account in range(ACCOUNTS):
        mine = ids[account::ACCOUNTS]
        assert [command_id for command_id in ledger.order if command_id in mine] == mine
    assert await memory.store.live_envelopes() == []
