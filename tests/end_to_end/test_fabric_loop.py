"""The whole system with Fabric as its ledger: `gx up --ledger fabric`, and the tour on it."""

import re
import signal
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest

from gx.domain.roles import LedgerRole
from tests.end_to_end.loop import Loop, free_port, running_loop
from tests.end_to_end.test_tour import README
from tests.end_to_end.tour import type_line
from tests.end_to_end.tour import Step, comparable, read_steps
from tests.fabric.native import PORTS
from tests.fabric.programs import path_with, require_programs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("stack")]

OPTIONS: Final = ("--ledger", "fabric", "--no-redis", "--no-monitoring")


@pytest.fixture
async def loop() -> AsyncIterator[Loop]:
    """The running system, bootstrapped."""
    environment = {
        **{f"GX_FABRIC_NETWORK_{name}": str(free_port()) for name in PORTS},
        "PATH": path_with(require_programs()),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    async with running_loop(*OPTIONS, environment=environment) as running:
        yield running


async def test_the_tour_is_the_same_on_fabric(loop: Loop) -> None:
    """Each step prints what the README says, but for blocks' numbers; a crash changes nothing."""
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
    assert "as they must be" in await loop.gx("ledger", "verify")


async def certificates_told(loop: Loop) -> set[str]:
    """Read from the submitter's metrics whose certificates' ends it shows."""
    port = loop.environment["GX_SUBMITTER_METRICS_PORT"]
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return set(re.findall(r'certificate_expiry_timestamp_seconds\{identity="(\w+)"\} \d', text))


def on_any_chain(step: Step, output: str) -> list[str]:
    """Replace block numbers too: a channel begins with its own configuration's blocks."""
    return [re.sub(r"\bblock \d+", "block N", line) for line in comparable(step, output)]
