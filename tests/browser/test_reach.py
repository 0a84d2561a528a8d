"""Everybody can use it: by keyboard, on a phone, in the dark, by ear, and during an outage."""

import signal
from typing import Final

import pytest
from playwright.async_api import expect

from gx.monitoring.dashboards.backend import BACKEND
from tests.browser.living import Living
from tests.browser.visit import PHONE, visiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # the first test of a machine installs the browser
    pytest.mark.xdist_group("browser-reach"),
    pytest.mark.asyncio(loop_scope="module"),
]

DASHBOARD: Final = f"/dashboards/{BACKEND.uid}"
PAGES: Final = (
    DASHBOARD,
    "/dashboards/index",
    "/alerts",
    "/targets",
    "/commands",
    "/dead-letters",
    "/runbooks",
    "/runbooks/OutboxQueueCritical",
)


async def test_no_page_is_wider_than_a_phone(stack: Living) -> None:
    """At 360 pixels nothing has to be scrolled sideways."""
    async with visiting(stack.browser, stack.console, size=PHONE, token=stack.token) as visit:
        for path in PAGES:
            await visit.open(path)
            await expect(visit.page.locator("main h1")).to_be_visible()
            await expect(visit.page.locator(".panel.loading")).to_have_count(0)
            assert await visit.overflow_px() == 0, path


async def test_the_menu_of_a_phone_opens_the_pages(stack: Living) -> None:
    """The list of pages is behind a button that says whether it is open."""
    async with visiting(stack.browser, stack.console, size=PHONE) as visit:
        await visit.open(DASHBOARD)
        menu = visit.page.get_by_role("button", name="Menu")
        await expect(menu).to_have_attribute("aria-expanded", "false")
        await menu.click()
        await expect(menu).to_have_attribute("aria-expanded", "true")
        await visit.page.get_by_role("link", name="Targets", exact=True).click()
        await expect(visit.page.get_by_role("heading", name="Targets")).to_be_visible()


async def test_everything_can_be_done_by_keyboard(stack: Living) -> None:
    """The first key offers to skip the menu; a panel explains itself, a dead letter is replayed."""
    command_id = await stack.give_up()
    async with visiting(stack.browser, stack.console, token=stack.token) as visit:
        keys = visit.page.keyboard
        await visit.open(DASHBOARD)
        await expect(visit.page.locator(".panel.loading")).to_have_count(0)
        await keys.press("Tab")
        assert await visit.focused() == "Skip to the content"
        await keys.press("Enter")
        for _ in range(3):
            await keys.press("Tab")
        assert await visit.focused() == f"About {BACKEND.panels[0].title}"
        await keys.press("Enter")
        await expect(visit.page.locator(".note").first).to_be_visible()

        await visit.open("/dead-letters")
        await visit.page.locator("tr", has_text=command_id).wait_for()
        while "Replay MINT_COINS" not in await visit.focused():
            await keys.press("Tab")
        await keys.press("Enter")
        await keys.type("Replayed without a mouse")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(visit.page.get_by_role("status").filter(has_text="replayed")).to_be_visible()


async def test_the_focus_is_seen(stack: Living) -> None:
    """Whoever moves by keyboard sees where: every control gets an outline."""
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open(DASHBOARD)
        await expect(visit.page.locator(".panel.loading")).to_have_count(0)
        for _ in range(25):
            await visit.page.keyboard.press("Tab")
            outline = await visit.page.evaluate(
                "getComputedStyle(document.activeElement).outlineStyle"
            )
            assert outline == "solid", await visit.focused()


async def test_no_page_breaks_a_serious_rule_of_accessibility(stack: Living) -> None:
    """axe-core finds nothing serious or critical: contrast, names, roles, order."""
    async with visiting(stack.browser, stack.console, colors="light", token=stack.token) as visit:
        for path in PAGES:
            await visit.open(path)
            await expect(visit.page.locator("main h1")).to_be_visible()
            await expect(visit.page.locator(".panel.loading")).to_have_count(0)
            await expect(visit.page.locator("#strip .chip").first).to_be_visible()
            assert await visit.violations() == [], path
            await visit.page.emulate_media(color_scheme="dark")
            assert await visit.violations("color-contrast") == [], f"{path} in the dark"
            await visit.page.emulate_media(color_scheme="light")


async def test_the_dialogs_break_no_serious_rule_either(stack: Living) -> None:
    """The one that takes a token and the one that takes a reason."""
    await stack.give_up()
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open("/dead-letters")
        await visit.page.get_by_role("button", name="Enter token").first.click()
        assert await visit.violations() == []
        await visit.page.keyboard.press("Escape")
        await visit.use_token(stack.token)
        await visit.page.get_by_role("button", name="Discard").first.click()
        assert await visit.violations() == []


async def test_colours_follow_the_system_until_somebody_chooses(stack: Living) -> None:
    """Dark where the system is dark; the button goes on to light, and the choice is kept."""
    background = "getComputedStyle(document.body).backgroundColor"
    async with visiting(stack.browser, stack.console, colors="dark") as visit:
        await visit.open("/targets")
        dark = await visit.page.evaluate(background)
        await visit.page.get_by_role("button", name="Colours: system").click()
        await visit.open("/targets")
        await expect(visit.page.get_by_role("button", name="Colours: light")).to_be_visible()
        assert await visit.page.evaluate(background) != dark


async def test_nothing_moves_for_whoever_asked_for_that(stack: Living) -> None:
    """With reduced motion no element has an animation or a transition."""
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open(DASHBOARD)
        await expect(visit.page.locator(".panel.loading")).to_have_count(0)
        moving = await visit.page.evaluate(
            "[...document.querySelectorAll('*')].filter((each) => {"
            " const style = getComputedStyle(each);"
            " return style.animationName !== 'none'"
            "   || parseFloat(style.transitionDuration) > 0; }).length"
        )
        assert moving == 0


async def test_a_prometheus_that_hangs_is_told_and_comes_back(stack: Living) -> None:
    """The page says in a sentence what is away, keeps the old numbers, and goes on by itself."""
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open(DASHBOARD)
        await expect(visit.page.locator(".panel.loading")).to_have_count(0)
        banner = visit.page.locator("#banner")
        stack.loop.send("prometheus", signal.SIGSTOP)
        try:
            await expect(banner).to_contain_text("Prometheus at")
            await expect(banner).to_contain_text("does not answer")
            await expect(banner).to_contain_text("What is shown is from")
            await expect(visit.page.locator(".chip", has_text="Prometheus away")).to_be_visible()
            await expect(visit.page.locator("svg.gauge").first).to_be_visible()
        finally:
            stack.loop.send("prometheus", signal.SIGCONT)
        await expect(banner).to_be_empty()
        await expect(visit.page.locator(".panel.old")).to_have_count(0)
