"""pgqueuer: put no-op jobs in, take them out, finish them. A peer's process; see `figures`.

Its performance guide's advice: `autovac` settings, durable tables, a connection of its own for the
queue manager, batches (which its log of finished jobs follows), uvloop.
"""

import asyncpg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode

from benchmarks.peers.figures import PeerFigures, PeerPlan, Stopwatch, answer, read_plan
from benchmarks.transfers import PAYLOAD

BATCH = 500
CONFIGURATION = (
    f"asyncpg, uvloop, durable tables, `pgq autovac`, batch_size={BATCH}, one worker in drain mode"
)


async def main(plan: PeerPlan) -> PeerFigures:
    """Measure the queue from an empty database on."""
    queries = Queries(AsyncpgDriver(await asyncpg.connect(plan.dsn)))
    await queries.install()
    await queries.optimize_autovacuum()
    watch = Stopwatch()
    for _ in range(plan.single):
        await queries.enqueue("noop", PAYLOAD)
    single_per_s = watch.per_s(plan.single)
    watch = Stopwatch()
    for first in range(0, plan.jobs, plan.bulk):
        size = min(plan.bulk, plan.jobs - first)
        await queries.enqueue(["noop"] * size, [PAYLOAD] * size, [0] * size)
    bulk_per_s = watch.per_s(plan.jobs)
    done, worked = 0, PgQueuer(AsyncpgDriver(await asyncpg.connect(plan.dsn)))

    @worked.entrypoint("noop")
    async def noop(_job: Job) -> None:
        nonlocal done
        done += 1

    watch = Stopwatch()
    await worked.run(batch_size=BATCH, mode=QueueExecutionMode.drain)
    figures = PeerFigures(
        configuration=CONFIGURATION,
        single_per_s=single_per_s,
        bulk_per_s=bulk_per_s,
        done_per_s=watch.per_s(done),
        cpu_us=watch.cpu_us(done),
    )
    if done != plan.jobs + plan.single:
        raise SystemExit(f"{plan.jobs + plan.single} jobs went in, {done} were done")
    return figures


if __name__ == "__main__":
    answer(uvloop.run(main(read_plan())))
