"""Verifies bearer tokens: JWTs of one issuer, for one audience, signed with its current keys."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import jwt

from gx.api.principal import Principal, read_act_for
from gx.api.signing_keys import ALGORITHMS, SigningKeys
from gx.domain.clock import Clock
from gx.domain.identifiers import is_identifier
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import TokenRole

TOKEN_CHARACTERS_MAX: Final = 8_192

_SECONDS_END: Final = 2**53  # also keeps out infinity and NaN, which Python's JSON lets in


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPolicy:
    """Whose tokens count. `leeway_s` forgives clocks that differ a little."""

    issuer: str
    audience: str
    leeway_s: float = 5.0


class JwtVerifier:
    """Verifies a token once and remembers it, by its hash, until it expires.

    What is remembered is forgotten when the issuer adds or withdraws a key.
    """

    def __init__(
        self,
        keys: SigningKeys,
        *,
        policy: TokenPolicy,
        clock: Clock,
        remembered_max: int = 10_000,
    ) -> None:
        self._keys = keys
        self._policy = policy
        self._clock = clock
        self._remembered_max = remembered_max
        self._remembered: OrderedDict[bytes, Principal] = OrderedDict()
        self._generation = keys.generation

    def recall(self, token: str) -> Principal | None:
        """Return what is known of a token that was verified before and has not expired."""
        self._keys.keep_fresh()
        self._forget_if_keys_changed()
        name = sha256(token.encode("latin-1", "replace")).digest()
        principal = self._remembered.get(name)
        if principal is None:
            return None
        if self._clock.now_ms() >= (principal.expires_at_s + self._policy.leeway_s) * 1_000:
            del self._remembered[name]
            return None
        return principal

    async def verify(self, token: str) -> Principal:
        """Verify signature, issuer, audience, times, subject and role.

        Raises:
            RefusedError: TOKEN_INVALID, saying what is wrong.
            KeysUnavailableError: the issuer's keys could never be fetched.
        """
        if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            raise _invalid("it is too long or not ASCII")
        key = await self._key_of(token)
        claims = self._verified_claims(token, key)
        principal = self._principal_of(claims)
        self._remember(token, principal)
        return principal

    async def _key_of(self, token: str) -> jwt.PyJWK:
        try:
            header: Mapping[str, object] = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise _invalid("it is no JWT") from error
        if header.get("alg") not in ALGORITHMS or "crit" in header:
            raise _invalid(f"it must be signed with {' or '.join(ALGORITHMS)}")
        key_id = header.get("kid")
        if not isinstance(key_id, str):
            raise _invalid("it names no key (kid)")
        key = await self._keys.find(key_id)
        if key is None or key.algorithm_name != header["alg"]:
            raise _invalid("the issuer has no such key for this algorithm")
        return key

    def _verified_claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, object]:
        try:
            claims: Mapping[str, object] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._policy.issuer,
                audience=self._policy.audience,
                # The times are compared below, by this project's clock.
                options={
                    "require": ["iss", "aud", "sub", "exp"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            raise _invalid(_reason_of(error)) from error
        return claims

    def _principal_of(self, claims: Mapping[str, object]) -> Principal:
        expires_at_s = self._require_current(claims)
        subject, role = claims.get("sub"), claims.get("role")
        if not isinstance(subject, str) or not is_identifier(subject):
            raise _invalid("its subject is no id of 1 to 64 letters, digits or ._:@-")
        if not isinstance(role, str) or role not in {known.value for known in TokenRole}:
            raise _invalid(f"its role must be one of {', '.join(TokenRole)}")
        return Principal(
            issuer=self._policy.issuer,
            subject=subject,
            role=TokenRole(role),
            act_for=read_act_for(claims.get("act_for")),
            expires_at_s=expires_at_s,
        )

    def _require_current(self, claims: Mapping[str, object]) -> int:
        now_s = self._clock.now_ms() / 1_000
        leeway_s = self._policy.leeway_s
        expires_at_s = _seconds(claims, "exp")
        if expires_at_s is None or now_s >= expires_at_s + leeway_s:
            raise _invalid("it has expired")
        for name in ("nbf", "iat"):
            from_s = _seconds(claims, name)
            if from_s is not None and now_s < from_s - leeway_s:
                raise _invalid("it is not valid yet")
        return expires_at_s

    def _forget_if_keys_changed(self) -> None:
        if self._generation != self._keys.generation:
            self._remembered.clear()
            self._generation = self._keys.generation

    def _remember(self, token: str, principal: Principal) -> None:
        self._forget_if_keys_changed()
        name = sha256(token.encode("latin-1", "replace")).digest()
        self._remembered[name] = principal
        if len(self._remembered) > self._remembered_max:
            self._remembered.popitem(last=False)


def _seconds(claims: Mapping[str, object], name: str) -> int | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and 0 <= value < _SECONDS_END:
        return int(value)
    raise _invalid(f"its claim {name} is no point in time")


def _reason_of(error: jwt.PyJWTError) -> str:
    match error:
        case jwt.InvalidSignatureError():
            return "its signature is wrong"
        case jwt.InvalidIssuerError():
            return "it is from another issuer"
        case jwt.InvalidAudienceError():
            return "it is for another audience"
        case jwt.MissingRequiredClaimError(claim=claim):
            return f"it lacks the claim {claim}"
        case _:
            return "it is malformed"


def _invalid(reason: str) -> RefusedError:
    return RefusedError(RefusalCode.TOKEN_INVALID, f"the bearer token was refused: {reason}")
