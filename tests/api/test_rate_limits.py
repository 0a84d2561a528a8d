"""Token buckets: of one process, and shared through a real Valkey."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

from gx.api.rate_limits import (
    COMMAND,
    LEASE_S,
    RETRY_AFTER_OUTAGE_S,
    LocalRateLimiter,
    SharedRateLimiter,
    open_store,
)
from gx.api.settings import Allowance, EdgeSettings
from gx.domain.roles import TokenRole
from gx.runtime.valkey import EmbeddedValkey, PreparedValkey
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import build_api_metrics
from gx.telemetry.vectors import CounterVector
from tests.api.asgi import Conversation
from tests.api.parts import TRANSFER, Backend, build_backend
from tests.ports import free_port

FEW: Final = Allowance(rate_per_s=2.0, burst=3)


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


def counters() -> CounterVector:
    """Make the counters of Redis commands."""
    metrics = build_api_metrics(MetricsRegistry(), routes=[], redis_commands=(COMMAND,))
    return metrics.redis_commands


async def taken(limiter: LocalRateLimiter | SharedRateLimiter, times: int, name: str = "a") -> int:
    """Try so often, and count what was granted."""
    waits = [await limiter.take(name, FEW) for _ in range(times)]
    return waits.count(0.0)


# ---------------------------------------------------------------- one process


async def test_a_bucket_grants_its_burst_and_then_its_rate() -> None:
    """Three at once, then one each half second; the wait it names is enough."""
    ticks = Ticks()
    limiter = LocalRateLimiter(monotonic_s=ticks)

    assert await taken(limiter, 5) == 3
    wait_s = await limiter.take("a", FEW)
    assert wait_s == pytest.approx(0.5)
    ticks.now_s += wait_s
    assert await taken(limiter, 2) == 1


async def test_a_bucket_never_holds_more_than_its_burst() -> None:
    """Long silence saves up nothing beyond the burst."""
    ticks = Ticks()
    limiter = LocalRateLimiter(monotonic_s=ticks)
    await taken(limiter, 3)
    ticks.now_s += 3_600

    assert await taken(limiter, 10) == 3


async def test_buckets_do_not_share() -> None:
    """One subject's haste is not another's."""
    limiter = LocalRateLimiter(monotonic_s=Ticks())

    assert await taken(limiter, 5, "a") == 3
    assert await taken(limiter, 5, "b") == 3


@given(pauses=st.lists(st.floats(min_value=0, max_value=2), max_size=60))
async def test_no_timing_gets_more_than_burst_and_rate(pauses: list[float]) -> None:
    """In any time t at most burst + rate * t are granted, however they are spread."""
    ticks = Ticks()
    limiter = LocalRateLimiter(monotonic_s=ticks)
    started_s = ticks.now_s
    granted = 0
    for pause_s in pauses:
        ticks.now_s += pause_s
        granted += await taken(limiter, 2)
        assert granted <= FEW.burst + FEW.rate_per_s * (ticks.now_s - started_s) + 1e-6


async def test_only_so_many_names_are_kept() -> None:
    """Invented names fill no memory; those who just spent are remembered longest."""
    ticks = Ticks()
    limiter = LocalRateLimiter(monotonic_s=ticks, names_max=100)
    await taken(limiter, 3, "spender")
    for number in range(300):
        await limiter.take(f"name-{number}", FEW)

    assert len(limiter._full_at_s) <= 101
    assert await taken(limiter, 1, "spender") == 0


# ---------------------------------------------------------------- shared


@asynccontextmanager
async def running(prepared: PreparedValkey) -> AsyncIterator[None]:
    """Run the server while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *prepared.command, env=dict(prepared.environment), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while not await prepared.is_ready():  # noqa: ASYNC110 (another process sets no event)
                await asyncio.sleep(0.02)
        yield
    finally:
        process.send_signal(prepared.stop_signal)
        await process.wait()


@pytest.fixture
def valkey(tmp_path: Path) -> PreparedValkey:
    """A server that is not started yet."""
    return EmbeddedValkey(home=tmp_path / "valkey", port=free_port()).prepare()


@asynccontextmanager
async def store(valkey: PreparedValkey) -> AsyncIterator[redis.asyncio.Redis]:
    """Connect as a replica does."""
    client = open_store(valkey.url)
    try:
        yield client
    finally:
        await client.aclose()


async def test_replicas_share_one_bucket(valkey: PreparedValkey) -> None:
    """Two processes together grant what one bucket holds, and not twice as much."""
    async with running(valkey), store(valkey) as one, store(valkey) as two:
        first = SharedRateLimiter(one, commands=counters())
        second = SharedRateLimiter(two, commands=counters())
        granted = [await taken(first, 2), await taken(second, 2), await taken(first, 2)]

    assert sum(granted) == 3


async def test_a_shared_bucket_fills_at_its_rate(valkey: PreparedValkey) -> None:
    """The wait that it names is about right, by the server's clock."""
    async with running(valkey), store(valkey) as client:
        limiter = SharedRateLimiter(client, commands=counters())
        await taken(limiter, 3)
        wait_s = await limiter.take("a", FEW)
        assert 0.2 < wait_s <= 0.5
        await asyncio.sleep(wait_s + 0.02)
        assert await taken(limiter, 2) == 1


async def test_one_round_trip_serves_many_requests(valkey: PreparedValkey) -> None:
    """A replica leases what it will spend, so the store hears of few requests."""
    plenty = Allowance(rate_per_s=2_000.0, burst=4_000)
    commands = counters()
    async with running(valkey), store(valkey) as client:
        limiter = SharedRateLimiter(client, commands=commands)
        waits = await asyncio.gather(*(limiter.take("a", plenty) for _ in range(1_000)))

    assert set(waits) == {0.0}
    assert commands(COMMAND, "success").read() <= 10


