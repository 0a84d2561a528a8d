"""The tour of fees and the velocity tax prints what its page says, on real parts."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.loop import PORTS, Loop, loop_in
from tests.end_to_end.tour import Step, comparable, read_steps, type_line
from tests.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("tax-tour")]

PAGE: Final = Path(__file__).parents[2] / "docs" / "tours" / "velocity-tax.md"
LATER: Final = {"GX_LEDGER_CLOCK_OFFSET_S": "31104000"}


async def test_the_tour_of_the_tax_prints_what_its_page_says() -> None:
    """Before and after 360 days; between them the stack is started anew, with its data."""
    steps = list(read_steps(PAGE))
    (second_day,) = (n for n, step in enumerate(steps) if "A year later" in step.command)
    environment = {name: str(free_port()) for name in PORTS}
    environment |= {"COLUMNS": "100", "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory(prefix="gx-loop-", ignore_cleanup_errors=True) as name:
        await asyncio.to_thread(Path(name).chmod, 0o755)
        folder, options = Path(name) / "var", ("--no-monitoring",)
        async with loop_in(folder, options, environment) as loop:
            await walk(loop, steps[:second_day])
        async with loop_in(folder, options, environment | LATER) as loop:
            await walk(loop, steps[second_day:])


async def walk(loop: Loop, steps: list[Step]) -> None:
    """Type each step, and compare what it prints."""
    for step in steps:
        printed = await type_line(loop, step.command)
        assert comparable(step, printed) == comparable(step, "\n".join(step.output)), step.command
