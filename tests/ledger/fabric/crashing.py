"""Submitters that die at each of their steps, one after the other, on any Fabric ledger."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from gx.domain.identifiers import CommandId
from gx.ledger.ports import Ledger
from tests.conformance.outbox.worlds import OutboxWorld
from tests.outbox.processes import FAST, POINTS, SubmitterProcess
from tests.outbox.scenes import a_mint, accept, wait_for

PATIENT = replace(FAST, verdict_timeout_s=2.0)


async def die_at_every_point(
    client: Callable[[], Ledger], world: OutboxWorld, *, name: str
) -> list[CommandId]:
    """Let a submitter die at each point with three commands, and a successor finish them."""
    ids = []
    for number, point in enumerate(POINTS):
        accepted = await accept(world, *(a_mint(f"{name}{number}-{each}") for each in range(3)))
        dying = SubmitterProcess(world, client(), stops_at=point, options=PATIENT)
        await asyncio.wait_for(dying.life.stopped.wait(), 60)
        await dying.kill()
        await finish(client, world, accepted)
        ids.extend(accepted)
    return ids


async def die_in_the_midst(
    client: Callable[[], Ledger],
    world: OutboxWorld,
    point: str,
    frozen: AbstractAsyncContextManager[None],
) -> list[CommandId]:
    """Let a submitter die in the call that begins at a point, and a successor finish its command.

    `frozen` stops whoever must answer that call, so that the call does not end before the death.
    """
    ids = await accept(world, a_mint(f"midst-{secrets.token_hex(6)}"))
    dying = SubmitterProcess(world, client(), stops_at=point, options=PATIENT)
    await asyncio.wait_for(dying.life.stopped.wait(), 60)
    async with frozen:
        dying.life.go_on()
        await asyncio.sleep(0.2)  # so that the call is on its way; it ends only after this block
        await dying.kill()
    await finish(client, world, ids)
    return ids


async def finish(client: Callable[[], Ledger], world: OutboxWorld, ids: list[CommandId]) -> None:
    """Let a successor bring commands to their end."""
    successor = SubmitterProcess(world, client(), holder="next", options=PATIENT)
    await wait_for(world, ids, timeout_s=120)
    await successor.finish()
