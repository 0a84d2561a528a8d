"""The chaincode is upgraded while commands flow: none is lost, none takes effect twice."""

import asyncio
import json
from typing import Final

import asyncpg
import pytest

from gx import __version__
from gx.fabric.lifecycle import Definition
from gx.fabric.package import ChaincodePackage, build_package
from gx.runtime.fabric_network import lifecycle_of
from tests.chaos.scenes import a_driver, settle, stored, under_load, verdict
from tests.end_to_end.fabric_loop import FabricLoop, fabric_loop
from tests.end_to_end.loop import Loop, LoopFailedError
from tests.fabric.lesser_chaincode import serving
from tests.ports import free_port

LESSER: Final = "0.0.7"
VERSION: Final = "9.9.9"
SEED: Final = 7
DRIVEN: Final = ("MINT_COINS", "TRANSFER_TOKENS")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("fabric-upgrade")]


async def test_a_version_without_mint_is_upgraded_under_load() -> None:
    """Bootstrap says what is missing, and works once it is there; the books are right throughout.

    Before that the system takes no command but bootstrap, so what flows meanwhile is refused;
    each refusal is an answer on the ledger that may be neither lost nor given twice.
    """
    async with fabric_loop("--no-bootstrap") as fabric:
        loop = fabric.loop
        package = build_package(version=LESSER, address=f"127.0.0.1:{free_port()}")
        with serving(package, loop.folder / "lesser.log"):
            await asyncio.to_thread(put_in_force, fabric, package, sequence=7)
            await assert_bootstrap_says_what_is_missing(loop)
            driver = await a_driver(loop, SEED, rate_per_s=50)
            driver.refusals_allowed = ["UNKNOWN_FUNCTION"]
            async with under_load(driver):
                done = await upgrade(loop, VERSION, "--sequence", "8")
                assert "created" in await loop.gx("bootstrap")
                await driver.prepare()
        await settle(loop)
        # Nobody told the driver of what the CLI sent, and of these kinds it sends none itself.
        driver.prior = await stored(loop, besides=DRIVEN)
        finding = await verdict(loop, driver, fabric.profile)

        assert f"version {VERSION}, sequence 8: done" in done
        assert finding["faults"] == []
        assert driver.unexpected == []
        assert "nothing is left to do" in await upgrade(loop, VERSION)
        assert slots_of(loop) == [None, VERSION]

        await assert_load_survives_the_way_back(loop)


async def assert_bootstrap_says_what_is_missing(loop: Loop) -> None:
    """The ledger's answer reaches whoever asked: which function there is not."""
    with pytest.raises(LoopFailedError, match=r"UNKNOWN_FUNCTION.*TokenomicsContract:Mint"):
        await loop.gx("bootstrap")


async def assert_load_survives_the_way_back(loop: Loop) -> None:
    """A version goes back as it came, under `gx load`, which checks every end and all the books."""
    before = await accepted(loop)
    load = asyncio.create_task(loop.gx("load", "--rate", "50", "--duration", "10s", "--json"))
    while await accepted(loop) < before + 250 and not load.done():  # noqa: ASYNC110 (a table has no event; its wallets, and some more)
        await asyncio.sleep(0.1)

    assert f"version {__version__}, sequence 9: done" in await upgrade(loop, __version__)

    report = json.loads(await load)
    status = json.loads(await loop.gx("chaincode", "status", "--json"))
    assert report["problems"] == []
    assert report["accepted"] == report["planned"] > 0
    assert status["committed"] == {"version": __version__, "sequence": 9}


def put_in_force(fabric: FabricLoop, package: ChaincodePackage, *, sequence: int) -> None:
    """Commit a package's version, again and again, until its definition has this sequence."""
    lifecycle = lifecycle_of(fabric.network.network, fabric.network.binaries)
    there = lifecycle.committed()
    assert there is not None
    for organisation in lifecycle.organisations:
        lifecycle.install(organisation, package)
    for number in range(there.sequence + 1, sequence + 1):
        definition = Definition(version=package.version, sequence=number)
        for organisation in lifecycle.organisations:
            lifecycle.approve(organisation, definition, package.package_id)
        lifecycle.commit(definition)


async def accepted(loop: Loop) -> int:
    """Count the commands that were ever accepted."""
    connection = await asyncpg.connect(loop.dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM commands"))
    finally:
        await connection.close()


async def upgrade(loop: Loop, version: str, *options: str) -> str:
    """Bring a version into force, as an operator does."""
    return await loop.gx("chaincode", "upgrade", "--version", version, *options, "--apply")


def slots_of(loop: Loop) -> list[str | None]:
    """Tell which version each chaincode slot serves."""
    slots = json.loads((loop.folder / "fabric" / "slots.json").read_text())
    return [slot["served"] and slot["served"]["version"] for slot in slots]
