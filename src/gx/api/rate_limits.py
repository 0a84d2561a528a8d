"""Token buckets: in this process, or shared by all replicas through Redis or Valkey.

A bucket is one number: when it will be full again. Taking a token moves that moment by the time
in which one token flows in (the generic cell rate algorithm, ITU-T I.371, which lets through
exactly what a token bucket does).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis.asyncio
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from typing_extensions import override

from gx.api.ports import RateLimiter
from gx.api.settings import Allowance
from gx.telemetry.vectors import CounterVector

_log: Final = structlog.get_logger(__name__)

NAMES_MAX: Final = 100_000

COMMAND: Final = "evalsha"
"""What is counted in the metric of Redis commands."""

LEASE_SHARE_S: Final = 0.1
"""A replica takes what flows into a bucket in this time at once, and spends it by itself: one
round trip for many requests. It can hold back a tenth of a subject's allowance at most."""

LEASE_S: Final = 1.0
"""What a replica has not spent by then it forgets."""

RETRY_AFTER_OUTAGE_S: Final = 1.0
TIMEOUT_S: Final = 0.1
_KEY_PREFIX: Final = "gx:rate:"
_CONNECTIONS_MAX: Final = 16

# Takes up to ARGV[3] tokens out of a bucket of ARGV[2] that fills at ARGV[1] a second. The
# server's clock counts, so replicas need not agree on the time. A key goes when its bucket is
# full: an absent key is a full bucket.
TAKE: Final = """
local rate, burst, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local full_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
local tokens = burst - (full_at - now) * rate
local taken = math.min(want, math.floor(tokens + 0.000001))
if taken < 1 then
  return {0, math.ceil((1 - tokens) / rate * 1000)}
end
full_at = full_at + taken / rate
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000))
return {taken, 0}
"""


class LocalRateLimiter(RateLimiter):
    """Buckets of this process alone. At most `names_max`; beyond, the fullest are forgotten."""

    def __init__(
        self,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        names_max: int = NAMES_MAX,
    ) -> None:
        self._monotonic_s = monotonic_s
        self._names_max = names_max
        self._full_at_s: dict[str, float] = {}

    @override
    async def take(self, name: str, allowance: Allowance) -> float:
        """Take one from the bucket; 0 if there was one, else the seconds until there is."""
        now_s = self._monotonic_s()
        full_at_s = max(now_s, self._full_at_s.get(name, now_s))
        tokens = allowance.burst - (full_at_s - now_s) * allowance.rate_per_s
        if tokens < 1:
            return (1 - tokens) / allowance.rate_per_s
        self._full_at_s[name] = full_at_s + 1 / allowance.rate_per_s
        if len(self._full_at_s) > self._names_max:
            self._forget(now_s)
        return 0.0

    def _forget(self, now_s: float) -> None:
        kept = {name: at_s for name, at_s in self._full_at_s.items() if at_s > now_s}
        if len(kept) > self._names_max // 2:
            emptiest = sorted(kept, key=kept.__getitem__, reverse=True)[: self._names_max // 2]
            kept = {name: kept[name] for name in emptiest}
        self._full_at_s = kept


@dataclass(slots=True)
class _Lease:
    """What a replica may spend of one bucket, or until when that is empty."""

    tokens: int
    until_s: float
    blocked_until_s: float


class SharedRateLimiter(RateLimiter):
    """Buckets that all replicas share; while the server does not answer, each has its own."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        *,
        commands: CounterVector,
        monotonic_s: Callable[[], float] = time.monotonic,
        names_max: int = NAMES_MAX,
    ) -> None:
        self._take = client.register_script(TAKE)
        self._commands = commands
        self._monotonic_s = monotonic_s
        self._names_max = names_max
        self._local = LocalRateLimiter(monotonic_s=monotonic_s, names_max=names_max)
        self._leases: dict[str, _Lease] = {}
        self._refills: dict[str, asyncio.Task[bool]] = {}
        self._is_lost = False
        self._retry_at_s = 0.0

    @override
    async def take(self, name: str, allowance: Allowance) -> float:
        """Take one from the bucket; 0 if there was one, else the seconds until there is."""
        while True:
            now_s = self._monotonic_s()
            lease = self._leases.get(name)
            if lease is not None and lease.tokens > 0 and now_s < lease.until_s:
                lease.tokens -= 1
                return 0.0
            if lease is not None and now_s < lease.blocked_until_s:
                return lease.blocked_until_s - now_s
            if now_s < self._retry_at_s or not await self._refill(name, allowance):
                return await self._local.take(name, allowance)

    async def _refill(self, name: str, allowance: Allowance) -> bool:
        """Ask the server, once for all who ask now; False if it does not answer."""
        refill = self._refills.get(name)
        if refill is None:
            refill = asyncio.create_task(self._lease(name, allowance), name="rate-lease")
            self._refills[name] = refill
            refill.add_done_callback(lambda _: self._refills.pop(name, None))
        return await asyncio.shield(refill)

    async def _lease(self, name: str, allowance: Allowance) -> bool:
        want = max(1, min(allowance.burst, int(allowance.rate_per_s * LEASE_SHARE_S)))
        arguments = [allowance.rate_per_s, allowance.burst, want]
        try:
            answer = await self._take(keys=[_KEY_PREFIX + name], args=arguments)
        except (RedisError, OSError) as error:
            self._note_outage(error)
            return False
        self._note_answer()
        taken, wait_ms = int(answer[0]), int(answer[1])
        now_s = self._monotonic_s()
        self._leases[name] = _Lease(taken, now_s + LEASE_S, now_s + wait_ms / 1_000)
        if len(self._leases) > self._names_max:
            self._forget(now_s)
        return True

    def _forget(self, now_s: float) -> None:
        self._leases = {
            name: lease
            for name, lease in self._leases.items()
            if now_s < max(lease.until_s if lease.tokens else 0.0, lease.blocked_until_s)
        }
        if len(self._leases) > self._names_max:
            self._leases.clear()

    def _note_outage(self, error: Exception) -> None:
        self._commands(COMMAND, "error").inc()
        self._retry_at_s = self._monotonic_s() + RETRY_AFTER_OUTAGE_S
        if not self._is_lost:
            self._is_lost = True
            _log.warning("rate_limit_store_lost", error=repr(error), fallback="per process")

    def _note_answer(self) -> None:
        self._commands(COMMAND, "success").inc()
        if self._is_lost:
            self._is_lost = False
            _log.info("rate_limit_store_regained")


def open_store(url: str) -> redis.asyncio.Redis:
    """Make a client that gives up quickly: a request must not wait for its own limit.

    The caller closes it with `aclose`.
    """
    return redis.asyncio.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        max_connections=_CONNECTIONS_MAX,
    )
