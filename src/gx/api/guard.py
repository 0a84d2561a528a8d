"""Who gets through: token, role, rate. Everything else is refused."""

import math
from typing import Final

from gx.api.exchange import Exchange
from gx.api.ports import RateLimiter, TokenVerifier
from gx.api.principal import Principal, caller_of
from gx.api.problems import RequestRefusedError
from gx.api.settings import EdgeSettings
from gx.domain.commands import Access
from gx.domain.refusals import RefusalCode, RefusedError
from gx.domain.roles import TokenRole

_SCHEME: Final = "bearer "
_SUBJECT: Final = "subject:"
_ADDRESS: Final = "address:"


class Guard:
    """Admits a request to its handler, or raises the reason why not."""

    def __init__(
        self, *, tokens: TokenVerifier, limiter: RateLimiter, settings: EdgeSettings
    ) -> None:
        self._tokens = tokens
        self._limiter = limiter
        self._settings = settings

    async def admit(self, exchange: Exchange, access: Access) -> None:
        """Let the request through, with its caller set unless the route is public.

        Whoever has not proven who he is spends from his address's bucket, before the costly
        verification of a signature; whoever has, from his subject's.

        Raises:
            RefusedError: TOKEN_INVALID, ROLE_REQUIRED, FORBIDDEN or RATE_LIMITED.
        """
        if access is Access.PUBLIC:
            await self._spend_address(exchange)
            return
        principal = await self._authenticate(exchange)
        if not access.admits(principal.role):
            raise RefusedError(
                RefusalCode.ROLE_REQUIRED,
                f"{_name_of(exchange)} needs the role {_roles_of(access)}, the token has "
                f"{principal.role}",
            )
        exchange.caller = caller_of(principal, exchange.header(b"x-on-behalf-of"))

    async def _authenticate(self, exchange: Exchange) -> Principal:
        token = _bearer_token(exchange)
        principal = None if token is None else self._tokens.recall(token)
        if principal is None:
            await self._spend_address(exchange)
            principal = await self._verify(token)
        await self._spend(_SUBJECT + principal.subject, exchange, is_address=False)
        return principal

    async def _verify(self, token: str | None) -> Principal:
        if token is None:
            raise RequestRefusedError(
                RefusalCode.TOKEN_INVALID,
                "send a bearer token in the Authorization header",
                headers={"WWW-Authenticate": "Bearer"},
            )
        try:
            return await self._tokens.verify(token)
        except RefusedError as error:
            raise RequestRefusedError(
                error.code,
                error.detail,
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            ) from error

    async def _spend_address(self, exchange: Exchange) -> None:
        await self._spend(_ADDRESS + exchange.client_address, exchange, is_address=True)

    async def _spend(self, name: str, exchange: Exchange, *, is_address: bool) -> None:
        settings = self._settings
        allowance = settings.address_allowance if is_address else settings.subject_allowance
        wait_s = await self._limiter.take(name, allowance)
        if wait_s > 0:
            raise RequestRefusedError(
                RefusalCode.RATE_LIMITED,
                f"{'this address' if is_address else 'this subject'} may send "
                f"{allowance.rate_per_s:g} requests/s; {_name_of(exchange)} was not carried out",
                headers={"Retry-After": str(max(1, math.ceil(wait_s)))},
            )


def _bearer_token(exchange: Exchange) -> str | None:
    text = exchange.header(b"authorization")
    if text is None or text[: len(_SCHEME)].lower() != _SCHEME:
        return None
    return text[len(_SCHEME) :].strip() or None


def _name_of(exchange: Exchange) -> str:
    return exchange.method if exchange.route is None else f"{exchange.method} {exchange.route.path}"


def _roles_of(access: Access) -> str:
    return " or ".join(role.value for role in TokenRole if access.admits(role))
