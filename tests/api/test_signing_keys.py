"""The issuer's keys: fetched once, looked for again when needed, and never too often."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from gx.api.ports import KeysUnavailableError
from gx.api.signing_keys import SigningKeys, load_from_url
from gx.domain.refusals import RefusedError
from tests.api.tokens import (
    Issuer,
    Ticks,
    a_jwks,
    a_token,
    a_verifier,
    with_claims,
)


async def test_keys_are_fetched_once() -> None:
    """Many tokens, one fetch."""
    issuer = Issuer(a_jwks())
    verifier = a_verifier(issuer)

    for number in range(5):
        await verifier.verify(with_claims(jti=str(number)))

    assert issuer.asked == 1


async def test_a_rotated_key_is_found_when_its_first_token_comes() -> None:
    """An unknown key id makes the verifier look again, after the floor."""
    issuer, ticks = Issuer(json.dumps({"keys": []})), Ticks()
    verifier = a_verifier(issuer, ticks)
    with pytest.raises(RefusedError):
        await verifier.verify(a_token())

    issuer.document = a_jwks()
    ticks.now_s += 10
    principal = await verifier.verify(a_token())

    assert principal.subject == "alice"
    assert issuer.asked == 2


async def test_unknown_key_ids_cannot_make_it_hammer_the_issuer() -> None:
    """Between two fetches lies the floor, whatever tokens come."""
    issuer, ticks = Issuer(a_jwks()), Ticks()
    verifier = a_verifier(issuer, ticks)

    for number in range(20):
        ticks.now_s += 1
        with pytest.raises(RefusedError):
            await verifier.verify(a_token(kid=f"forged-{number}"))

    assert issuer.asked == 2


async def test_tokens_of_a_withdrawn_key_are_forgotten() -> None:
    """When the issuer withdraws a key, what was remembered of its tokens goes too."""
    issuer, ticks = Issuer(a_jwks()), Ticks()
    verifier = a_verifier(issuer, ticks)
    token = a_token()
    await verifier.verify(token)

    issuer.document = json.dumps({"keys": []})
    ticks.now_s += 601
    assert verifier.recall(token) is not None  # asks in the background, and waits for nothing
    await asyncio.sleep(0.01)

    assert verifier.recall(token) is None
    with pytest.raises(RefusedError):
        await verifier.verify(token)


@pytest.mark.parametrize(
    "error",
    [ConnectionRefusedError(), httpx.ConnectTimeout("slow"), TimeoutError()],
    ids=lambda error: type(error).__name__,
)
async def test_known_keys_stand_while_the_issuer_is_away(error: Exception) -> None:
    """An issuer that is down locks nobody out whose key is known."""
    issuer, ticks = Issuer(a_jwks()), Ticks()
    verifier = a_verifier(issuer, ticks)
    await verifier.verify(a_token())

    issuer.error = error
    ticks.now_s += 601

    assert (await verifier.verify(with_claims(jti="2"))).subject == "alice"


@pytest.mark.parametrize("document", ["", "[]", "{}", '{"keys":{}}', "<html>"], ids=repr)
async def test_without_any_keys_nobody_can_be_judged(document: str) -> None:
    """An issuer that never answered properly is an outage, not the client's mistake."""
    verifier = a_verifier(Issuer(document))

    with pytest.raises(KeysUnavailableError):
        await verifier.verify(a_token())


def a_key_server(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    """Make a client whose every request is answered so."""
    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def test_keys_are_fetched_from_the_issuers_address() -> None:
    """In production the JWKS document comes over HTTP."""
    async with a_key_server(lambda _: httpx.Response(200, text=a_jwks())) as client:
        keys = SigningKeys(load_from_url(client, "https://issuer.test/jwks"))

        assert await keys.find("ec") is not None
        assert await keys.find("oct") is None


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://evil.test/jwks"}),
        httpx.Response(200, text="{}".ljust(1_000_001)),
        httpx.Response(200, text="<html>"),
    ],
    ids=["error", "redirect", "too large", "no JSON"],
)
async def test_what_is_no_key_document_gives_no_keys(answer: httpx.Response) -> None:
    """Errors, redirects and oversized answers are an issuer that did not answer."""
    async with a_key_server(lambda _: answer) as client:
        keys = SigningKeys(load_from_url(client, "https://issuer.test/jwks"))

        with pytest.raises(KeysUnavailableError):
            await keys.find("ec")
