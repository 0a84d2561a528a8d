"""Who is let in: every kind of token that must be, and every kind that must not."""

import asyncio
import base64
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.warnings import InsecureKeyLengthWarning

from gx.api.ports import KeysUnavailableError
from gx.api.principal import Principal
from gx.api.signing_keys import SigningKeys, load_from_url
from gx.api.tokens import JwtVerifier, TokenPolicy
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import TokenRole
from tests.api.parts import AUDIENCE, ISSUER, NOW_MS, TRANSFER, Backend, StoppedClock

NOW_S: Final = NOW_MS // 1_000
LEEWAY_S: Final = 5

EC_KEY: Final = ec.generate_private_key(ec.SECP256R1())
EC_384_KEY: Final = ec.generate_private_key(ec.SECP384R1())
OTHER_KEY: Final = ec.generate_private_key(ec.SECP256R1())
RSA_KEY: Final = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
SHORT_RSA_KEY: Final = rsa.generate_private_key(
    public_exponent=65_537,
    key_size=1_024,  # noqa: S505 (it is the key that must be refused)
)
EC_PEM: Final = EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

GOOD: Final[Mapping[str, object]] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "alice",
    "role": "user",
    "iat": NOW_S,
    "exp": NOW_S + 60,
}


def a_jwks() -> str:
    """Render the issuer's keys: two that count, and several that must not."""
    keys = [
        {**ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), "kid": "ec", "use": "sig"},
        {**RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True), "kid": "rsa"},
        {**RSAAlgorithm.to_jwk(SHORT_RSA_KEY.public_key(), as_dict=True), "kid": "short"},
        {**ECAlgorithm.to_jwk(EC_384_KEY.public_key(), as_dict=True), "kid": "ec384"},
        {**ECAlgorithm.to_jwk(OTHER_KEY.public_key(), as_dict=True), "kid": "enc", "use": "enc"},
        {"kty": "oct", "k": base64.urlsafe_b64encode(b"k" * 32).decode(), "kid": "oct"},
        {"kty": "EC", "crv": "P-256", "kid": "broken"},
        "not even an object",
    ]
    return json.dumps({"keys": keys})


class Issuer:
    """Serves key documents, and counts how often it was asked."""

    def __init__(self, document: str) -> None:
        self.document = document
        self.asked = 0
        self.error: Exception | None = None

    async def load(self) -> str:
        """Return the document, or fail as told."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.document


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


def a_token(
    claims: Mapping[str, object] = GOOD,
    *,
    key: object = EC_KEY,
    algorithm: str = "ES256",
    **header: object,
) -> str:
    """Sign a token; a claim that is None is left out."""
    payload = {name: value for name, value in claims.items() if value is not None}
    with warnings.catch_warnings(action="ignore", category=InsecureKeyLengthWarning):
        return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": "ec", **header})  # type: ignore[arg-type]  # keys of every kind


def forged_none() -> str:
    """Write a token that claims to need no signature."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'JWT', 'kid': 'ec'})}.{part(dict(GOOD))}."


def confused_hmac() -> str:
    """Sign with HMAC, the issuer's public key being the secret: the classic confusion."""
    return jwt.api_jws.PyJWS().encode(
        json.dumps(dict(GOOD)).encode(),
        base64.b64encode(EC_PEM),
        algorithm="HS256",
        headers={"kid": "ec"},
    )


def with_claims(**changes: object) -> str:
    """Sign the good claims with some changed."""
    return a_token({**GOOD, **changes})


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


def a_verifier(issuer: Issuer, ticks: Ticks | None = None) -> JwtVerifier:
    """Make a verifier of this issuer's tokens."""
    return JwtVerifier(
        SigningKeys(issuer.load, monotonic_s=ticks or Ticks()),
        policy=TokenPolicy(issuer=ISSUER, audience=AUDIENCE, leeway_s=LEEWAY_S),
        clock=StoppedClock(),
    )


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


# ---------------------------------------------------------------- the issuer's keys


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
