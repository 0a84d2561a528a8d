"""Submitters that die at each of their steps, one after the other, on any Fabric ledger."""

import asyncio
from collections.abc import Callable
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
        successor = SubmitterProcess(world, client(), holder="next", options=PATIENT)
        await wait_for(world, accepted, timeout_s=60)
        await successor.finish()
        ids.extend(accepted)
    return ids
