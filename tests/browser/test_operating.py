"""What an operator does in a real browser: alerts, targets, journeys, dead letters."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.living import FORGET_COPIES, Living
from tests.browser.visit import visiting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),  # the first test of a machine installs the browser
    pytest.mark.xdist_group("browser-operating"),
    pytest.mark.asyncio(loop_scope="module"),
]

ALERT = "DeadLetterQueueCritical"


async def test_an_alert_that_fires_is_shown_with_its_runbook(stack: Living) -> None:
    """Fifty dead letters page somebody; the link beside the alert opens the page to read."""
    first = await stack.give_up(copies=51)
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open("/alerts")
        card = visit.page.locator(f"[data-alert={ALERT}].firing.critical")
        await expect(card).to_be_visible()
        await expect(visit.page.locator(".chip.red")).to_contain_text("critical")
        await card.get_by_role("link", name=f"Runbook: {ALERT}").click()
        await expect(visit.page.get_by_role("heading", name=ALERT, level=1)).to_be_visible()
        await expect(visit.page.get_by_role("heading", name="Mitigation")).to_be_visible()

        await stack.execute(FORGET_COPIES, first)
        await visit.open("/alerts")
        await expect(card).to_have_count(0)


async def test_every_target_is_listed_with_its_health(stack: Living) -> None:
    """Each process of the backend is up, and nobody who is expected is missing."""
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open("/targets")
        for job in ("gx-backend-services", "gx-outbox-submitter", "gx-projector", "gx-blackbox"):
            row = visit.page.locator("tr", has_text=job).first
            await expect(row.locator(".badge.up")).to_be_visible()
        await expect(visit.page.locator(".problem")).to_have_count(0)


async def test_a_command_s_journey_is_told(stack: Living) -> None:
    """Accepted, batched, in a block, visible: each with what is known of it."""
    command_id = await stack.mint()
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open("/commands")
        await visit.use_token(stack.token)
        await visit.page.get_by_label("Find a command").fill(command_id)
        await visit.page.get_by_role("button", name="Show its journey").click()
        await expect(visit.page.locator(".badge.projected")).to_be_visible()
        await expect(visit.page.locator(".step.done")).to_have_count(4)
        await expect(visit.page.locator(".step time")).to_have_count(4)
        for title, text in (("Batched", "batch; ledger transaction"), ("In a block", "block ")):
            step = visit.page.locator(f"[data-step^='{title}']")
            await expect(step).to_contain_text(text)
            await expect(step.locator("b")).to_have_text(re.compile(r"^\+.+ (ms|s)$"))
        await expect(visit.page.locator("dl")).to_contain_text("MINT_COINS")


async def test_a_dead_letter_is_replayed_by_clicks(stack: Living) -> None:
    """A reason is demanded, the API audits it, and the command takes effect after all."""
    command_id = await stack.give_up()
    async with visiting(stack.browser, stack.console, token=stack.token) as visit:
        await visit.open("/dead-letters")
        row = visit.page.locator("tr", has_text=command_id)
        await expect(row).to_contain_text("gave up after 5 attempts")
        await row.get_by_role("button", name="Replay").click()
        await visit.page.get_by_label("Reason").fill("The ledger was mended")
        await visit.page.get_by_role("button", name="Replay it").click()
        await expect(visit.page.get_by_role("status").filter(has_text="replayed")).to_be_visible()
        await expect(row).to_have_count(0)
        await visit.page.get_by_role("link", name="see its journey").click()
        await expect(visit.page.locator(".badge.projected")).to_be_visible()


async def test_a_dead_letter_is_discarded_only_with_a_reason(stack: Living) -> None:
    """Without one nothing is sent; a decision that came too late is told in the dialog."""
    command_id = await stack.give_up()
    async with visiting(stack.browser, stack.console, token=stack.token) as visit:
        await visit.open("/dead-letters")
        row = visit.page.locator("tr", has_text=command_id)
        await row.get_by_role("button", name="Discard").click()
        await visit.page.get_by_label("Reason").fill("short")
        await visit.page.get_by_role("button", name="Discard it").click()
        await expect(visit.page.get_by_role("dialog")).to_be_visible()
        assert not any(address.endswith("/discard") for address in visit.addresses)

        await stack.loop.gx("dead-letters", "discard", command_id, "--reason", "Sent by mistake")
        await visit.page.get_by_label("Reason").fill("Nobody needs it any more")
        await visit.page.get_by_role("button", name="Discard it").click()
        await expect(visit.page.get_by_role("alert")).to_contain_text("DEAD_LETTER_STATE")
        visit.complaints.clear()  # the browser tells the refused request, which was meant


async def test_the_token_stays_in_its_tab(stack: Living) -> None:
    """It is in no address, no lasting storage and no log, and closing the tab forgets it."""
    async with visiting(stack.browser, stack.console) as visit:
        await visit.open("/dead-letters")
        await visit.use_token(stack.token)
        await expect(visit.page.get_by_role("button", name="ops (admin)")).to_be_visible()
        assert stack.token not in await visit.stored()
        assert not any(stack.token in address for address in visit.addresses)
        await visit.page.get_by_role("button", name="ops (admin)").click()
        await visit.page.get_by_role("button", name="Forget it").click()
        await expect(visit.page.get_by_role("heading", name="Your token is needed")).to_be_visible()
    log = (stack.loop.folder / "log" / "console.log").read_text(encoding="utf-8")
    assert "process_started" in log
    assert "eyJ" not in log
