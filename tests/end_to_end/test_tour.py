"""A newcomer follows the README and sees what it prints; Prometheus has every metric."""

import asyncio
import json
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.loop import Loop, running_loop
from tests.end_to_end.tour import comparable, read_steps

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("stack")]

README: Final = Path(__file__).parents[2] / "README.md"
METRICS_PATIENCE_S: Final = 60.0


async def test_the_tour_of_the_readme_prints_what_the_readme_says(tmp_path: Path) -> None:
    """Each step, on real parts; afterwards every declared metric has data in Prometheus."""
    environment = {"GX_STACK_SCRAPE_INTERVAL_S": "1", "COLUMNS": "100", "NO_COLOR": "1"}
    async with running_loop(tmp_path / "var", environment=environment) as loop:
        for step in read_steps(README):
            printed = await _type(loop, step.command)
            expected = comparable(step, "\n".join(step.output))
            assert comparable(step, printed) == expected, step.command
        await _every_metric_has_data(loop)


async def _type(loop: Loop, command: str) -> str:
    """Run a line in a shell whose `gx` is this checkout's, against this loop's ports."""
    line = command.replace("127.0.0.1:8000", f"127.0.0.1:{loop.environment['GX_API_PORT']}")
    process = await asyncio.create_subprocess_shell(
        line,
        env=dict(loop.environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()


async def _every_metric_has_data(loop: Loop) -> None:
    """Scrapes come every second here; rates and probes need a few of them."""
    async with asyncio.timeout(METRICS_PATIENCE_S):
        while True:
            output = await _type(loop, "gx monitoring metrics --live --json")
            try:
                answer = json.loads(output[output.index("{") :])
            except ValueError as error:
                raise AssertionError(output) from error
            if answer["ok"]:
                break
            await asyncio.sleep(1)
    assert len(answer["metrics"]) > 40, answer
