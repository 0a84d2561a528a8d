"""procrastinate: put no-op jobs in, take them out, finish them. A peer's process; see `figures`.

Its guide to production: an asynchronous worker with concurrency, a pool at least as large, and
finished jobs deleted, which spares them an update that nobody reads.
"""

import asyncio
from typing import Final

from procrastinate import App, PsycopgConnector

from benchmarks.peers.figures import PeerFigures, PeerPlan, Stopwatch, answer, read_plan
from benchmarks.transfers import PAYLOAD

CONCURRENCY: Final = 20
CONFIGURATION: Final = (
    f"psycopg 3 in C, concurrency={CONCURRENCY}, a pool as large, delete_jobs='always', one worker "
    "that ends when it has caught up"
)


async def main(plan: PeerPlan) -> PeerFigures:
    """Measure the queue from an empty database on."""
    connector = PsycopgConnector(conninfo=plan.dsn, min_size=4, max_size=CONCURRENCY + 2)
    app, done, payload = App(connector=connector), 0, {"payload": PAYLOAD.decode()}

    @app.task(name="noop")
    async def noop(payload: str) -> None:  # noqa: ARG001 (a job's argument has a name)
        nonlocal done
        done += 1

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        watch = Stopwatch()
        for _ in range(plan.single):
            await noop.defer_async(**payload)
        single_per_s = watch.per_s(plan.single)
        watch = Stopwatch()
        for first in range(0, plan.jobs, plan.bulk):
            size = min(plan.bulk, plan.jobs - first)
            await noop.batch_defer_async(*[payload] * size)
        bulk_per_s = watch.per_s(plan.jobs)
        watch = Stopwatch()
        await app.run_worker_async(wait=False, concurrency=CONCURRENCY, delete_jobs="always")
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
    answer(asyncio.run(main(read_plan())))
