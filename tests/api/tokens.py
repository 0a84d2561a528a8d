"""Tokens of every kind, good and forged, and the issuer whose keys they are signed with."""

import base64
import json
import warnings
from collections.abc import Mapping
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from jwt.warnings import InsecureKeyLengthWarning

from gx.api.signing_keys import SigningKeys
from gx.api.tokens import JwtVerifier, TokenPolicy
from tests.api.parts import AUDIENCE, ISSUER, NOW_MS, StoppedClock

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


def a_verifier(issuer: Issuer, ticks: Ticks | None = None) -> JwtVerifier:
    """Make a verifier of this issuer's tokens."""
    return JwtVerifier(
        SigningKeys(issuer.load, monotonic_s=ticks or Ticks()),
        policy=TokenPolicy(issuer=ISSUER, audience=AUDIENCE, leeway_s=LEEWAY_S),
        clock=StoppedClock(),
    )
