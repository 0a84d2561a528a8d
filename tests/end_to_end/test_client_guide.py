"""Who follows the Python client's guide sees what it prints."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.loop import Loop, running_loop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("client-guide")]

GUIDE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-python-client.md"
_PROGRAM: Final = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)


async def run(loop: Loop, program: str) -> str:
    """Run a program with the guide's variables; return what it printed."""
    environment = {
        **loop.environment,
        "GX_URL": loop.url.removesuffix("/api/v1"),
        "GX_TOKEN": await loop.token("super_admin", "root"),
        "GX_PARTNER_TOKEN": await loop.token("partner", "shop", "--act-for", "*"),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return output.decode()


async def test_the_guides_programs_print_what_it_says() -> None:
    """In their order, as one program: each begins where the one before ended."""
    text = GUIDE.read_text(encoding="utf-8")
    parts = _PROGRAM.findall(text)
    assert len(parts) == text.count("```python"), "each program is followed by what it prints"

    async with running_loop("--no-monitoring", "--no-redis") as loop:
        printed = await run(loop, "\n".join(program for program, _ in parts))

    assert printed == "".join(output for _, output in parts)
