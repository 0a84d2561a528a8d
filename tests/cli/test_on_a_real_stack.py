"""Operators' subcommands on the real loop: one start, everything that only looks or checks."""

import json

import pytest

from gx.domain.codec import JsonObject, JsonValue
from tests.end_to_end.loop import Loop, running_loop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("cli-on-a-stack")]


async def ask(loop: Loop, *arguments: str) -> JsonObject:
    """Run a subcommand with --json and return its answer."""
    value = json.loads(await loop.gx(*arguments, "--json"))
    assert isinstance(value, dict)
    return value


def items_of(answer: JsonObject, name: str = "items") -> list[JsonObject]:
    """The objects of an answer's list."""
    listed: JsonValue = answer[name]
    assert isinstance(listed, list)
    return [item for item in listed if isinstance(item, dict)]


async def test_an_operator_s_day() -> None:
    """Smoke and load pass; ledger, database and read models agree; all of it stops."""
    async with running_loop("--no-monitoring") as loop:
        await check_bootstrap(loop)
        await check_smoke(loop)
        await check_load(loop)
        await check_ledger(loop)
        await check_read_side(loop)
        await check_stack(loop)


async def check_bootstrap(loop: Loop) -> None:
    """`gx up` has bootstrapped: a second one finds nothing to do."""
    assert await ask(loop, "bootstrap") == {
        "ok": True,
        "bootstrapped": False,
        "countriesOpened": [],
    }
    assert len(items_of(await ask(loop, "country", "list"))) == 30


async def check_smoke(loop: Loop) -> None:
    """Every step passes, with the ledger's own events looked at."""
    report = await ask(loop, "smoke")
    steps = items_of(report, "steps")

    assert report["ok"] is True
    assert len(steps) == 8
    assert "CoinsMinted" in str(steps[1]["detail"])
    assert all(step["projectedMs"] for step in steps if step["commandId"])


async def check_load(loop: Loop) -> None:
    """A mix with refusals in it ends as it must."""
    mix = "transfer=6,mint=1,create_user=1,genesis=1,overdraw=1"
    report = await ask(loop, "load", "--rate", "50", "--duration", "4s", "--mix", mix)

    assert report["problems"] == []
    assert (report["accepted"], report["projected"], report["refusedAsExpected"]) == (200, 180, 20)
    plain = await loop.gx("load", "--rate", "20", "--duration", "1s")
    assert "the books balance" in plain


async def check_ledger(loop: Loop) -> None:
    """The chain is sound from block 0 and begins with the bootstrap."""
    verified = await ask(loop, "ledger", "verify")
    blocks = items_of(await ask(loop, "ledger", "blocks", "--from", "0", "--limit", "3"))

    assert verified["ok"] is True
    assert [block["number"] for block in blocks] == [0, 1, 2]
    assert blocks[1]["previousHash"] == blocks[0]["hash"]
    assert "as they must be" in await loop.gx("ledger", "verify")
    assert "Batch:Execute" in await loop.gx("ledger", "blocks")


async def check_read_side(loop: Loop) -> None:
    """The schema is current; a rebuild reproduces what the supply says."""
    before = await ask(loop, "supply")
    database = await ask(loop, "db", "status")
    rebuilt = await ask(loop, "projection", "rebuild", "--reason", "compare with the ledger")
    status = await ask(loop, "projection", "status")

    assert (database["ok"], database["pending"]) == (True, [])
    assert (await ask(loop, "db", "migrate")) == {"applied": []}
    assert rebuilt["ok"] is True
    assert (status["ok"], status["parked"], status["stop"]) == (True, [], None)
    assert await ask(loop, "supply") == before
    assert before["conserved"] is True
    assert "active projector" in await loop.gx("projection", "status")


async def check_stack(loop: Loop) -> None:
    """Status, logs and down."""
    processes = items_of(await ask(loop, "status"), "processes")

    assert {"api", "ledger", "outbox-submitter", "projector"} <= {str(p["name"]) for p in processes}
    assert all(process["alive"] for process in processes)
    assert "process_started" in await loop.gx("logs", "projector")
    assert "the stack has stopped" in await loop.gx("down")
