"""Who is let in: every kind of token that must be, and every kind that must not."""

import base64
from pathlib import Path
from typing import Final

import pytest

from gx.api.principal import Principal
from gx.api.signing_keys import SigningKeys
from gx.api.tokens import JwtVerifier, TokenPolicy
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import TokenRole
from tests.api.parts import AUDIENCE, ISSUER, TRANSFER, Backend, StoppedClock
from tests.api.tokens import (
    EC_384_KEY,
    GOOD,
    LEEWAY_S,
    NOW_S,
    OTHER_KEY,
    RSA_KEY,
    SHORT_RSA_KEY,
    Issuer,
    a_jwks,
    a_token,
    a_verifier,
    confused_hmac,
    forged_none,
    with_claims,
)

GOOD_TOKENS: Final = {
    "ES256": a_token(),
    "RS256": a_token(key=RSA_KEY, algorithm="RS256", kid="rsa"),
    "one audience of several": with_claims(aud=["other", AUDIENCE]),
    "expired within the leeway": with_claims(exp=NOW_S - LEEWAY_S + 1),
    "issued within the leeway": with_claims(iat=NOW_S + LEEWAY_S),
    "without iat": with_claims(iat=None),
    "may act for all": with_claims(role="partner", act_for="*"),
    "may act for some": with_claims(role="partner", act_for=["alice", "bob"]),
}

BAD_TOKENS: Final = {
    "no JWT": "nonsense",
    "empty parts": "..",
    "nested header": base64.urlsafe_b64encode(b"[" * 5_000).decode() + ".e30.e30",
    "alg none": forged_none(),
    "HS256 with the public key": confused_hmac(),
    "HS256 with a published secret": a_token(key=b"k" * 32, algorithm="HS256", kid="oct"),
    "ES384": a_token(key=EC_384_KEY, algorithm="ES384", kid="ec384"),
    "PS256": a_token(key=RSA_KEY, algorithm="PS256", kid="rsa"),
    "RSA key of 1024 bits": a_token(key=SHORT_RSA_KEY, algorithm="RS256", kid="short"),
    "key for encryption": a_token(key=OTHER_KEY, kid="enc"),
    "another key": a_token(key=OTHER_KEY),
    "unknown key id": a_token(kid="unknown"),
    "key id of another algorithm": a_token(kid="rsa"),
    "unknown critical header": a_token(crit=["exp"], exp=1),
    "other issuer": with_claims(iss="https://evil.test"),
    "no issuer": with_claims(iss=None),
    "other audience": with_claims(aud="other"),
    "no audience": with_claims(aud=None),
    "no subject": with_claims(sub=None),
    "empty subject": with_claims(sub=""),
    "subject with a line break": with_claims(sub="alice\n"),
    "subject that is no id": with_claims(sub="alice bob"),
    "no role": with_claims(role=None),
    "unknown role": with_claims(role="root"),
    "list of roles": with_claims(role=["admin"]),
    "act_for that is no id": with_claims(act_for=["alice bob"]),
    "act_for that is an object": with_claims(act_for={"id": "bob"}),
    "no expiry": with_claims(exp=None),
    "expired": with_claims(exp=NOW_S - LEEWAY_S),
    "expires at infinity": with_claims(exp=float("inf")),
    "expires at nothing": with_claims(exp=float("nan")),
    "expiry that is a text": with_claims(exp="soon"),
    "issued in the future": with_claims(iat=NOW_S + LEEWAY_S + 1),
    "not valid yet": with_claims(nbf=NOW_S + LEEWAY_S + 1),
    "far too long": a_token({**GOOD, "act_for": [f"user{n}" for n in range(2_000)]}),
}


