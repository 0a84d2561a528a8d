"""`gx verify` and `gx doctor` on the whole loop: green while it works, red with the reason."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from gx.domain.codec import JsonObject
from tests.end_to_end.loop import Loop, LoopFailedError, running_loop, traffic

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("doctor-on-a-stack"),
]

GUIDE: Final = Path(__file__).parents[3] / "docs" / "how-to" / "verify-monitoring.md"
WITHIN_S: Final = 180.0
PAUSE_S: Final = 3.0


async def verified(loop: Loop) -> JsonObject:
    """Return what `gx verify --json` prints, whether it ends well or not."""
    try:
        text = await loop.gx("verify", "--json")
    except LoopFailedError as error:
        said = str(error)
        if "{" not in said:
            raise
        text = said[said.index("{") :]
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


def failing(report: JsonObject) -> list[JsonObject]:
    """The rows that are not as they should be."""
    rows = report["rows"]
    assert isinstance(rows, list)
    found = [row for row in rows if isinstance(row, dict)]
    return [row for row in found if row["state"] in {"broken", "unseen"}]


async def until(
    loop: Loop, is_so: Callable[[list[JsonObject]], bool], what: str
) -> list[JsonObject]:
    """Verify again until the failing rows are what is awaited."""
    rows: list[JsonObject] = []
    for _ in range(round(WITHIN_S / PAUSE_S)):
        rows = failing(await verified(loop))
        if is_so(rows):
            return rows
        await asyncio.sleep(PAUSE_S)
    pytest.fail(f"{what}: {json.dumps(rows, indent=1)}")


def shapes(printed: str) -> dict[str, dict[str, str]]:
    """How many rows of each kind and state `gx verify` sums up, as it is written."""
    return {
        kind.removeprefix("ok ").strip(): {
            state: count for count, _, state in (each.partition(" ") for each in sums.split(", "))
        }
        for kind, _, sums in (line.partition(": ") for line in printed.splitlines())
        if kind.startswith("ok ")
    }


def contradictions(printed: str, shown: str) -> list[tuple[str, str]]:
    """The sums that a page gives in numbers, and that are printed otherwise."""
    real = shapes(printed)
    return [
        (kind, state)
        for kind, sums in shapes(shown).items()
        for state, count in sums.items()
        if count != "…" and real[kind].get(state) != count
    ]


async def test_a_loop_that_works_is_green_and_a_stopped_process_red() -> None:
    """Under traffic nothing fails; a projector that hangs is one finding, whoever reads it."""
    environment = {"GX_STACK_SCRAPE_INTERVAL_S": "1"}
    async with running_loop(environment=environment) as loop:
        async with traffic(loop, rate_per_s=10):
            await until(loop, lambda rows: not rows, "not green")
        green = await loop.gx("verify")
        assert "BAD" not in green
        guide = GUIDE.read_text(encoding="utf-8").partition("$ gx verify\n")[2].partition("```")[0]
        assert set(shapes(green)) == set(shapes(guide)), "verify-monitoring.md shows other kinds"
        assert not contradictions(green, guide), "verify-monitoring.md shows other sums"

        assert loop.send("projector", signal.SIGSTOP)
        try:
            rows = await until(loop, lambda rows: any(is_hanging(row) for row in rows), "not red")
            with pytest.raises(LoopFailedError, match=r"(?s)not as they should be.*BAD  targets"):
                await loop.gx("verify")
            one = r"(?s)FAULT  no-answer  gx-projector: .*hangs.*ProjectorStalled.*\n1 fault\n"
            with pytest.raises(LoopFailedError, match=one):
                await loop.gx("doctor")
        finally:
            loop.send("projector", signal.SIGCONT)

    targets = [row for row in rows if row["kind"] == "target"]
    assert [str(row["name"]).partition(":")[0] for row in targets] == ["gx-projector"]


def is_hanging(row: JsonObject) -> bool:
    """Whether a row says that the projector takes connections and does not answer."""
    name = str(row["name"])
    return row["cause"] == "no-answer" and name.startswith("gx-projector: ")
