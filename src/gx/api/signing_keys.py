"""The issuer's public keys: fetched, cached, and refetched when the issuer rotates them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gx.api.ports import KeysUnavailableError
from gx.domain.codec import DecodeError, JsonValue, decode_object

_log: Final = structlog.get_logger(__name__)

ALGORITHMS: Final = ("ES256", "RS256")
"""What a token may be signed with: asymmetric only, and never `none`."""

RSA_BITS_MIN: Final = 2_048  # NIST SP 800-131A: shorter keys are disallowed
FETCH_TIMEOUT_S: Final = 3.0
DOCUMENT_BYTES_MAX: Final = 1_000_000

LoadJwks = Callable[[], Awaitable[str]]
"""Fetches the text of a JWKS document (RFC 7517); raises OSError or httpx.HTTPError."""


class SigningKeys:
    """The keys of one issuer by key id.

    A key id that is not known makes it look again, but not more often than `refetch_floor_s`, so
    that forged tokens cannot make it hammer the issuer. What is older than `max_age_s` is fetched
    anew when it is used; while the issuer does not answer, the known keys stand.
    `generation` changes when a key was added or withdrawn.
    """

    def __init__(
        self,
        load: LoadJwks,
        *,
        refetch_floor_s: float = 10.0,
        max_age_s: float = 600.0,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._refetch_floor_s = refetch_floor_s
        self._max_age_s = max_age_s
        self._monotonic_s = monotonic_s
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._document = ""
        self._fetched_at_s: float | None = None
        self._tried_at_s: float | None = None
        self._fetching = asyncio.Lock()
        self._background: asyncio.Task[None] | None = None
        self.generation = 0

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key; None if the issuer has no such key.

        Raises:
            KeysUnavailableError: the issuer never answered yet.
        """
        if self._is_stale() or key_id not in self._keys:
            await self._refresh(key_id)
        return self._keys.get(key_id)

    def keep_fresh(self) -> None:
        """Fetch in the background what is too old, so that a withdrawn key is noticed in time."""
        if self._fetched_at_s is None or not self._is_stale() or not self._may_fetch():
            return
        if self._background is None or self._background.done():
            self._background = asyncio.create_task(self._refresh(None), name="signing-keys")

    def _is_stale(self) -> bool:
        if self._fetched_at_s is None:
            return True
        return self._monotonic_s() - self._fetched_at_s > self._max_age_s

    def _may_fetch(self) -> bool:
        if self._tried_at_s is None:
            return True
        return self._monotonic_s() - self._tried_at_s >= self._refetch_floor_s

    async def _refresh(self, key_id: str | None) -> None:
        async with self._fetching:
            is_unknown = key_id is not None and key_id not in self._keys
            if (is_unknown or self._is_stale()) and self._may_fetch():
                await self._fetch()
        if self._fetched_at_s is None:
            raise KeysUnavailableError("the token issuer's keys could not be fetched yet")

    async def _fetch(self) -> None:
        self._tried_at_s = self._monotonic_s()
        try:
            document = await self._load()
            keys = parse_jwks(document)
        except (OSError, httpx.HTTPError, DecodeError) as error:
            _log.warning("signing_keys_unavailable", error=repr(error), known=len(self._keys))
            return
        self._fetched_at_s = self._monotonic_s()
        if document != self._document:
            self._document, self._keys = document, keys
            self.generation += 1
            _log.info("signing_keys_loaded", key_ids=sorted(keys))


def parse_jwks(text: str) -> Mapping[str, jwt.PyJWK]:
    """Read a JWKS document; keys that no token may be signed with are left out.

    Raises:
        DecodeError: it is no JWKS document.
    """
    listed = decode_object(text).get("keys")
    if not isinstance(listed, list):
        raise DecodeError("a JWKS document has a list `keys`")
    keys: dict[str, jwt.PyJWK] = {}
    for item in listed:
        key_id, key = _parse_key(item)
        if key_id is not None and key is not None:
            keys.setdefault(key_id, key)
    return keys


def _parse_key(item: JsonValue) -> tuple[str | None, jwt.PyJWK | None]:
    if not isinstance(item, dict):
        return None, None
    key_id = item.get("kid")
    is_for_signing = item.get("use", "sig") == "sig"
    if not isinstance(key_id, str) or not is_for_signing:
        return None, None
    try:
        key = jwt.PyJWK.from_dict(item)
    except jwt.PyJWTError as error:
        _log.warning("signing_key_ignored", key_id=key_id, error=repr(error))
        return None, None
    return key_id, key if _is_strong(key) else None


def _is_strong(key: jwt.PyJWK) -> bool:
    match key.algorithm_name, key.key:
        case "RS256", RSAPublicKey() as public:
            return public.key_size >= RSA_BITS_MIN
        case "ES256", EllipticCurvePublicKey() as public:
            return isinstance(public.curve, SECP256R1)
        case _:
            return False


def load_from_url(client: httpx.AsyncClient, url: str) -> LoadJwks:
    """Fetch the document from the issuer; redirects are not followed."""

    async def load() -> str:
        response = await client.get(url, timeout=FETCH_TIMEOUT_S, follow_redirects=False)
        response.raise_for_status()
        if len(response.content) > DOCUMENT_BYTES_MAX:
            raise DecodeError(f"the JWKS document is larger than {DOCUMENT_BYTES_MAX} bytes")
        return response.text

    return load


def load_from_file(path: Path) -> LoadJwks:
    """Read the document that a local issuer keeps beside its key."""

    async def load() -> str:
        return await asyncio.to_thread(path.read_text, encoding="utf-8")

    return load
