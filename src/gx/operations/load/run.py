"""One run of the load generator: prepare, send on schedule, follow to the end, check the books."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Final

from gx.client.retry import DEFAULT_POLICY
from gx.operations.credentials import Credentials
from gx.operations.load.books import Books, check_books
from gx.operations.load.connection import ConnectionPool, parse_endpoint
from gx.operations.load.delivery import Delivery, Refused
from gx.operations.load.following import FollowedCommand, Follower
from gx.operations.load.pacing import OpenLoop
from gx.operations.load.plan import LoadPlan, LoadRefusedError
from gx.operations.load.population import Call, Population
from gx.operations.load.report import LoadReport
from gx.operations.load.requests import RequestWriter
from gx.operations.load.sampling import LatencySampler
from gx.operations.load.verdict import Counted, build_report

_SAMPLE_CONNECTIONS: Final = 64
_PREPARING_TASKS: Final = 32
_PROGRESS_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """A moment of a run, for a progress line: `open` commands are accepted and not yet final."""

    phase: str
    done: int
    total: int
    open: int
    refused: int
    waiting: int


class LoadRun:
    """Runs one plan against one API; `observe` is told how it goes, twice a second."""

    def __init__(
        self,
        plan: LoadPlan,
        *,
        base_url: str,
        credentials: Credentials,
        books: Books,
        observe: Callable[[LoadProgress], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        endpoint = parse_endpoint(base_url)
        self._plan = plan
        self._books = books
        self._observe = observe
        self._monotonic = monotonic
        self._population = Population(run=secrets.token_hex(4), mix=plan.mix, total=plan.total)
        self._writer = RequestWriter(endpoint, credentials)
        self._pool = ConnectionPool(endpoint, size=plan.connections)
        self._side_pool = ConnectionPool(endpoint, size=_SAMPLE_CONNECTIONS)

    async def execute(self) -> LoadReport:
        """Run it and check the result.

        Raises:
            LoadRefusedError: what the load needs could not be prepared.
        """
        try:
            await self._prepare()
            counted = await self._send()
            is_complete = counted.loop.accepted == self._plan.total
            books = await check_books(self._books, self._population, is_complete=is_complete)
            return build_report(counted, books)
        finally:
            self._pool.close()
            self._side_pool.close()

    async def _prepare(self) -> None:
        """Fund the wallets and create the users, and wait until they are on the ledger."""
        calls = list(self._population.preparation())
        # What is not there at the start will hardly come: no such patience as under way.
        delivery, follower = Delivery(self._pool, patience=DEFAULT_POLICY), self._follower()
        queue = iter(enumerate(calls))
        workers = (
            self._prepare_some(queue, delivery, follower)
            for _ in range(min(_PREPARING_TASKS, self._plan.connections))
        )
        async with _in_background(self._report_preparing(follower, len(calls))):
            await asyncio.gather(*workers)
            is_drained = await follower.drain(timeout_s=self._plan.drain_s)
        if not is_drained or follower.outcomes.surprises:
            reason = next(iter(follower.outcomes.surprises), f"{follower.open_count} are not done")
            raise LoadRefusedError(f"the load's wallets and users could not be prepared: {reason}")

    async def _prepare_some(
        self, queue: Iterator[tuple[int, Call]], delivery: Delivery, follower: Follower
    ) -> None:
        for index, call in queue:
            key = f"load-{self._population.run}-prepare-{index}"
            outcome = await delivery.deliver(self._writer.command(call, key))
            if isinstance(outcome, Refused):
                raise LoadRefusedError(
                    f"the load could not be prepared: {call.command_type} was refused with "
                    f"{outcome.code}: {outcome.detail}"
                )
            follower.follow(FollowedCommand(outcome.command_id, call.kind))

    async def _send(self) -> Counted:
        delivery, follower = Delivery(self._pool), self._follower()
        sampler = LatencySampler(
            pool=self._side_pool, writer=self._writer, monotonic=self._monotonic
        )
        loop = OpenLoop(
            delivery=delivery,
            writer=self._writer,
            follower=follower,
            sampler=sampler,
            run=self._population.run,
            monotonic=self._monotonic,
        )
        started_s = self._monotonic()
        async with _in_background(self._report_sending(loop, follower)):
            async with _in_background(follower.run()):
                await loop.send_all(self._population.calls(), rate_per_s=self._plan.rate_per_s)
            duration_s = self._monotonic() - started_s
            await follower.drain(timeout_s=self._plan.drain_s)
        return Counted(
            run=self._population.run,
            plan=self._plan,
            loop=loop,
            delivery=delivery,
            follower=follower,
            sampler=sampler,
            duration_s=duration_s,
        )

    def _follower(self) -> Follower:
        return Follower(pool=self._side_pool, writer=self._writer, rate_per_s=self._plan.rate_per_s)

    async def _report_preparing(self, follower: Follower, total: int) -> None:
        while True:
            done = follower.outcomes.counts.total()
            self._observe(
                LoadProgress(
                    phase="preparing",
                    done=done,
                    total=total,
                    open=follower.open_count,
                    refused=0,
                    waiting=0,
                )
            )
            await asyncio.sleep(_PROGRESS_S)

    async def _report_sending(self, loop: OpenLoop, follower: Follower) -> None:
        while True:
            self._observe(
                LoadProgress(
                    phase="sending" if loop.sent < self._plan.total else "finishing",
                    done=loop.sent,
                    total=self._plan.total,
                    open=follower.open_count,
                    refused=loop.refused.total(),
                    waiting=loop.waiting_count,
                )
            )
            await asyncio.sleep(_PROGRESS_S)


@contextlib.asynccontextmanager
async def _in_background(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Let `work` run beside the block and end with it; its failure is raised at the end."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