@pytest.mark.parametrize("token", GOOD_TOKENS.values(), ids=GOOD_TOKENS)
async def test_a_good_token_names_its_principal(token: str) -> None:
    """Both algorithms, and everything that the claims may look like."""
    principal = await a_verifier(Issuer(a_jwks())).verify(token)

    assert (principal.issuer, principal.subject) == (ISSUER, "alice")


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_a_bad_token_is_refused(token: str) -> None:
    """TOKEN_INVALID, whatever is wrong; nothing is remembered of it."""
    verifier = a_verifier(Issuer(a_jwks()))

    with pytest.raises(RefusedError) as refused:
        await verifier.verify(token)

    assert refused.value.code is RefusalCode.TOKEN_INVALID
    assert verifier.recall(token) is None


async def test_claims_become_a_principal() -> None:
    """Role and act_for are read; absent, the token acts for nobody else."""
    verifier = a_verifier(Issuer(a_jwks()))

    partner = await verifier.verify(with_claims(role="partner", act_for=["bob"]))
    user = await verifier.verify(a_token())

    assert partner == Principal(
        issuer=ISSUER,
        subject="alice",
        role=TokenRole.PARTNER,
        act_for=frozenset({"bob"}),
        expires_at_s=NOW_S + 60,
    )
    assert not user.may_act_for("bob")


async def test_a_verified_token_is_remembered_until_it_expires() -> None:
    """Its signature is checked once; after its end, leeway included, it is forgotten."""
    clock = StoppedClock()
    verifier = JwtVerifier(
        SigningKeys(Issuer(a_jwks()).load),
        policy=TokenPolicy(issuer=ISSUER, audience=AUDIENCE, leeway_s=LEEWAY_S),
        clock=clock,
    )
    token = a_token()
    assert verifier.recall(token) is None
    principal = await verifier.verify(token)

    clock.advance_s(60 + LEEWAY_S - 0.001)
    assert verifier.recall(token) is principal
    clock.advance_s(0.001)
    assert verifier.recall(token) is None


async def test_only_so_many_tokens_are_remembered() -> None:
    """A client that makes tokens without end fills nobody's memory."""
    verifier = JwtVerifier(
        SigningKeys(Issuer(a_jwks()).load),
        policy=TokenPolicy(issuer=ISSUER, audience=AUDIENCE),
        clock=StoppedClock(),
        remembered_max=2,
    )
    tokens = [with_claims(jti=str(number)) for number in range(3)]
    for token in tokens:
        await verifier.verify(token)

    assert [verifier.recall(token) is not None for token in tokens] == [False, True, True]


# ---------------------------------------------------------------- at the edge


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Basic YTpi", "nonsense"],
    ids=["absent", "empty", "no token", "blank token", "other scheme", "no scheme"],
)
async def test_without_a_bearer_token_nobody_writes(
    backend: Backend, authorization: str | None
) -> None:
    """401 TOKEN_INVALID with the challenge that says how to authenticate."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with backend.anonymous(headers) as client:
        response = await client.post("/api/v1/transfers", json=TRANSFER)

    assert (response.status_code, response.json()["code"]) == (401, "TOKEN_INVALID")
    assert response.headers["www-authenticate"] == "Bearer"
    assert not backend.outbox.commands


async def test_a_bad_token_is_told_so(backend: Backend) -> None:
    """The challenge says that the token, not its absence, is the reason (RFC 6750)."""
    async with backend.anonymous({"Authorization": "Bearer x.y.z"}) as client:
        response = await client.post("/api/v1/transfers", json=TRANSFER)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_the_schemes_name_has_no_case(backend: Backend) -> None:
    """RFC 9110: authentication schemes are case-insensitive."""
    async with backend.anonymous({"Authorization": f"bEARER {backend.token()}"}) as client:
        response = await client.post("/api/v1/transfers", json=TRANSFER)

    assert response.status_code == 202


async def test_without_the_issuers_keys_the_edge_is_unavailable(
    backend: Backend, tmp_path: Path
) -> None:
    """A token that nobody can judge now is answered with 503, not with 401."""
    token = backend.token()
    (tmp_path / "token-issuer.jwks.json").unlink()
    async with backend.anonymous({"Authorization": f"Bearer {token}"}) as client:
        response = await client.post("/api/v1/transfers", json=TRANSFER)

    assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")
