"""The projector's process outlives a ledger that is not the one it projected."""

import asyncio

import pytest

from gx.projection.ports import WrongChainError
from gx.runtime.processes import projector
from gx.telemetry.health import ReadinessCheck


async def test_another_chain_is_told_and_projected_again_once_it_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not ready and says why; when the right ledger is back it goes on by itself."""
    monkeypatch.setattr(projector, "WRONG_CHAIN_RETRY_S", 0.05)
    monkeypatch.setattr(projector, "SURELY_RIGHT_S", 0.05)
    stop, is_right, projects = asyncio.Event(), asyncio.Event(), asyncio.Event()
    chain = ReadinessCheck("chain")
    chain.passed()

    async def run(stopping: asyncio.Event) -> None:
        if not is_right.is_set():
            raise WrongChainError("block 5 is projected, but the ledger ends at block 2")
        projects.set()
        await stopping.wait()

    task = asyncio.create_task(projector.run_on_right_chain(run, chain, stop))
    await asyncio.sleep(0.02)
    assert chain.fault() == "block 5 is projected, but the ledger ends at block 2"
    assert not task.done()

    is_right.set()
    async with asyncio.timeout(30):
        await projects.wait()
        while chain.fault() is not None:  # noqa: ASYNC110 (a check has no event)
            await asyncio.sleep(0.01)
        stop.set()
        await task
