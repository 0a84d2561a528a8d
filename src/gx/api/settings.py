"""The edge's limits as values; `gx.runtime` reads them from the environment."""

from dataclasses import dataclass, field
from typing import Final

API_PREFIX: Final = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A token bucket: `rate_per_s` requests a second for ever, `burst` at once."""

    rate_per_s: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeSettings:
    """Every limit of the edge. Sizes in bytes, times in seconds."""

    body_bytes_max: int = 65_536
    body_within_s: float = 20.0
    """A body that takes longer holds a place that others wait for."""
    headers_max: int = 64
    header_bytes_max: int = 16_384
    subject_allowance: Allowance = field(
        default_factory=lambda: Allowance(rate_per_s=2_000.0, burst=4_000)
    )
    """For each token's subject."""
    address_allowance: Allowance = field(
        default_factory=lambda: Allowance(rate_per_s=500.0, burst=1_000)
    )
    """For each client address, while nobody has proven who asks."""
    page_default: int = 50
    page_max: int = 200
    lookup_max: int = 500
    """Most commands in one question."""
    wait_timeout_default_s: float = 10.0
    wait_timeout_max_s: float = 30.0
    waits_max: int = 20_000
    streams_max: int = 1_000
    stream_duration_max_s: float = 900.0
    """A client that still wants to know opens a new stream."""
    heartbeat_s: float = 15.0
    """A comment this often keeps proxies from cutting a silent stream."""
