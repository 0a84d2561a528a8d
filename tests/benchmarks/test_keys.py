"""What idempotency keys cost an insert, measured small: whether it is measured at all."""

import re

import pytest

from benchmarks.keys import AGAIN, FIRST, compare


async def test_both_moments_are_compared_and_the_log_is_looked_at(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Pages that a checkpoint has behind it are in the log once; without keys there are none."""
    await compare(keys=20_000, rounds=1, commands=500)

    first, again = capsys.readouterr().out.splitlines()[1:]
    assert FIRST in first
    assert AGAIN in again
    told = re.findall(r"([\d,]+) of them images", first)
    filled, empty = (int(text.replace(",", "")) for text in told)
    assert filled > 4 * (empty + 1)
