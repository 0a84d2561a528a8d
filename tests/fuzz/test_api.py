"""The API keeps what its OpenAPI document promises, whatever is sent to it, by whomever."""

import re
from typing import Final

import pytest

from tests.end_to_end.loop import running_loop
from tests.fuzz.fuzzing import ATTACKERS, Assault, attack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("api")]

SEED: Final = 20_270_101
"""The suite asks the same questions every time; `make fuzz-api` asks new ones."""

THOROUGH: Final = Assault(examples=3, seed=SEED)
BRIEF: Final = Assault(examples=2, phases=("fuzzing",), seed=SEED)


async def test_nothing_sent_to_the_api_breaks_a_promise() -> None:
    """On real parts: no 5xx, no answer that the document does not describe, for any caller."""
    async with running_loop("--no-monitoring", "--no-redis") as loop:
        for attacker in ATTACKERS:
            assault = THOROUGH if attacker is ATTACKERS[-1] else BRIEF
            report = await attack(loop, attacker, assault)
            assert report.is_clean, f"{attacker.name}:\n{report.text}"
            assert re.search(r"\b[1-9][0-9]* generated", report.text), report.text