async def test_a_lease_that_is_not_spent_is_forgotten(valkey: PreparedValkey) -> None:
    """What a replica holds back it holds for a second at most."""
    plenty = Allowance(rate_per_s=100.0, burst=100)
    ticks, commands = Ticks(), counters()
    async with running(valkey), store(valkey) as client:
        limiter = SharedRateLimiter(client, commands=commands, monotonic_s=ticks)
        await limiter.take("a", plenty)
        await limiter.take("a", plenty)
        asked = commands(COMMAND, "success").read()
        ticks.now_s += LEASE_S
        await limiter.take("a", plenty)

    assert (asked, commands(COMMAND, "success").read()) == (1, 2)


async def test_who_is_refused_does_not_make_the_store_work(valkey: PreparedValkey) -> None:
    """While a bucket is known to be empty nobody asks for it."""
    commands = counters()
    async with running(valkey), store(valkey) as client:
        limiter = SharedRateLimiter(client, commands=commands, monotonic_s=Ticks())
        await taken(limiter, 200)

    assert commands(COMMAND, "success").read() <= 5


async def test_a_full_bucket_leaves_no_key(valkey: PreparedValkey) -> None:
    """The store keeps only buckets that are not full: who stays away costs nothing."""
    quick = Allowance(rate_per_s=100.0, burst=100)
    async with running(valkey), store(valkey) as client:
        await SharedRateLimiter(client, commands=counters()).take("a", quick)
        expires_ms = await client.pttl("gx:rate:a")

    assert 0 < expires_ms <= 1_000


async def test_without_the_store_each_process_counts_for_itself(valkey: PreparedValkey) -> None:
    """Nobody is refused, nobody waits, and it is counted; limits still hold per process."""
    commands = counters()
    async with store(valkey) as client:
        limiter = SharedRateLimiter(client, commands=commands)
        granted = await taken(limiter, 10)

    assert granted == 3
    assert commands(COMMAND, "error").read() == 1


async def test_the_store_is_used_again_when_it_is_back(valkey: PreparedValkey) -> None:
    """After an outage it is tried again, a second later."""
    ticks, commands = Ticks(), counters()
    async with store(valkey) as client:
        limiter = SharedRateLimiter(client, commands=commands, monotonic_s=ticks)
        await limiter.take("a", FEW)
        async with running(valkey):
            await limiter.take("a", FEW)
            before = commands(COMMAND, "success").read()
            ticks.now_s += RETRY_AFTER_OUTAGE_S
            await limiter.take("a", FEW)

    assert (before, commands(COMMAND, "success").read()) == (0, 1)


# ---------------------------------------------------------------- at the edge


def a_strict_backend(folder: Path, *, subject: int = 1_000, address: int = 1_000) -> Backend:
    """Build an edge with these bursts and hardly any rate."""
    return build_backend(
        folder,
        settings=EdgeSettings(
            subject_allowance=Allowance(rate_per_s=0.1, burst=subject),
            address_allowance=Allowance(rate_per_s=0.1, burst=address),
        ),
    )


async def test_a_subject_that_sends_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    """429 RATE_LIMITED with Retry-After; nothing was stored; others are served."""
    backend = a_strict_backend(tmp_path, subject=2)
    async with backend.client("alice") as alice, backend.client("bob") as bob:
        answers = [await alice.post("/api/v1/transfers", json=TRANSFER) for _ in range(3)]
        other = await bob.get("/api/v1/users/bob")

    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json()["code"] == "RATE_LIMITED"
    assert 1 <= int(answers[2].headers["retry-after"]) <= 10
    assert other.status_code == 404
    assert len(backend.outbox.commands) == 2


async def test_two_tokens_of_a_subject_share_its_bucket(tmp_path: Path) -> None:
    """Issuing more tokens gets nobody more requests."""
    backend = a_strict_backend(tmp_path, subject=1)
    async with backend.client("shop", TokenRole.PARTNER) as one:
        await one.get("/api/v1/users/shop")
    async with backend.client("shop", TokenRole.USER) as two:
        response = await two.get("/api/v1/users/shop")

    assert response.status_code == 429


async def test_guessing_tokens_is_limited_by_address(tmp_path: Path) -> None:
    """Before anybody is known, the address spends; its neighbour does not."""
    backend = a_strict_backend(tmp_path, address=2)
    async with backend.anonymous({"Authorization": "Bearer x.y.z"}) as guesser:
        answers = [await guesser.get("/api/v1/users/alice") for _ in range(3)]
    neighbour = Conversation(backend.app, "GET", "/api/v1/supply")
    await neighbour.run()

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert neighbour.status == 404


async def test_who_is_known_does_not_spend_the_addresss_bucket(tmp_path: Path) -> None:
    """Behind one address many may work, once their tokens are known."""
    backend = a_strict_backend(tmp_path, address=1)
    async with backend.client("alice") as alice:
        answers = [await alice.get("/api/v1/users/alice") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {404}


async def test_a_replica_keeps_only_so_many_leases(valkey: PreparedValkey) -> None:
    """Invented names fill no memory on this side either."""
    async with running(valkey), store(valkey) as client:
        limiter = SharedRateLimiter(client, commands=counters(), names_max=10)
        for number in range(25):
            await limiter.take(f"name-{number}", FEW)

    assert len(limiter._leases) <= 11
