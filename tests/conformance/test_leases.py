"""What every Leases promises: one holder at a time, a higher epoch for each, by one clock."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gx.database.connections import ConnectionSettings
from gx.database.leases import MemoryLeases, PostgresLeases
from gx.database.ports import Lease, Leases
from gx.runtime.clock import SystemClock


@pytest.fixture(params=["memory", "postgres"])
async def leases(request: pytest.FixtureRequest) -> AsyncIterator[Leases]:
    """Leases by a clock that runs."""
    if request.param == "memory":
        yield MemoryLeases(SystemClock())
        return
    dsn = request.getfixturevalue("database_dsn")
    opened = PostgresLeases(ConnectionSettings(dsn=dsn, application_name="gx-test"))
    yield opened
    await opened.close()


async def acquire(leases: Leases, holder: str, ttl_s: float = 60) -> Lease:
    """Take a lease that must be free."""
    lease = await leases.acquire("submitter:c", holder, ttl_s=ttl_s)
    assert lease is not None
    return lease


async def test_a_held_lease_is_not_given_to_another(leases: Leases) -> None:
    """One active worker a role and channel; another channel's is another lease."""
    await acquire(leases, "one")

    assert await leases.acquire("submitter:c", "two", ttl_s=60) is None
    assert await leases.acquire("submitter:d", "two", ttl_s=60) is not None


async def test_an_expired_lease_is_taken_over_with_a_higher_epoch(leases: Leases) -> None:
    """The old holder cannot renew it any more."""
    old = await acquire(leases, "one", ttl_s=0.05)
    await asyncio.sleep(0.1)

    new = await acquire(leases, "two")

    assert new.epoch > old.epoch
    assert not await leases.renew(old, ttl_s=60)
    assert await leases.renew(new, ttl_s=60)


async def test_a_renewed_lease_outlives_its_first_term(leases: Leases) -> None:
    """As long as it is renewed nobody else gets it."""
    lease = await acquire(leases, "one", ttl_s=0.1)
    for _ in range(4):
        await asyncio.sleep(0.05)
        assert await leases.renew(lease, ttl_s=0.2)

    assert await leases.acquire("submitter:c", "two", ttl_s=60) is None


async def test_an_expired_lease_that_nobody_took_may_be_renewed(leases: Leases) -> None:
    """A pause in which nobody else appeared costs nothing."""
    lease = await acquire(leases, "one", ttl_s=0.02)
    await asyncio.sleep(0.05)

    assert await leases.renew(lease, ttl_s=60)
    assert await leases.acquire("submitter:c", "two", ttl_s=60) is None


async def test_a_released_lease_is_free_at_once(leases: Leases) -> None:
    """A clean stop lets the standby take over without waiting."""
    lease = await acquire(leases, "one")

    await leases.release(lease)

    assert (await acquire(leases, "two")).epoch > lease.epoch


async def test_releasing_a_lost_lease_takes_nothing_from_its_new_holder(leases: Leases) -> None:
    """A late clean-up must not free what is not its own any more."""
    old = await acquire(leases, "one", ttl_s=0.02)
    await asyncio.sleep(0.05)
    new = await acquire(leases, "two")

    await leases.release(old)

    assert await leases.acquire("submitter:c", "three", ttl_s=60) is None
    assert await leases.renew(new, ttl_s=60)


async def test_a_restarted_holder_gets_its_lease_back_with_a_new_epoch(leases: Leases) -> None:
    """It need not wait for its own former self, which is fenced out."""
    former = await acquire(leases, "one")

    again = await acquire(leases, "one")

    assert again.epoch > former.epoch
    assert not await leases.renew(former, ttl_s=60)


async def test_of_many_that_ask_at_once_one_gets_it(leases: Leases) -> None:
    """Also at the very moment at which it is free."""
    answers = await asyncio.gather(
        *(leases.acquire("submitter:c", f"holder-{index}", ttl_s=60) for index in range(8))
    )

    assert sum(answer is not None for answer in answers) == 1
