"""One visit of the console: a tab that remembers what no page of ours may ever do."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from playwright.async_api import Browser, ConsoleMessage, Page, Request, expect

from tests.browser.chromium import front_end_tool

DESKTOP: Final = (1440, 900)
PHONE: Final = (360, 780)
PATIENCE_MS: Final = 60_000
"""How long a loaded machine may take to show something."""

expect.set_options(timeout=PATIENCE_MS)

_AXE: Final = """async (rules) => {
  const only = rules.length === 0 ? {} : { runOnly: { type: "rule", values: rules } };
  const found = await axe.run(document, { resultTypes: ["violations"], ...only });
  return JSON.stringify(found.violations.map(({ id, impact, nodes }) =>
    ({ id, impact: impact ?? "", where: nodes.map(({ target }) => target.join(" ")) })));
}"""


class Violation(msgspec.Struct):
    """What axe-core found against a rule of accessibility."""

    id: str
    impact: str
    where: list[str]


class Visit:
    """A tab on the console at `base`."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.complaints: list[str] = []
        self.addresses: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    async def open(self, path: str) -> None:
        """Go to a page of the console."""
        await self.page.goto(self.base + path)

    async def use_token(self, token: str) -> None:
        """Enter a token as an operator does."""
        await self.page.get_by_role("button", name="Enter token").first.click()
        await self.page.get_by_label("Bearer token").fill(token)
        await self.page.get_by_role("button", name="Use it in this tab").click()

    async def overflow_px(self) -> int:
        """Return by how much the page is wider than the window."""
        wide = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return int(wide)

    async def focused(self) -> str:
        """Return what has the focus: its text or its label."""
        text = await self.page.evaluate(
            "(document.activeElement?.getAttribute('aria-label') "
            "?? document.activeElement?.textContent ?? '').trim()"
        )
        return str(text)

    async def stored(self) -> str:
        """Return everything that outlives the tab, and the page's address."""
        kept = await self.page.evaluate(
            "JSON.stringify([{...localStorage}, document.cookie, location.href])"
        )
        return str(kept)

    async def violations(self, *rules: str) -> list[Violation]:
        """Return what axe-core finds that is serious or critical, by these rules or by all."""
        source = front_end_tool("axe-core/axe.min.js").read_text(encoding="utf-8")
        await self.page.evaluate(source)
        found = json.loads(str(await self.page.evaluate(_AXE, list(rules))))
        each = msgspec.convert(found, list[Violation])
        return [violation for violation in each if violation.impact in {"serious", "critical"}]

    def strangers(self) -> list[str]:
        """Return the addresses outside of the console that were asked for."""
        own = urlsplit(self.base).netloc
        return [
            address
            for address in self.addresses
            if urlsplit(address).scheme not in {"data", "blob"} and urlsplit(address).netloc != own
        ]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location})")

    def _see(self, request: Request) -> None:
        self.addresses.append(request.url)


@asynccontextmanager
async def visiting(
    browser: Browser,
    base: str,
    *,
    size: tuple[int, int] = DESKTOP,
    colors: Literal["light", "dark"] = "light",
    token: str | None = None,
) -> AsyncIterator[Visit]:
    """Open a tab of its own, with nothing stored; at its end the page must have behaved."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=colors,
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.set_default_timeout(PATIENCE_MS)
    if token is not None:
        await context.add_init_script(f"sessionStorage.setItem('gx-token', {json.dumps(token)})")
    visit = Visit(await context.new_page(), base)
    try:
        yield visit
        assert visit.complaints == []
        assert visit.strangers() == []
    finally:
        await context.close()
