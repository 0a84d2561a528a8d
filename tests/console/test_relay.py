"""What operators do goes to the API with their own token, and nowhere else."""

import httpx
import pytest

from tests.console.fake_sources import API, FakeSources

COMMAND_ID = "01a1ffc4-cb28-71b0-8d4f-d69b6113b2d2"
REPLAY = f"/api/operator/dead-letters/{COMMAND_ID}/replay"
TOKEN = {"Authorization": "Bearer eyJhbGciOi.abc.def"}


def is_asked_for(sources: FakeSources, url: str) -> httpx.Request:
    """Return the one request that the API got."""
    assert [str(request.url) for request in sources.asked] == [url]
    return sources.asked[0]


async def test_a_list_is_read_with_the_operator_s_token(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """Query and token go through; the answer comes back as it is."""
    sources.answer(f"{API}/api/v1/commands", httpx.Response(200, json={"items": []}))

    answer = await browser.get("/api/operator/commands?limit=5&status=DEAD", headers=TOKEN)

    assert (answer.status_code, answer.json()) == (200, {"items": []})
    asked = is_asked_for(sources, f"{API}/api/v1/commands?limit=5&status=DEAD")
    assert asked.headers["authorization"] == TOKEN["Authorization"]


async def test_a_replay_is_sent_with_its_reason(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """Once, as the API takes it."""
    url = f"{API}/api/v1/dead-letters/{COMMAND_ID}/replay"
    sources.answer(url, httpx.Response(202, json={"status": "PENDING"}))

    answer = await browser.post(REPLAY, headers=TOKEN, json={"reason": "The ledger was mended"})

    assert answer.status_code == 202
    assert is_asked_for(sources, url).content == b'{"reason":"The ledger was mended"}'


async def test_a_refusal_of_the_api_comes_back_as_it_is(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """Its code and detail are what the operator reads."""
    url = f"{API}/api/v1/dead-letters/{COMMAND_ID}/replay"
    sources.answer(url, httpx.Response(409, json={"code": "DEAD_LETTER_STATE"}))

    answer = await browser.post(REPLAY, headers=TOKEN, json={"reason": "x" * 10})

    assert (answer.status_code, answer.json()["code"]) == (409, "DEAD_LETTER_STATE")


async def test_an_api_that_is_away_leaves_the_outcome_open(browser: httpx.AsyncClient) -> None:
    """Whether it happened is not known, and that is what it says."""
    answer = await browser.post(REPLAY, headers=TOKEN, json={"reason": "x" * 10})

    assert answer.status_code == 502
    assert "Nothing is known to have happened" in answer.json()["detail"]


@pytest.mark.parametrize("token", [None, "Basic abc", "Bearer a\tb", "Bearer "])
async def test_without_a_token_nothing_is_asked(
    sources: FakeSources, browser: httpx.AsyncClient, token: str | None
) -> None:
    """The console has no rights of its own to fall back on."""
    headers = {"Authorization": token} if token else {}

    answer = await browser.get("/api/operator/commands", headers=headers)

    assert answer.status_code == 401
    assert sources.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/operator/users",
        "/api/operator/commands/not-an-id",
        "/api/operator/commands/..%2f..%2fadmin",
        f"/api/operator/users/{COMMAND_ID}",
    ],
)
async def test_only_commands_and_dead_letters_can_be_read(
    sources: FakeSources, browser: httpx.AsyncClient, path: str
) -> None:
    """It is no proxy of the API."""
    assert (await browser.get(path, headers=TOKEN)).status_code == 404
    assert sources.asked == []


async def test_only_replay_and_discard_can_be_done(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """Whatever else a path says is not there."""
    path = f"/api/operator/dead-letters/{COMMAND_ID}/delete"

    assert (await browser.post(path, headers=TOKEN, json={})).status_code == 404
    assert sources.asked == []


async def test_a_body_without_end_is_cut_off(
    sources: FakeSources, browser: httpx.AsyncClient
) -> None:
    """A reason is a sentence."""
    answer = await browser.post(REPLAY, headers=TOKEN, json={"reason": "x" * 10_000})

    assert answer.status_code == 413
    assert sources.asked == []
