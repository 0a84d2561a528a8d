"""Make the pictures of the console that the documents show: `make screenshots`.

    python -m tests.browser.screenshots [--seconds 300]

It starts a stack of its own, sends traffic for so long, and takes one picture each in light, in
dark and at a phone's width.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, expect

from gx.monitoring.dashboards.backend import BACKEND
from tests.browser.living import Living, living
from tests.browser.visit import DESKTOP, PHONE, visiting
from tests.end_to_end.loop import traffic

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
PAGE: Final = f"/dashboards/{BACKEND.uid}?span=300"
WARM_UP_S: Final = 300
RATE: Final = 40

Shot = tuple[str, tuple[int, int], Literal["light", "dark"]]
SHOTS: Final[tuple[Shot, ...]] = (
    ("console-light", DESKTOP, "light"),
    ("console-dark", DESKTOP, "dark"),
    ("console-phone", PHONE, "light"),
)


async def take(browser: Browser, base: str, shot: Shot) -> Path:
    """Take one picture and return its file; a phone's shows what fits on its screen thrice."""
    name, (width, height), colors = shot
    path = FOLDER / f"{name}.png"
    is_phone = (width, height) == PHONE
    size = (width, 3 * height) if is_phone else (width, height)
    async with visiting(browser, base, size=size, colors=colors) as visit:
        await visit.open(PAGE)
        await expect(visit.page.locator(".panel.loading")).to_have_count(0)
        await expect(visit.page.locator("#strip .chip.ok")).to_have_count(3)
        await visit.page.screenshot(path=path, full_page=not is_phone)
    return path


async def take_all(stack: Living) -> None:
    """Take every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        path = await take(stack.browser, stack.console, shot)
        print(f"{path.relative_to(FOLDER.parents[1])}: {path.stat().st_size // 1024} KiB")  # noqa: T201 (a command's output)


async def main(seconds: int) -> None:
    """Let a stack work for some time, then look at it."""
    async with living() as stack, traffic(stack.loop, rate_per_s=RATE):
        await asyncio.sleep(seconds)
        await take_all(stack)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--seconds", type=int, default=WARM_UP_S, help="how long traffic runs")
    asyncio.run(main(parser.parse_args().seconds))
