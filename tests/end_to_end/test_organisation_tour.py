"""The tour of relationships and organisations prints what its page says, on real parts."""

from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.loop import running_loop
from tests.end_to_end.tour import comparable, read_steps, type_line

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("organisation-tour"),
]

PAGE: Final = Path(__file__).parents[2] / "docs" / "tours" / "organisation.md"


async def test_the_tour_of_organisations_prints_what_its_page_says() -> None:
    """A 2-of-3 rule pays once, a payment that cannot be paid stays failed, a later rule counts."""
    environment = {"COLUMNS": "100", "NO_COLOR": "1"}
    async with running_loop("--no-monitoring", environment=environment) as loop:
        for step in read_steps(PAGE):
            printed = await type_line(loop, step.command)
            expected = comparable(step, "\n".join(step.output))
            assert comparable(step, printed) == expected, step.command
