"""Who may ask, and what a browser may do with an answer."""

import httpx
import pytest

from tests.console.fake_sources import FakeSources, browser_of, build_console

PATH = "/api/operator/dead-letters/01a1ffc4-cb28-71b0-8d4f-d69b6113b2d2/replay"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("host", ["127.0.0.1:30300", "localhost", "LOCALHOST:1", "[::1]:30300"])
async def test_loopback_names_are_answered(sources: FakeSources, host: str) -> None:
    """On any port."""
    async with browser_of(build_console(sources)) as client:
        assert (await client.get("/livez", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1:30300"])
async def test_another_name_is_refused(sources: FakeSources, host: str) -> None:
    """A page elsewhere cannot point its own name at this machine and read on."""
    async with browser_of(build_console(sources)) as client:
        answer = await client.get("/api/status", headers={"host": host})

    assert answer.status_code == 403
    assert "GX_CONSOLE_ALLOWED_HOSTS" in answer.text
    assert sources.asked == []


async def test_a_name_that_was_allowed_is_answered(sources: FakeSources) -> None:
    """The setting lists names; their port does not matter."""
    app = build_console(sources, hosts=frozenset({"console.example"}))
    async with browser_of(app, "console.example:8443") as client:
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        JSON | {"origin": "http://evil.example"},
        JSON | {"origin": "null"},
        JSON | {"sec-fetch-site": "cross-site"},
        JSON | {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
)
async def test_only_our_own_page_can_change_anything(
    sources: FakeSources, browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """No form and no script of another site gets as far as the API."""
    answer = await browser.post(PATH, headers=headers, content=b"{}")

    assert answer.status_code == 403
    assert sources.asked == []


async def test_our_own_page_can(browser: httpx.AsyncClient) -> None:
    """It gets as far as being asked for a token."""
    headers = JSON | {"origin": "http://127.0.0.1:30300", "sec-fetch-site": "same-origin"}

    assert (await browser.post(PATH, headers=headers, content=b"{}")).status_code == 401


@pytest.mark.parametrize("path", ["/alerts", "/api/status", "/static/app.js", "/nowhere"])
async def test_every_answer_limits_what_a_browser_does(
    browser: httpx.AsyncClient, path: str
) -> None:
    """No script but ours, no frame around us, no address of ours elsewhere, nothing guessed."""
    headers = (await browser.get(path)).headers

    policy = headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers
    assert "access-control-allow-origin" not in headers
