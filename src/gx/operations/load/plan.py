"""How much a run sends, within bounds."""

import math
from dataclasses import dataclass
from typing import Final

from gx.domain.errors import GxError
from gx.operations.load.mix import Mix

RATE_MAX_PER_S: Final = 20_000
DURATION_MAX_S: Final = 86_400
REQUESTS_MAX: Final = 2_000_000
CONNECTIONS_MAX: Final = 512


class LoadRefusedError(GxError):
    """The run was not started: its size is out of bounds, or its preparation failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """The size of a run. `drain_s` bounds the wait for the last command at its end."""

    rate_per_s: float
    duration_s: float
    mix: Mix
    connections: int = 32
    drain_s: float = 120.0

    def __post_init__(self) -> None:
        """Keep the run within bounds.

        Raises:
            LoadRefusedError: naming the bound.
        """
        _require("rate", self.rate_per_s, RATE_MAX_PER_S, "requests a second")
        _require("duration", self.duration_s, DURATION_MAX_S, "seconds")
        _require("number of requests (rate x duration)", self.total, REQUESTS_MAX)
        _require("number of connections", self.connections, CONNECTIONS_MAX)

    @property
    def total(self) -> int:
        """Return how many requests the run consists of."""
        return round(self.rate_per_s * self.duration_s)


def _require(what: str, value: float, maximum: int, unit: str = "") -> None:
    if not (math.isfinite(value) and 0 < value <= maximum):
        raise LoadRefusedError(
            f"the {what} must be more than 0 and at most {maximum} {unit}".rstrip()
            + f", got {value:g}"
        )
