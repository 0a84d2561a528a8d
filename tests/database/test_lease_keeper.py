"""Keeping a lease: renewed in time, and given up for lost when it may be somebody else's."""

import asyncio

import pytest
from typing_extensions import override

from gx.database.lease_keeper import LeaseKeeper
from gx.database.ports import DatabaseUnavailableError, Lease, LeaseLostError, Leases

A_LEASE = Lease(name="l", holder="h", epoch=3)


KEPT, LOST = "kept", "lost"


class ScriptedLeases(Leases):
    """Answers renewals as a test says; the last answer stays."""

    def __init__(self, *answers: str | Exception) -> None:
        self._answers = list(answers)
        self.renewals = 0

    @override
    async def acquire(self, name: str, holder: str, *, ttl_s: float) -> Lease | None:
        return None

    @override
    async def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        self.renewals += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer == KEPT

    @override
    async def release(self, lease: Lease) -> None:
        return


class HangingLeases(ScriptedLeases):
    """Never answers: a partition."""

    @override
    async def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        await asyncio.Event().wait()
        return True


async def test_it_renews_three_times_in_each_term() -> None:
    """One lost renewal costs nothing."""
    leases = ScriptedLeases(KEPT)
    keeping = asyncio.create_task(LeaseKeeper(leases, A_LEASE, lease_s=0.06).run())
    await asyncio.sleep(0.2)

    assert not keeping.done()
    assert 5 <= leases.renewals <= 12
    keeping.cancel()


async def test_a_lease_that_was_taken_over_is_lost_at_once() -> None:
    """The database said so."""
    with pytest.raises(LeaseLostError):
        await LeaseKeeper(ScriptedLeases(KEPT, LOST), A_LEASE, lease_s=0.06).run()


async def test_a_short_outage_is_survived() -> None:
    """As long as the term has not run out the lease cannot be another's."""
    away = DatabaseUnavailableError("restarting")
    leases = ScriptedLeases(KEPT, away, KEPT, away, KEPT)
    keeping = asyncio.create_task(LeaseKeeper(leases, A_LEASE, lease_s=0.3).run())
    await asyncio.sleep(0.7)

    assert not keeping.done()
    keeping.cancel()


@pytest.mark.parametrize(
    "leases", [ScriptedLeases(DatabaseUnavailableError("gone")), HangingLeases(KEPT)]
)
async def test_without_a_renewal_for_a_whole_term_it_is_lost(leases: Leases) -> None:
    """By then somebody else may hold it: a partitioned holder stops by itself."""
    async with asyncio.timeout(2):
        with pytest.raises(LeaseLostError):
            await LeaseKeeper(leases, A_LEASE, lease_s=0.1).run()
