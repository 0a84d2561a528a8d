"""Scenes without a fault: clients ask, and each must get what it asked for."""

import asyncio
from collections.abc import Sequence
from typing import Final

from gx.domain.roles import LedgerRole
from tests.chaos.edge import open_edge
from tests.chaos.lab import COIN, Lab

AMOUNTS: Final = (COIN, 2 * COIN, 5 * COIN)

# A command that goes astray: nobody will ever see it, and its client is told no.
_SWALLOW: Final = """
    CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO command_results (command_id, outcome, code, attempts, settled_at_ms)
        VALUES (NEW.command_id, 'REJECTED', 'ARGUMENT_INVALID', 0, 0);
        RETURN NULL;
    END $$;
    CREATE TRIGGER swallows BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION swallow()
"""
_PASS: Final = "DROP TRIGGER swallows ON outbox"


async def transfers_at_the_ledger(lab: Lab, bugs: Sequence[str]) -> None:
    """A ledger carries transfers out."""
    ledger = await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await asyncio.to_thread(ledger.end)
    await lab.start_ledger(*bugs)
    await _transfer_and_wait(lab)


async def transfers_at_the_submitter(lab: Lab, bugs: Sequence[str]) -> None:
    """A submitter brings transfers of different amounts to the ledger."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    await _transfer_and_wait(lab, *bugs)


async def requests_at_once(lab: Lab, bugs: Sequence[str]) -> None:
    """Clients ask the same API at the same time, and are stored in one group."""
    await lab.start_ledger()
    await lab.bootstrap("alice")
    async with open_edge(lab, *bugs) as edge:
        asked = (edge.mint(each, key=f"of-{each}") for each in ("anne", "beth", "carl", "dora"))
        await asyncio.gather(*asked)
    lab.start("submitter")
    lab.start("projector")
    await lab.until_quiet()


async def swallowed_commands(lab: Lab, bugs: Sequence[str]) -> None:
    """Something in the database takes commands away, and answers in the ledger's place."""
    await lab.start_ledger()
    await lab.bootstrap("alice", "bob")
    if bugs:
        await lab.execute(_SWALLOW)
    await lab.transfer("alice", "bob")
    if bugs:
        await lab.execute(_PASS)
    await _transfer_and_wait(lab)


async def _transfer_and_wait(lab: Lab, *plants: str) -> None:
    for amount in AMOUNTS:
        arguments = {"fromId": "alice", "toId": "bob", "amount": str(amount), "remark": "planted"}
        role = LedgerRole.PARTNER_API
        await lab.accept("TRANSFER_TOKENS", arguments, actor="alice", role=role)
    lab.start("submitter", *plants)
    lab.start("projector")
    await lab.until_quiet()
