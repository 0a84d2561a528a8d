"""Faults of what is not on this machine: stand-ins say that it has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from gx.monitoring.jobs import SAMPLES_MAX
from gx.monitoring.thresholds import RECONCILIATION_OVERDUE
from gx.proof.drills.numbers import HEIGHT, Sayings, backend, healthy, orderer, peer, redis
from gx.proof.drills.playground import Playground
from gx.proof.drills.spoken import Statement
from gx.proof.drills.voices import BACKEND, ORDERER, PEER, REDIS, SECOND
from gx.telemetry.catalogue.every_process import RECONCILIATION_AGE
from gx.telemetry.catalogue.write_path import OUTBOX_WORKER_ACTIVE, OUTBOX_WORKER_STATUS

_BEHIND: Final = 50
_FLOODED: Final = round(0.85 * SAMPLES_MAX)


@asynccontextmanager
async def _saying(play: Playground, sayings: Sayings) -> AsyncIterator[None]:
    await _say(play, sayings)
    try:
        yield
    finally:
        well = healthy()
        await _say(play, {name: well[name] for name in sayings})


async def _say(play: Playground, sayings: Sayings) -> None:
    for name, statements in sayings.items():
        await play.stack.say(name, statements)


@asynccontextmanager
async def numbers_sick(play: Playground) -> AsyncIterator[None]:
    """Let every stand-in but the cache's say what is wrong.

    A peer is behind, fails to endorse and finds transactions invalid, no orderer leads, a
    certificate expires soon, a disk is nearly full, a replica lags, a worker's loop has stopped,
    and comparing does not come to its end.
    """
    things = backend(expires_days=3, disk_left=0.05, replica_lag_s=300.0)
    sayings: Sayings = {
        PEER: peer(height=HEIGHT - _BEHIND, invalid=2.0, failed=2.0),
        ORDERER: orderer(leads=0.0),
        BACKEND: [
            *things,
            Statement(OUTBOX_WORKER_STATUS.name, 0.0),
            Statement(RECONCILIATION_AGE.name, 2 * RECONCILIATION_OVERDUE.default),
        ],
    }
    async with _saying(play, sayings):
        yield


@asynccontextmanager
async def two_active(play: Playground) -> AsyncIterator[None]:
    """Let two workers say that they hold the same lease."""
    claims = [Statement(OUTBOX_WORKER_ACTIVE.name, 1.0, {"worker": each}) for each in ("a", "b")]
    async with _saying(play, {SECOND: claims}):
        yield


@asynccontextmanager
async def samples_flooded(play: Playground) -> AsyncIterator[None]:
    """Let a label run away, to more than four fifths of the samples that its job may have."""
    async with _saying(play, {REDIS: redis(_FLOODED)}):
        yield
