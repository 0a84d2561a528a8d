"""Whether a soak was flat: rules over its samples, each with its reason.

The first quarter is warm-up. Memory and latencies are judged by their trend; what jumps, as a table
before and after autovacuum, by what its quarters have most of.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from benchmarks.figures import Percentiles
from benchmarks.soak_samples import HOT_TABLES, POSTGRESQL, Sample, Slice
from benchmarks.trend import chance_of_rise, slope

T = TypeVar("T")

RISE_MAX_MIB: Final = 1.0
RISE_PERIOD_S: Final = 600.0
SERVER_RISE_MAX_MIB: Final = 10.0
"""PostgreSQL is a dozen processes, each with its own caches of tables and plans."""
MEMORY_MAX_MIB: Final = 120.0
MEMORY_AFTER: Final = 1_000_000
"""Commands after which the limit on memory holds."""

FILES_RISE_MAX: Final = 4
LATENCY_RISE_MAX: Final = 0.25
CHANCE_MIN: Final = 0.01
"""Twelve latencies are judged: at this one healthy soak in ten or fewer is called rising."""
LATENCY_SLACK_MS: Final = {"p50": 1.0, "p95": 3.0, "p99": 10.0}
"""Below this a difference is the scheduler's."""

QUEUE_MAX_BYTES: Final = 10_000_000
GROWTH_RATIO_MAX: Final = 1.25
DEAD_SLACK: Final = 10_000
"""What autovacuum lets lie in the queue: its threshold."""
BYTES_SLACK: Final = 4_000_000
STUCK_MAX_MS: Final = 15_000
"""A lease and an interval: whatever waits longer is stuck."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One rule and what was found."""

    rule: str
    found: str
    limit: str
    is_flat: bool


