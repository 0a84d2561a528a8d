"""A token issuer of one's own, for development: one ES256 key in a folder.

Whoever can read the folder can be anybody, so it works in devnet alone.
"""

import json
import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

from gx.domain.clock import Clock
from gx.domain.errors import GxError
from gx.domain.identifiers import is_identifier
from gx.domain.roles import TokenRole

ENVIRONMENT: Final = "devnet"
KEY_FILE: Final = "token-issuer.pem"
JWKS_FILE: Final = "token-issuer.jwks.json"
TTL_MAX_S: Final = 30 * 86_400

_KEY_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_KEY_ID_DIGITS: Final = 16


class IssuerRefusedError(GxError):
    """The local issuer will not do this: a real environment, or a token that could not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says. `act_for` holds user ids, or `*` for every user."""

    subject: str
    role: TokenRole
    act_for: Collection[str] = ()
    ttl_s: int = 3_600


class LocalIssuer:
    """Signs tokens with the key of one folder. Open it with `LocalIssuer.open`."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, *, issuer: str, audience: str, clock: Clock
    ) -> None:
        self._key = key
        self._key_id = _key_id_of(key)
        self._issuer = issuer
        self._audience = audience
        self._clock = clock

    @classmethod
    def open(
        cls, folder: Path, *, issuer: str, audience: str, clock: Clock, environment: str
    ) -> Self:
        """Read the folder's key, making one if there is none, and publish its JWKS beside it.

        Several processes may do this at once; they end up with the same key.

        Raises:
            IssuerRefusedError: the environment is not devnet, or others may read the key.
        """
        if environment != ENVIRONMENT:
            raise IssuerRefusedError(
                f"the local token issuer is for {ENVIRONMENT}, this is {environment}: "
                "name the issuer's JWKS URL instead (GX_API_JWKS_URL)"
            )
        key = _load_or_make(folder)
        opened = cls(key, issuer=issuer, audience=audience, clock=clock)
        _write_whole(folder / JWKS_FILE, opened.render_jwks().encode())
        return opened

    def issue(self, claims: Claims) -> str:
        """Sign a token.

        Raises:
            IssuerRefusedError: the edge would not accept such a token.
        """
        if not is_identifier(claims.subject):
            raise IssuerRefusedError(
                f"{claims.subject[:80]!r} is no subject: take 1 to 64 letters, digits or ._:@-"
            )
        if not 0 < claims.ttl_s <= TTL_MAX_S:
            raise IssuerRefusedError(f"a token lives 1 to {TTL_MAX_S} s, not {claims.ttl_s}")
        now_s = self._clock.now_ms() // 1_000
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": claims.subject,
            "role": claims.role.value,
            "act_for": sorted(claims.act_for),
            "iat": now_s,
            "exp": now_s + claims.ttl_s,
            "jti": str(uuid4()),
        }
        return jwt.encode(payload, self._key, algorithm="ES256", headers={"kid": self._key_id})

    def render_jwks(self) -> str:
        """Return the JWKS document with the public key."""
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        key = {**public, "kid": self._key_id, "use": "sig", "alg": "ES256"}
        return json.dumps({"keys": [key]}, sort_keys=True)


def jwks_path(folder: Path) -> Path:
    """Return where `LocalIssuer.open` publishes the public key."""
    return folder / JWKS_FILE


def _load_or_make(folder: Path) -> ec.EllipticCurvePrivateKey:
    path = folder / KEY_FILE
    folder.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise IssuerRefusedError(f"others may read {path}: `chmod 600 {path}`, or delete it")
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IssuerRefusedError(f"{path} is no EC key: delete it, and a new one is made")
    return key


def _make(path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), _KEY_MODE)
            file.write(pem)
        Path(path).hardlink_to(name)  # fails if another process was first; then its key counts
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


def _write_whole(path: Path, content: bytes) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(path)


def _key_id_of(key: ec.EllipticCurvePrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(public).hexdigest()[:_KEY_ID_DIGITS]
