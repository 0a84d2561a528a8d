"""How a submitter works. `gx.runtime.settings` reads the values; these are their defaults."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from gx.ledger.breaker import BreakerSettings
from gx.ledger.ports import Proposal
from gx.outbox.batching import Batching
from gx.outbox.retry import RetryPolicy
from gx.outbox.scheduling import BatchLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitterOptions:
    """One channel's submitter. `holder` tells this process apart from every other, past ones too.

    Where endorsing takes longer than `endorsing_target_s`, batches are made smaller than `batch`
    allows. `pending_max` bounds what waits in memory, `in_flight_max` the batches on their way
    (or `in_flight_alone_max` single commands, where batching is off). Between two looks at what is
    new lies `linger_s` at least: a batch costs the same for one command as for ten. A chaincode
    that knew no batches is tried again after `batches_again_s`. A verdict that the block stream
    does not bring within `verdict_timeout_s` is asked for. `probe` is evaluated to find out
    whether the ledger answers; `random` spreads the delays.
    """

    channel: str
    holder: str
    lease_s: float = 5.0
    batching: Batching = Batching.AUTO
    batch: BatchLimits = field(
        default_factory=lambda: BatchLimits(commands_max=1_000, bytes_max=1_000_000)
    )
    endorsing_target_s: float = 2.0
    in_flight_max: int = 2
    in_flight_alone_max: int = 64
    batches_again_s: float = 300.0
    pending_max: int = 20_000
    page_max: int = 2_000
    linger_s: float = 0.02
    poll_s: float = 0.25
    rescan_s: float = 5.0
    verdict_timeout_s: float = 10.0
    refused_for_good_s: float = 60.0
    drain_s: float = 20.0
    sample_s: float = 2.0
    maintain_s: float = 3_600.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    probe: Proposal | None = None
    random: Callable[[], float] = random.random

    @property
    def lease_name(self) -> str:
        """Return the name of the lease that the channel's submitters compete for."""
        return f"submitter:{self.channel}"
