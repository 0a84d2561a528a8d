"""An upgrade under load: two releases share the work, then the newer one has it all.

The older release is real older code (`tests/upgrade/previous.py`): its own migrations, its own
supervisor, ledger, API and workers. The contracts run in the ledger's process, of which there is
one: they change with it, at the end, and its blocks are then read by the newer one.
"""

import asyncio
import json
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from gx import __version__
from gx.database import migrations
from tests.chaos.driver import Driver
from tests.chaos.scenes import FAST_RECOVERY, a_driver, settle, verdict
from tests.end_to_end.loop import PORTS, Loop, loop_in
from tests.ports import free_port
from tests.upgrade.beside import Newer, beside, eventually, holders, release_of
from tests.upgrade.previous import Release, environment_of, load_previous, unpacked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("upgrade")]

SEED: Final = int(os.environ.get("GX_UPGRADE_SEED", str(random.randrange(10**6))))  # noqa: S311, TID251 (a schedule; tests have no settings)
WORKERS: Final = ("outbox-submitter", "projector")
OPTIONS: Final = ("--no-monitoring",)
RATE_PER_S: Final = 100.0
LOADED_S: Final = 0.5
"""How long each arrangement works before the next."""


@asynccontextmanager
async def an_empty_folder() -> AsyncIterator[Path]:
    """Where both releases keep their data, one after the other; the database's user may enter."""
    with tempfile.TemporaryDirectory(prefix="gx-loop-", ignore_cleanup_errors=True) as name:
        await asyncio.to_thread(Path(name).chmod, 0o755)
        yield Path(name) / "var"


@asynccontextmanager
async def clients_of(driver: Driver) -> AsyncIterator[None]:
    """Send until the end; then bring every request to its answer, or drop it all on a failure."""
    sending = asyncio.create_task(driver.run())
    try:
        yield
    except BaseException:
        sending.cancel()
        await asyncio.wait([sending])
        raise
    driver.stop()
    await sending


async def test_two_releases_share_the_work_and_the_newer_one_goes_on() -> None:
    """Whoever leads, migrates or ends, every command takes effect once, and both see the same."""
    previous = load_previous()
    shared = {**FAST_RECOVERY, **{name: str(free_port()) for name in PORTS}}
    async with an_empty_folder() as folder, AsyncExitStack() as sending:
        with unpacked(previous) as release:
            older = {**shared, **environment_of(release)}
            async with loop_in(folder, OPTIONS, older) as loop, beside(loop) as newer:
                driver = await a_driver(loop, SEED, rate_per_s=RATE_PER_S)
                await driver.prepare()
                await sending.enter_async_context(clients_of(driver))
                await migrate(newer)
                await require_versions(loop, newer, previous)
                await hand_over(loop, newer, release)
                await require_same_answers(loop, newer, driver)
        async with loop_in(folder, OPTIONS, shared) as loop:
            accepted = len(driver.accepted)
            await eventually(lambda: grown(driver, accepted + 50), "the newer one accepts")
            await sending.aclose()
            await settle(loop)
            finding = await verdict(loop, driver)
            assert not finding["faults"], f"seed {SEED}: {finding}"
            assert not driver.unexpected, driver.unexpected[:3]
            assert (await migrations.status(loop.dsn)).problem is None


async def grown(driver: Driver, count: int) -> bool:
    """Tell whether so many commands are accepted."""
    return len(driver.accepted) >= count


async def migrate(newer: Newer) -> None:
    """The newer workers wait for their migrations, which come while the older ones work."""
    await newer.start(*WORKERS, "api")

    async def says_what_is_missing() -> bool:
        said = [await newer.readiness(name) for name in (*WORKERS, "api")]
        return all("migrations are missing" in json.dumps(each) for each in said)

    await eventually(says_what_is_missing, "the newer processes say that migrations are missing")
    applied = {migration.name for migration in await migrations.migrate(newer.loop.dsn)}
    assert applied
    assert applied.isdisjoint(load_previous().migrations())
    await newer.until_ready(*WORKERS, "api")


async def require_versions(loop: Loop, newer: Newer, previous: Release) -> None:
    """Each API says which build it is: these are two releases."""
    for environment, version in (
        (loop.environment, previous.version),
        (newer.environment, __version__),
    ):
        url = f"http://127.0.0.1:{environment['GX_API_METRICS_PORT']}/metrics"
        async with httpx.AsyncClient() as client:
            metrics = (await client.get(url)).text
        assert f'version="{version}"' in metrics


async def hand_over(loop: Loop, newer: Newer, release: Path) -> None:
    """Let the work go from the older to the newer one, back, and over again."""
    older = str(release)
    await until_led_by(loop, older)
    for name in WORKERS:
        assert loop.send(name, signal.SIGKILL)
    await until_led_by(loop, None)
    await asyncio.sleep(LOADED_S)
    await loop.until_ready()
    await newer.end(signal.SIGKILL, *WORKERS)
    await until_led_by(loop, older)
    await newer.start(*WORKERS)
    await newer.until_ready(*WORKERS)
    await asyncio.sleep(LOADED_S)
    for name in WORKERS:
        assert loop.send(name, signal.SIGTERM)
    await until_led_by(loop, None)
    await asyncio.sleep(LOADED_S)
    await loop.until_ready()


async def until_led_by(loop: Loop, folder: str | None) -> None:
    """Wait until both leases are held by workers of a release, told by where its code is."""

    async def is_led() -> bool:
        held = await holders(loop.dsn)
        return len(held) == len(WORKERS) and all(release_of(pid) == folder for pid in held.values())

    await eventually(is_led, f"the release in {folder or 'the checkout'} leads")


async def require_same_answers(loop: Loop, newer: Newer, driver: Driver) -> None:
    """Both APIs accept, know each other's commands and keys, and read the same.

    What goes to the newer one has an account of its own: the judge takes commands of one
    millisecond for accepted in the order of their ids, which holds for the ids of one API alone.
    """
    headers = {"Authorization": f"Bearer {driver.admin_token}", "Idempotency-Key": "both"}
    mint = {"accountId": "upgrade-0", "amount": "700000000", "remark": "upgrade"}
    async with httpx.AsyncClient(timeout=60.0, headers=headers) as client:
        ids = set()
        for url in (newer.url, loop.url, newer.url):
            answer = await client.post(f"{url}/admin/mint", json=mint)
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            ids.add(str(answer.json()["commandId"]))
        (command_id,) = ids
        driver.accepted[command_id] = "both"
        reader = {"Authorization": f"Bearer {driver.partner_token}", "X-On-Behalf-Of": "upgrade-0"}
        reads: list[dict[str, object]] = []
        wait = {"wait": "PROJECTED", "timeout": "30"}
        for url in (loop.url, newer.url):
            status = await client.get(f"{url}/commands/{command_id}", params=wait)
            assert status.json()["status"] == "PROJECTED", status.text
            read = await client.get(f"{url}/wallets/upgrade-0/balance", headers=reader)
            assert read.status_code == httpx.codes.OK, read.text
            reads.append(read.json())
    assert reads[0] == reads[1]
    assert mint["amount"] in reads[0].values()
