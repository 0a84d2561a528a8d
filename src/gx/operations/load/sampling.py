"""Measures commit and projection latency on a sample, as a waiting client sees it."""

import time
from collections.abc import Callable
from typing import Final

from gx.domain.command_status import CommandStatus
from gx.operations.load.connection import ConnectionLostError, ConnectionPool
from gx.operations.load.delivery import read_object
from gx.operations.load.latency import Latencies
from gx.operations.load.requests import RequestWriter

SAMPLES_PER_S: Final = 20
WAIT_S: Final = 25

_REACHED: Final = {
    CommandStatus.COMMITTED: {CommandStatus.COMMITTED.value, CommandStatus.PROJECTED.value},
    CommandStatus.PROJECTED: {CommandStatus.PROJECTED.value},
}


def sampling_stride(rate_per_s: float) -> int:
    """Choose every how-many-eth request is measured.

    The choice depends on the schedule alone, never on how the system answers, so that slow
    moments are not measured less often than fast ones (coordinated omission).
    """
    return max(1, round(rate_per_s / SAMPLES_PER_S))


class LatencySampler:
    """Waits for sampled commands, in turns for COMMITTED and PROJECTED, by long poll."""

    def __init__(
        self,
        *,
        pool: ConnectionPool,
        writer: RequestWriter,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._writer = writer
        self._monotonic = monotonic
        self._turn = 0
        self.committed = Latencies()
        self.projected = Latencies()

    async def measure(self, command_id: str, *, due_s: float) -> None:
        """Wait for the command and record how long after `due_s` it got there.

        A command that is refused, or does not get there within 25 s, gives no measurement: the
        follower reports it.
        """
        self._turn += 1
        wanted, latencies = (
            (CommandStatus.COMMITTED, self.committed)
            if self._turn % 2
            else (CommandStatus.PROJECTED, self.projected)
        )
        question = self._writer.wait(command_id, wanted, timeout_s=WAIT_S)
        try:
            reply = await self._pool.exchange(question, extra_wait_s=WAIT_S)
        except ConnectionLostError:
            return
        if read_object(reply).get("status") in _REACHED[wanted]:
            latencies.add(self._monotonic() - due_s)
