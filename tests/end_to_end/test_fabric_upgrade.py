"""The chaincode is upgraded while commands flow: none is lost, none takes effect twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

import pytest

from tests.end_to_end.loop import Loop, free_port, running_loop
from tests.fabric.native import PORTS
from tests.fabric.programs import path_with, require_programs

VERSION: Final = "9.9.9"
OPTIONS: Final = ("--ledger", "fabric", "--no-redis", "--no-monitoring")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("stack")]


@pytest.fixture
async def loop() -> AsyncIterator[Loop]:
    """The whole system on a network, bootstrapped."""
    environment = {
        **{f"GX_FABRIC_NETWORK_{name}": str(free_port()) for name in PORTS},
        "PATH": path_with(require_programs()),
    }
    async with running_loop(*OPTIONS, environment=environment) as running:
        yield running


async def test_an_upgrade_under_load_loses_and_doubles_nothing(loop: Loop) -> None:
    """`gx load` checks every command's end and all the books; the old server is gone afterwards."""
    load = asyncio.create_task(loop.gx("load", "--rate", "20", "--duration", "10s", "--json"))
    await asyncio.sleep(3)  # only so that commands flow when it begins; nothing is judged by it

    upgrade = ("chaincode", "upgrade", "--version", VERSION)
    done = await loop.gx(*upgrade, "--sequence", "2", "--apply")
    again = await loop.gx(*upgrade, "--apply")
    report = json.loads(await load)
    status = json.loads(await loop.gx("chaincode", "status", "--json"))

    assert f"version {VERSION}, sequence 2: done" in done
    assert "nothing is left to do" in again
    assert report["problems"] == []
    assert report["accepted"] > 0
    assert status["committed"] == {"version": VERSION, "sequence": 2}
    slots = json.loads((loop.folder / "fabric" / "slots.json").read_text())
    assert [slot["served"] and slot["served"]["version"] for slot in slots] == [None, VERSION]
    assert "FAILED" not in await loop.gx("smoke")
