"""How a rule's test is said: series from declared metrics, moments, and how many alerts fire."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from gx.monitoring.model import Alert
from gx.monitoring.selectors import PromqlError, Series, check, is_, labels_of

NAMESPACE: Final = "backend-devnet"
OTHER: Final = "backend-testnet"
PER_MINUTE: Final = 4

Line: TypeAlias = tuple[str, str]
Lines: TypeAlias = Sequence[Line]
Check: TypeAlias = tuple[int, int]


class Kind(StrEnum):
    """What a case shows. Every alert has the first three."""

    FIRES = "fires just over"
    SILENT = "is silent just under"
    RESOLVES = "resolves"
    TRAP = "passes a trap"
    MORE = "shows more"


class Trap(StrEnum):
    """The ways in which rules like these have failed before."""

    NO_TRAFFIC = "no traffic"
    NEVER_CREATED = "a series that was never created"
    FROZEN_GAUGE = "a hung exporter with a frozen gauge"
    COUNTER_RESET = "a counter reset"
    REPLICAS = "replicas exporting the same gauge"
    OTHER_IS_BUSY = "one environment failing while another is busy"
    DRAINING = "draining the queue"
    EMPTY_POOL = "a pool of 0 of 0"
    UNLIMITED_MEMORY = "unlimited memory"
    LONG_POLLS = "long polls"
    PROBES = "probes masking a slow API"
    ONE_FAILURE = "one failure in an idle environment"
    NOT_DEPLOYED = "an environment that nobody deployed"
    CATCH_UP = "catching up for ten minutes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test: these series, and how many times the alert fires after so many minutes."""

    alert: Alert
    kind: Kind
    lines: Lines
    checks: Sequence[Check]
    trap: Trap | None = None
    says: str = ""
    step_s: int = field(default=15)

    @property
    def name(self) -> str:
        """What it shows, for people."""
        return f"{self.alert.name} {self.kind}: {self.says or self.trap or 'at its threshold'}"


def line(series: Series, values: str, suffix: str = "", **labels: str) -> Line:
    """Write one input series of a declared metric, in the tested namespace unless said otherwise.

    Raises:
        PromqlError: The metric is not declared with such a label or value.
    """
    known = labels_of(series) | ({"le"} if suffix == "_bucket" else set())
    if "namespace" in known:
        labels = {"namespace": NAMESPACE} | labels
    for name, value in labels.items():
        check(is_(name, value), series, known)
    pairs = ",".join(f'{name}="{value}"' for name, value in labels.items() if value)
    if not values:
        raise PromqlError(f"{series.name}: say its values")
    return f"{series.name}{suffix}{{{pairs}}}", values


def hold(value: float, minutes: float, per_minute: int = PER_MINUTE) -> str:
    """Stay at a value; one sample more than steps when it comes first."""
    return f"{value:.12g}+0x{round(minutes * per_minute) - 1}"


def grow(step: float, minutes: float, start: float = 0, per_minute: int = PER_MINUTE) -> str:
    """Grow by `step` with every sample."""
    return f"{start:.12g}+{step:.12g}x{round(minutes * per_minute) - 1}"


def at_threshold(
    alert: Alert,
    lines: Callable[[str], Lines],
    *,
    over: float,
    under: float,
    firing: int = 1,
) -> list[Case]:
    """Make the three cases of an alert on a gauge: over and under its threshold, and over again."""
    since = alert.for_s // 60 + 4
    end = since + 6
    return [
        Case(alert=alert, kind=Kind.FIRES, lines=lines(hold(over, end)), checks=[(since, firing)]),
        Case(alert=alert, kind=Kind.SILENT, lines=lines(hold(under, end)), checks=[(since, 0)]),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=lines(f"{hold(over, since + 1)} {hold(under, 8)}"),
            checks=[(since, firing), (end, 0)],
        ),
    ]


def at_rate(
    alert: Alert,
    lines: Callable[[str], Lines],
    *,
    over: float,
    under: float,
    minutes: int = 15,
    window_min: int = 5,
) -> list[Case]:
    """Make the three cases of an alert on a counter's growth per sample."""
    stop = over * (minutes * PER_MINUTE - 1)
    quiet = window_min + 3
    return [
        Case(
            alert=alert,
            kind=Kind.FIRES,
            lines=lines(grow(over, minutes + 1)),
            checks=[(minutes, 1)],
        ),
        Case(
            alert=alert,
            kind=Kind.SILENT,
            lines=lines(grow(under, minutes + 1)),
            checks=[(minutes, 0)],
        ),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=lines(f"{grow(over, minutes)} {hold(stop, quiet + 1)}"),
            checks=[(minutes - 1, 1), (minutes + quiet, 0)],
        ),
    ]


def trap(alert: Alert, which: Trap, lines: Lines, *checks: Check, says: str = "") -> Case:
    """Make a case for a named trap."""
    name = f"{which}{', ' if says else ''}{says}"
    return Case(alert=alert, kind=Kind.TRAP, trap=which, lines=lines, checks=checks, says=name)


def more(alert: Alert, says: str, lines: Lines, *checks: Check) -> Case:
    """Make a case for something else worth showing."""
    return Case(alert=alert, kind=Kind.MORE, lines=lines, checks=checks, says=says)
