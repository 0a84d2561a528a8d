"""The tour of loans and votes prints what its page says, on real parts."""

import asyncio
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.loop import PORTS, Loop, loop_in
from tests.end_to_end.tour import Step, comparable, read_steps, type_line
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("loan-tour")]

PAGE: Final = Path(__file__).parents[2] / "docs" / "tours" / "loans-and-votes.md"
LATER: Final = {"GX_LEDGER_CLOCK_OFFSET_S": "1209600"}
ID: Final = re.compile(r"[A-Za-z]+~[0-9a-f]{8}-[0-9a-f-]{27}")


async def test_the_tour_of_loans_and_votes_prints_what_its_page_says() -> None:
    """A loan is paid back, and 14 days later a vote changes a fee; the data stays between."""
    steps = list(read_steps(PAGE))
    executions = [n for n, step in enumerate(steps) if "proposal execute" in step.command]
    assert len(executions) == 2, "one that comes too early, one after fourteen days"
    environment = {name: str(free_port()) for name in PORTS}
    environment |= {"COLUMNS": "100", "NO_COLOR": "1"}
    named: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gx-loop-", ignore_cleanup_errors=True) as name:
        await asyncio.to_thread(Path(name).chmod, 0o755)
        folder, options = Path(name) / "var", ("--no-monitoring",)
        async with loop_in(folder, options, environment) as loop:
            await walk(loop, steps[: executions[1]], named)
        async with loop_in(folder, options, environment | LATER) as loop:
            await walk(loop, steps[executions[1] :], named)


async def walk(loop: Loop, steps: Sequence[Step], named: dict[str, str]) -> None:
    """Type each step and compare; an id that the page shows stands for the one printed here."""
    for step in steps:
        command = ID.sub(lambda found: named.get(found[0], found[0]), step.command)
        printed, said = await type_line(loop, command), "\n".join(step.output)
        named.update(zip(ID.findall(said), ID.findall(printed), strict=False))
        assert comparable(step, printed) == comparable(step, said), command
