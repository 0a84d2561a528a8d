"""A newcomer follows the README and sees what it prints; Prometheus has every metric."""

import asyncio
import json
import time
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.end_to_end.loop import Loop, running_loop
from tests.end_to_end.tour import comparable, read_steps, type_line

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420), pytest.mark.xdist_group("tour")]

README: Final = Path(__file__).parents[2] / "README.md"
METRICS_PATIENCE_S: Final = 60.0


class MetricRow(msgspec.Struct):
    """One metric as the check sees it."""

    name: str
    verdict: str


class MetricsCheck(msgspec.Struct):
    """The answer of `gx monitoring metrics --live --used --json`."""

    ok: bool
    metrics: list[MetricRow]
    unmoved: list[str]


async def test_the_tour_of_the_readme_prints_what_the_readme_says() -> None:
    """Each step, on real parts; afterwards each metric has data, and has moved."""
    environment = {"GX_STACK_SCRAPE_INTERVAL_S": "1", "COLUMNS": "100", "NO_COLOR": "1"}
    async with running_loop(environment=environment) as loop:
        for step in read_steps(README):
            printed = await type_line(loop, step.command)
            expected = comparable(step, "\n".join(step.output))
            assert comparable(step, printed) == expected, step.command
        await _every_metric_has_data_and_moves(loop)


async def _every_metric_has_data_and_moves(loop: Loop) -> None:
    """Scrapes come every second here; rates and probes need a few of them."""
    check, give_up_s = await _check_metrics(loop), time.monotonic() + METRICS_PATIENCE_S
    while not check.ok and time.monotonic() < give_up_s:
        await asyncio.sleep(1)
        check = await _check_metrics(loop)
    missing = [row.name for row in check.metrics if row.verdict == "missing"]
    assert (missing, check.unmoved) == ([], [])
    assert len(check.metrics) > 40, check


async def _check_metrics(loop: Loop) -> MetricsCheck:
    """Ask once; where something is missing, an error follows the answer."""
    output = await type_line(loop, "gx monitoring metrics --live --used --json")
    try:
        answer: object = json.JSONDecoder().raw_decode(output, output.index("{"))[0]
        return msgspec.convert(answer, MetricsCheck)
    except (ValueError, msgspec.ValidationError) as error:
        raise AssertionError(output) from error
