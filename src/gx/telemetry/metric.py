"""What a metric is: the vocabulary in which the catalogue is written.

Plain values. They say what a number is called, what it means and who exports it; they measure
nothing and import no client library.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How a number behaves, in Prometheus' words."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Unit(StrEnum):
    """What one step of a number is."""

    COUNT = "count"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    TIMESTAMP_SECONDS = "seconds since the Unix epoch"
    BYTES = "bytes"
    CORES = "cores"
    STATE = "state"
    BASE_UNITS = "base units"


class Process(StrEnum):
    """Who exports a metric; the value is also the scrape target's `service` label."""

    SUBMITTER = "outbox-submitter"
    PROJECTOR = "projector"
    API = "api"
    LEDGER = "ledger"
    CHAINCODE = "chaincode"
    DEADMAN = "deadman"


class Condition(StrEnum):
    """Why a declared metric may rightly have no data; the value is the reason people read."""

    REDIS = "only where Redis or Valkey is configured"
    CERTIFICATES = "only with a ledger whose identities are X.509 certificates"
    FABRIC = "only where the nodes of a Fabric network are scraped"


class ValueSource(StrEnum):
    """Who knows a label's values when the catalogue cannot list them itself."""

    COMMAND_TYPES = "command types"
    REFUSAL_CODES = "refusal codes"
    EVENT_TYPES = "event types"
    ROUTES = "route templates"
    SERVICE = "the exporting process"
    CHANNEL = "the configured channel"
    IDENTITIES = "the configured identities"
    CONTRACTS = "contract names"
    FUNCTIONS = "contract functions"
    REDIS_COMMANDS = "the Redis commands in use"
    BUILD = "the running build"


@dataclass(frozen=True, slots=True)
class Label:
    """One dimension of a metric.

    Exactly one of `values` and `source` says which values there are. A value that nobody
    declared counts as `fallback`; without one it is a programming error.
    """

    name: str
    values: tuple[str, ...] = ()
    source: ValueSource | None = None
    fallback: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One declared metric.

    `alias_of` names the metric whose numbers this one repeats, each divided by
    `alias_divisor`. `unit_exception` says why a name may break the naming rules.
    `stale_after_s` is how long a gauge that was set stays exported without being set again.
    `by_client_library` marks what prometheus_client exports by itself.
    """

    name: str
    kind: Kind
    help: str
    unit: Unit
    processes: frozenset[Process]
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    alias_of: "Metric | None" = None
    alias_divisor: int = 1
    unit_exception: str | None = None
    condition: Condition | None = None
    stale_after_s: float | None = None
    by_client_library: bool = False

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in the order in which instruments take their values."""
        return tuple(label.name for label in self.labels)

    @property
    def series_names(self) -> tuple[str, ...]:
        """Every sample name that a scrape of this metric yields."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(self.name + suffix for suffix in HISTOGRAM_SUFFIXES)
        return (self.name,)


HISTOGRAM_SUFFIXES: Final = ("_bucket", "_count", "_sum")


def repeat(primary: Metric, name: str, *, unit: Unit | None = None, divisor: int = 1) -> Metric:
    """Declare a second name for a metric's numbers, divided by `divisor` if the unit differs."""
    return replace(
        primary,
        name=name,
        help=f"The same as {primary.name}, under its other name.",
        unit=unit or primary.unit,
        buckets=tuple(bound / divisor for bound in primary.buckets),
        alias_of=primary,
        alias_divisor=divisor,
        unit_exception=None,
    )