class Soaked(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a soak noted. `left` are rows that still waited when it was over."""

    samples: list[Sample]
    slices: list[Slice]
    ended: list[str]
    left: int

    @property
    def commands(self) -> int:
        """Return how many commands were accepted."""
        return sum(one.accepted for one in self.slices)


def judge(soaked: Soaked) -> list[Finding]:
    """Apply every rule."""
    return [
        *_memory(soaked),
        *_open_files(soaked),
        *_latencies(soaked),
        *_tables(soaked),
        *_queue(soaked),
        *_answers(soaked),
    ]


def _memory(soaked: Soaked) -> Iterator[Finding]:
    samples = _after_warm_up(soaked.samples)
    window_s = samples[-1].at_s - samples[0].at_s
    periods = max(1.0, window_s / RISE_PERIOD_S)
    for name in samples[0].memory_mib:
        each_mib = SERVER_RISE_MAX_MIB if name == POSTGRESQL else RISE_MAX_MIB
        limit_mib = each_mib * periods
        points = [(one.at_s, one.memory_mib.get(name, 0.0)) for one in samples]
        rise_mib = slope(points) * window_s
        yield Finding(
            rule=f"memory of the {name}: rise over {window_s / 60:.0f} min",
            found=f"{rise_mib:+.2f} MiB, at {points[-1][1]:.0f} MiB",
            limit=f"<= {limit_mib:.2f} MiB",
            is_flat=rise_mib <= limit_mib,
        )
    if soaked.commands >= MEMORY_AFTER:
        for name, value in samples[-1].memory_mib.items():
            if name != POSTGRESQL:
                yield Finding(
                    rule=f"memory of the {name} after {soaked.commands:,} commands",
                    found=f"{value:.0f} MiB",
                    limit=f"<= {MEMORY_MAX_MIB:.0f} MiB",
                    is_flat=value <= MEMORY_MAX_MIB,
                )


def _open_files(soaked: Soaked) -> Iterator[Finding]:
    for name in soaked.samples[0].open_files:
        early, late = _quarters(soaked.samples, _open_files_of(name))
        yield Finding(
            rule=f"open files of the {name}: last quarter against the second",
            found=f"{late:.0f} against {early:.0f}",
            limit=f"<= {early + FILES_RISE_MAX:.0f}",
            is_flat=late <= early + FILES_RISE_MAX,
        )


def _latencies(soaked: Soaked) -> Iterator[Finding]:
    stages: dict[str, Callable[[Slice], Percentiles]] = {
        "accept": lambda one: one.accept,
        "commit": lambda one: one.committed,
        "projection": lambda one: one.projected,
        "read": lambda one: one.read,
    }
    slices = _after_warm_up(soaked.slices)
    window_s = slices[-1].at_s - slices[0].at_s
    for stage, of in stages.items():
        for name, slack_ms in LATENCY_SLACK_MS.items():
            percentile = _percentile_of(of, f"{name}_ms")
            points = [(one.at_s, percentile(one)) for one in slices]
            middle_ms = statistics.median(value for _, value in points)
            rise_ms, chance = slope(points) * window_s, chance_of_rise(points)
            limit_ms = max(middle_ms * LATENCY_RISE_MAX, slack_ms)
            yield Finding(
                rule=f"{stage} {name}: rise over {window_s / 60:.0f} min",
                found=f"{rise_ms:+.1f} ms, at {middle_ms:.1f} ms; by chance {chance:.0%}",
                limit=f"<= {limit_ms:.1f} ms, or chance >= {CHANCE_MIN:.0%}",
                is_flat=rise_ms <= limit_ms or chance >= CHANCE_MIN,
            )


def _tables(soaked: Soaked) -> Iterator[Finding]:
    """Tables whose rows come and go must not grow; what is stored may."""
    for name in HOT_TABLES:
        if name not in soaked.samples[-1].tables:
            continue
        early, late = _quarters(soaked.samples, _table_of(name, "dead"), of=max)
        limit = early * GROWTH_RATIO_MAX + _dead_slack(soaked, name)
        yield Finding(
            rule=f"dead rows in {name}: most of the last quarter against the second",
            found=f"{late:,.0f} against {early:,.0f}",
            limit=f"<= {limit:,.0f}",
            is_flat=late <= limit,
        )
        if name == "idempotency_keys":
            continue  # it is stored: a key for each command of the last day
        early, late = _quarters(soaked.samples, _table_of(name, "total_bytes"), of=max)
        limit = early * GROWTH_RATIO_MAX + BYTES_SLACK
        yield Finding(
            rule=f"size of {name}: most of the last quarter against the second",
            found=f"{late / 1e6:.1f} against {early / 1e6:.1f} MB",
            limit=f"<= {limit / 1e6:.1f} MB",
            is_flat=late <= limit,
        )


def _dead_slack(soaked: Soaked, name: str) -> float:
    """Autovacuum waits for a threshold, or for a fifth of a table: both are no leak."""
    return DEAD_SLACK + 0.2 * soaked.samples[-1].tables[name].live


def _queue(soaked: Soaked) -> Iterator[Finding]:
    samples = _after_warm_up(soaked.samples)
    largest = max(one.tables["outbox"].total_bytes for one in samples)
    yield Finding(
        rule="size of the queue, with its indexes",
        found=f"{largest / 1e6:.1f} MB",
        limit=f"< {QUEUE_MAX_BYTES / 1e6:.0f} MB",
        is_flat=largest < QUEUE_MAX_BYTES,
    )
    oldest_ms = max(one.oldest_ms for one in samples)
    yield Finding(
        rule="age of the oldest waiting command",
        found=f"{oldest_ms / 1_000:.1f} s",
        limit=f"<= {STUCK_MAX_MS / 1_000:.0f} s",
        is_flat=oldest_ms <= STUCK_MAX_MS,
    )
    early, late = _wal_per_command(soaked)
    yield Finding(
        rule="WAL a command: second half against the first after warm-up",
        found=f"{late:,.0f} against {early:,.0f} B",
        limit=f"<= {early * GROWTH_RATIO_MAX:,.0f} B",
        is_flat=late <= early * GROWTH_RATIO_MAX,
    )


def _wal_per_command(soaked: Soaked) -> tuple[float, float]:
    samples = _after_warm_up(soaked.samples)
    middle = samples[len(samples) // 2]
    return _wal_between(samples[0], middle), _wal_between(middle, samples[-1])


def _wal_between(first: Sample, last: Sample) -> float:
    commands = last.tables["commands"].inserted - first.tables["commands"].inserted
    return (last.wal_bytes - first.wal_bytes) / max(1, commands)


def _answers(soaked: Soaked) -> Iterator[Finding]:
    refused = sum(one.refused for one in soaked.slices)
    counts = (
        ("answers that were refused", refused),
        ("processes that ended by themselves", len(soaked.ended)),
        ("commands that still waited at the end", soaked.left),
    )
    for rule, count in counts:
        yield Finding(rule=rule, found=f"{count:,}", limit="0", is_flat=count == 0)


def _open_files_of(name: str) -> Callable[[Sample], float]:
    return lambda one: one.open_files.get(name, 0)


def _percentile_of(stage: Callable[[Slice], Percentiles], field: str) -> Callable[[Slice], float]:
    return lambda one: float(getattr(stage(one), field))


def _table_of(name: str, field: str) -> Callable[[Sample], float]:
    return lambda one: float(getattr(one.tables[name], field))


def _after_warm_up(series: Sequence[T]) -> Sequence[T]:
    return series[len(series) // 4 :]


def _quarters(
    series: Sequence[T],
    value: Callable[[T], float],
    *,
    of: Callable[[list[float]], float] = statistics.median,
) -> tuple[float, float]:
    """Return the second and the last quarter's median (or what `of` says)."""
    values = [float(value(one)) for one in series]
    quarter = max(1, len(values) // 4)
    return of(values[quarter : 2 * quarter] or values), of(values[-quarter:])
