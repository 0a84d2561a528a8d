"""Gets one request accepted, whatever happens to the connection, under one idempotency key."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from gx.client.retry import BUSY, GATEWAY, RetryPolicy
from gx.domain.codec import DecodeError, JsonObject, decode_object
from gx.operations.load.connection import ConnectionLostError, ConnectionPool, Reply

PATIENCE: Final = RetryPolicy(attempts_max=40, delay_first_s=0.05, delay_max_s=2.0)
"""Long enough to outlive the restart of any process: about 40 s of waiting on average."""

_EXCERPT_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API has stored the command."""

    command_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The API said no, or nothing that could be understood."""

    code: str
    detail: str


class Delivery:
    """Sends commands and counts what stood in the way.

    `resent` counts repetitions after a lost connection, `put_off` answers 429 and 503: both are
    repeated under the same key and are no errors by themselves.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        *,
        patience: RetryPolicy = PATIENCE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        self._pool = pool
        self._patience = patience
        self._sleep = sleep
        self._fraction = fraction
        self.resent = 0
        self.put_off = 0

    async def deliver(self, request: bytes) -> Accepted | Refused:
        """Send until an answer stands, or patience ends."""
        attempt = 0
        while True:
            attempt += 1
            reply = await self._try(request)
            if isinstance(reply, Reply) and reply.status not in BUSY | GATEWAY:
                return _read(reply)
            delay_s = self._delay_s(reply, attempt)
            if delay_s is None:
                return _read(reply) if isinstance(reply, Reply) else _unreachable(reply)
            await self._sleep(delay_s)

    async def _try(self, request: bytes) -> Reply | ConnectionLostError:
        try:
            return await self._pool.exchange(request)
        except ConnectionLostError as error:
            return error

    def _delay_s(self, reply: Reply | ConnectionLostError, attempt: int) -> float | None:
        is_busy = isinstance(reply, Reply) and reply.status in BUSY
        self.put_off += is_busy
        self.resent += not is_busy
        retry_after_s = reply.retry_after_s if isinstance(reply, Reply) else 0.0
        return self._patience.delay_s(
            attempt, retry_after_s=retry_after_s, fraction=self._fraction()
        )


def _read(reply: Reply) -> Accepted | Refused:
    command_id = read_object(reply).get("commandId")
    if reply.status == HTTPStatus.ACCEPTED and isinstance(command_id, str):
        return Accepted(command_id)
    return _refusal_of(reply)


def _refusal_of(reply: Reply) -> Refused:
    body = read_object(reply)
    return Refused(
        code=str(body.get("code", f"HTTP_{reply.status}")),
        detail=str(body.get("detail", reply.body[:_EXCERPT_BYTES].decode(errors="replace"))),
    )


def describe_refusal(reply: Reply) -> str:
    """Say why the API refused, in one line."""
    refusal = _refusal_of(reply)
    return f"{refusal.code}: {refusal.detail}"


def _unreachable(error: ConnectionLostError) -> Refused:
    return Refused(code="UNREACHABLE", detail=str(error))


def read_object(reply: Reply) -> JsonObject:
    """Read the answer's JSON object; empty if it is none."""
    try:
        return decode_object(reply.body.decode(errors="replace"))
    except DecodeError:
        return {}
