"""Sends on a fixed schedule, whether or not the system keeps up: an open loop."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from gx.operations.load.delivery import Accepted, Delivery, Refused
from gx.operations.load.following import EXAMPLES_MAX, FollowedCommand, Follower
from gx.operations.load.latency import Latencies
from gx.operations.load.population import Call
from gx.operations.load.requests import RequestWriter
from gx.operations.load.sampling import LatencySampler, sampling_stride

WAITING_MAX: Final = 20_000
"""With more requests than this unanswered the system is far behind; sending more says nothing."""


class OpenLoop:
    """Sends each call when it is due and measures from then on.

    Latency counts from the moment a request was due, not from when a connection was free for it:
    a stall shows in every request that it delayed, not only in the one that met it.
    """

    def __init__(
        self,
        *,
        delivery: Delivery,
        writer: RequestWriter,
        follower: Follower,
        sampler: LatencySampler,
        run: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._delivery = delivery
        self._writer = writer
        self._follower = follower
        self._sampler = sampler
        self._run = run
        self._monotonic = monotonic
        self.sent = 0
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        self.refusals: list[str] = []
        self.accept_latencies = Latencies()
        self.has_given_up = False

    @property
    def waiting_count(self) -> int:
        """Tell how many requests are without an answer."""
        return self.sent - self.accepted - self.refused.total()

    async def send_all(self, calls: Iterable[Call], *, rate_per_s: float) -> None:
        """Send the calls at the rate and return when each has its answer and its sample."""
        stride = sampling_stride(rate_per_s)
        start_s = self._monotonic()
        async with asyncio.TaskGroup() as group:
            for index, call in enumerate(calls):
                due_s = start_s + index / rate_per_s
                # Also when late: the answers must be read meanwhile.
                await asyncio.sleep(max(0.0, due_s - self._monotonic()))
                if self.waiting_count >= WAITING_MAX:
                    self.has_given_up = True
                    break
                self.sent += 1
                work = self._send(call, index, due_s, is_sampled=index % stride == 0)
                group.create_task(work)

    async def _send(self, call: Call, index: int, due_s: float, *, is_sampled: bool) -> None:
        request = self._writer.command(call, f"load-{self._run}-{index}")
        match await self._delivery.deliver(request):
            case Accepted(command_id):
                self.accepted += 1
                self.accept_latencies.add(self._monotonic() - due_s)
                self._follower.follow(FollowedCommand(command_id, call.kind))
                if is_sampled and call.kind.expected_refusal is None:
                    await self._sampler.measure(command_id, due_s=due_s)
            case Refused(code, detail):
                self.refused[code] += 1
                if len(self.refusals) < EXAMPLES_MAX:
                    self.refusals.append(f"{call.kind}: {code}: {detail}")
