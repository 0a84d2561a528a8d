"""The whole system with Fabric as its ledger: `gx up --ledger fabric`, and the tour on it."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from typing import Final

import asyncpg
import httpx
import pytest

from gx.domain.roles import LedgerRole
from tests.end_to_end.fabric_loop import FabricLoop, fabric_loop
from tests.end_to_end.loop import Loop, LoopFailedError
from tests.end_to_end.test_tour import README
from tests.end_to_end.tour import Step, comparable, read_steps, type_line
from tests.fabric.cli_network import BOOTSTRAP, MINT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("fabric-loop")]

POOL: Final = "SYSTEM_USER_GENESIS_POOL"
MINTED: Final = 50_000_000_000_000_000
FALSIFY: Final = "UPDATE accounts SET balance = balance + 1 WHERE account_id = $1"


@pytest.fixture
async def fabric() -> AsyncIterator[FabricLoop]:
    """The running system, before its ledger is bootstrapped."""
    shown = {"COLUMNS": "100", "NO_COLOR": "1"}
    async with fabric_loop("--no-bootstrap", environment=shown) as running:
        yield running


async def test_the_tour_is_the_same_on_fabric(fabric: FabricLoop) -> None:
    """Each step prints what the README says, but for blocks' numbers; a crash changes nothing.

    Fabric's own command line bootstraps the ledger and mints, unchanged, past the API and the
    outbox; what it did is projected like everything else.
    """
    loop = fabric.loop
    await asyncio.to_thread(fabric.network.invoke, BOOTSTRAP)
    assert "pools and parameters: were there" in await loop.gx("bootstrap")

    for step in read_steps(README):
        printed = await type_line(loop, step.command)
        assert on_any_chain(step, printed) == on_any_chain(step, "\n".join(step.output)), (
            step.command
        )
    assert loop.send("chaincode-a", signal.SIGKILL)
    assert await certificates_told(loop) == set(LedgerRole)

    assert loop.send("outbox-submitter", signal.SIGKILL)
    assert loop.send("projector", signal.SIGKILL)
    assert "FAILED" not in await loop.gx("smoke")
    await assert_a_mint_of_fabrics_own_is_projected(fabric)
    assert "as they must be" in await loop.gx("ledger", "verify")
    await assert_all_sides_agree_until_somebody_edits_a_row(loop)


async def assert_all_sides_agree_until_somebody_edits_a_row(loop: Loop) -> None:
    """Blocks from Fabric's peers are what is right, and read models are made again from them."""
    agreed = json.loads(await loop.gx("reconcile", "--json"))
    assert agreed["ok"], agreed
    assert min(agreed["events"], agreed["answers"], agreed["outside"]) > 0

    database = await asyncpg.connect(loop.dsn)
    try:
        await database.execute(FALSIFY, POOL)
    finally:
        await database.close()
    with pytest.raises(LoopFailedError, match=POOL):
        await loop.gx("reconcile")
    repaired = json.loads(await loop.gx("reconcile", "--repair", "--reason", "a row", "--json"))
    assert (repaired["ok"], repaired["isRepaired"]) == (True, True)


async def assert_a_mint_of_fabrics_own_is_projected(fabric: FabricLoop) -> None:
    """The API shows the coins in the pool, in the supply, and as the pool's newest entry."""
    pool, before = await pool_and_supply(fabric.loop)

    await asyncio.to_thread(fabric.network.invoke, MINT)

    async with asyncio.timeout(60):
        while await pool_and_supply(fabric.loop) != (pool + MINTED, before + MINTED):  # noqa: ASYNC110 (a read model has no event)
            await asyncio.sleep(0.1)
    newest, *_ = json.loads(await fabric.loop.gx("entries", POOL, "--json"))["items"]
    assert (newest["kind"], newest["delta"]) == ("mint", str(MINTED))
    assert newest["remark"] == "Bootstrap: User genesis pool"


async def pool_and_supply(loop: Loop) -> tuple[int, int]:
    """Read the genesis pool's balance, and how much was ever minted, from the API."""
    async with httpx.AsyncClient(base_url=loop.url) as client:
        pools = (await client.get("/pools")).json()["pools"]
        supply = (await client.get("/supply")).json()
    (pool,) = (each for each in pools if each["accountId"] == POOL)
    return int(pool["balance"]), int(supply["minted"])


async def certificates_told(loop: Loop) -> set[str]:
    """Read from the submitter's metrics whose certificates' ends it shows."""
    port = loop.environment["GX_SUBMITTER_METRICS_PORT"]
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return set(re.findall(r'certificate_expiry_timestamp_seconds\{identity="(\w+)"\} \d', text))


def on_any_chain(step: Step, output: str) -> list[str]:
    """Replace block numbers too: a channel begins with its own configuration's blocks."""
    return [re.sub(r"\bblock \d+", "block N", line) for line in comparable(step, output)]
