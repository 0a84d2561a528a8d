"""One system, and everything that is measured of it in a round."""

from dataclasses import dataclass
from itertools import count
from typing import Final

import msgspec
import psutil

from benchmarks.driver import Driver, drive_closed, driving
from benchmarks.figures import Percentiles
from benchmarks.http_load import LoadPlan, LoadResult, run_load
from benchmarks.stack import API, PROJECTOR, SUBMITTER, Loop, Server
from benchmarks.storage import measure_storage
from benchmarks.timeline import Journey, journey, now_ms, until_done
from benchmarks.transfers import ACCOUNTS
from benchmarks.wal import Written

WARM_UP_S: Final = 0.5

WAL_BYTES: Final = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"

seeds: Final = count(1)
"""No two loads of a run have the same: idempotency keys are made of it."""


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """How much is sent to a system in a round."""

    post_s: float
    transfers: int
    connections: int


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One system's figures of one round."""

    accepted_per_s: float
    accept: Percentiles
    inserted_per_s: float
    claimed_per_s: float
    committed_per_s: float
    projected_per_s: float
    http_projected_per_s: float
    cpu_us: dict[str, float]
    """CPU time for each command of the closed loop, by process; the driver's own included."""
    http_cpu_us: dict[str, float]
    """The same with the commands sent over HTTP; `client` is the sending process."""
    wal_bytes: float
    """What the closed loop writes to the server's log for each command."""
    insert_log: Written | None = None
    """What putting a command in writes to it. Figures of an older benchmark lack it."""


@dataclass(slots=True, kw_only=True)
class System:
    """A loop with so many accounts, whose submitter and projector run when they are measured."""

    server: Server
    loop: Loop
    accounts: int = ACCOUNTS

    async def measure(self, amount: Amount, token: str) -> Measured:
        """Measure everything once; submitter and projector are stopped before and after."""
        loop = self.loop
        async with driving(loop) as driver:
            storage = await measure_storage(
                driver, seed=next(seeds), count=amount.transfers, accounts=self.accounts
            )
            since_ms = await now_ms(loop)
            posted = await self.post(amount, token)
            await loop.start(SUBMITTER, PROJECTOR)
            await until_done(loop, since_ms)
            before_bytes = await self._wal_bytes()
            driven, cpu_us = await self._drive(driver, amount.transfers)
            wal_bytes = (await self._wal_bytes() - before_bytes) / amount.transfers
        through, http_cpu_us = await self._post_through(amount, token)
        await loop.stop(PROJECTOR, SUBMITTER)
        return Measured(
            accepted_per_s=posted.accepted_per_s,
            accept=posted.accept,
            inserted_per_s=storage.inserted_per_s,
            claimed_per_s=storage.claimed_per_s,
            committed_per_s=driven.committed_per_s,
            projected_per_s=driven.projected_per_s,
            http_projected_per_s=through.projected_per_s,
            cpu_us=cpu_us,
            http_cpu_us=http_cpu_us,
            wal_bytes=round(wal_bytes, 1),
            insert_log=storage.insert_log,
        )

    async def post(self, amount: Amount, token: str, *, port: int | None = None) -> LoadResult:
        """Send as fast as the API takes it, or another edge at this port."""
        plan = LoadPlan(
            port=port or self.loop.api_port,
            token=token,
            seed=next(seeds),
            connections=amount.connections,
            warm_up_s=WARM_UP_S,
            duration_s=amount.post_s,
            accounts=self.accounts,
        )
        return await run_load(plan)

    async def _drive(self, driver: Driver, transfers: int) -> tuple[Journey, dict[str, float]]:
        before = self._cpu_s()
        driven = await drive_closed(
            driver, seed=next(seeds), count=transfers, accounts=self.accounts
        )
        cpu_us = self._cpu_us(before, transfers)
        del cpu_us[API]  # idle here
        return driven, cpu_us

    async def _post_through(self, amount: Amount, token: str) -> tuple[Journey, dict[str, float]]:
        since_ms, before = await now_ms(self.loop), self._cpu_s()
        sent = await self.post(amount, token)
        await until_done(self.loop, since_ms)
        cpu_us = self._cpu_us(before, sent.accepted)
        del cpu_us["driver"]  # idle here
        cpu_us["client"] = round(sent.cpu_us_per_request, 1)
        return await journey(self.loop, since_ms), cpu_us

    async def _wal_bytes(self) -> float:
        """Return how much log the server has written so far."""
        return float(str(await self.loop.pool.fetch_value(WAL_BYTES)))

    def _cpu_us(self, before: dict[str, float], commands: int) -> dict[str, float]:
        after = self._cpu_s()
        return {name: round((after[name] - before[name]) / commands * 1e6, 1) for name in after}

    def _cpu_s(self) -> dict[str, float]:
        own = psutil.Process().cpu_times()
        return {
            **self.loop.cpu_s(),
            "postgresql": self.server.cpu_s(),
            "driver": own.user + own.system,
        }
