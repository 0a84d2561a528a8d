"""Cases of the storage's alerts and of those about monitoring itself."""

from collections.abc import Mapping, Sequence
from typing import Final

from gx.monitoring import external
from gx.monitoring.alerts import storage, watching
from gx.monitoring.cases.model import (
    Case,
    Kind,
    Line,
    Trap,
    at_rate,
    at_threshold,
    grow,
    hold,
    line,
    more,
    trap,
)


def databases() -> Sequence[Case]:
    """PostgreSQL: away, behind, or held up."""
    state = {"datname": "gx", "state": "active"}
    return [
        *at_threshold(
            storage.POSTGRES_DOWN,
            lambda v: [line(external.PG_UP, v, instance="p:1")],
            over=0,
            under=1,
        ),
        *at_threshold(
            storage.REPLICA_LAGS,
            lambda v: [line(external.PG_REPLICATION_LAG, v, instance="p:1")],
            over=31,
            under=30,
        ),
        *at_threshold(
            storage.TRANSACTION_IS_OLD,
            lambda v: [line(external.PG_MAX_TRANSACTION_DURATION, v, instance="p:1", **state)],
            over=601,
            under=600,
        ),
    ]


def connections() -> Sequence[Case]:
    """PostgreSQL's connections, of all databases and states together."""
    busy = external.PG_CONNECTIONS
    state = {"datname": "gx", "state": "active"}
    most = line(external.PG_CONNECTIONS_MAX, hold(100, 40), instance="p:1")
    return [
        *at_threshold(
            storage.CONNECTIONS_NEAR_LIMIT,
            lambda v: [
                most,
                line(busy, v, instance="p:1", **state),
                line(busy, hold(40, 40), instance="p:1", datname="gx", state="idle"),
            ],
            over=41,
            under=40,
        ),
        trap(
            storage.CONNECTIONS_NEAR_LIMIT,
            Trap.EMPTY_POOL,
            [
                line(external.PG_CONNECTIONS_MAX, hold(0, 20), instance="p:1"),
                line(busy, hold(0, 20), instance="p:1", **state),
            ],
            (15, 0),
        ),
    ]


def disks() -> Sequence[Case]:
    """Disks: nearly full, or soon."""
    disk = {"instance": "n:1", "mountpoint": "/data", "fstype": "ext4", "device": "sda"}
    size = line(external.DISK_SIZE, hold(1_000, 900), **disk)
    alert = storage.DISK_FULL
    return [
        Case(
            alert=alert,
            kind=Kind.FIRES,
            lines=[size, line(external.DISK_AVAILABLE, hold(99, 30), **disk)],
            checks=[(20, 1)],
        ),
        Case(
            alert=alert,
            kind=Kind.SILENT,
            lines=[size, line(external.DISK_AVAILABLE, hold(101, 30), **disk)],
            checks=[(20, 0)],
        ),
        Case(
            alert=alert,
            kind=Kind.RESOLVES,
            lines=[size, line(external.DISK_AVAILABLE, f"{hold(99, 20)} {hold(500, 20)}", **disk)],
            checks=[(18, 1), (30, 0)],
        ),
        *_traps_of_disks(size, disk),
    ]


def _traps_of_disks(size: Line, disk: Mapping[str, str]) -> Sequence[Case]:
    """Disks that fill up, and those that only seem to."""
    alert = storage.DISK_FULL
    return [
        more(
            alert,
            "full within a day",
            [size, line(external.DISK_AVAILABLE, "900-0.2x400", **disk)],
            (55, 0),
            (75, 1),
        ),
        more(
            alert,
            "a straight line through the first minutes",
            [size, line(external.DISK_AVAILABLE, "900-1x100 800x300", **disk)],
            (20, 0),
            (55, 0),
        ),
        more(
            alert,
            "a memory file system",
            [
                line(external.DISK_SIZE, hold(9, 30), **{**disk, "fstype": "tmpfs"}),
                line(external.DISK_AVAILABLE, hold(0, 30), **{**disk, "fstype": "tmpfs"}),
            ],
            (20, 0),
        ),
    ]


def scrapes() -> Sequence[Case]:
    """Probes, and what scrapes deliver."""
    ours = {"job": "gx-projector", "instance": "a:1"}
    probe = {"job": "gx-blackbox", "instance": "u"}
    kept = external.SAMPLES_KEPT
    limit = watching.SAMPLE_LIMIT_NEAR
    return [
        Case(alert=watching.WATCHDOG, kind=Kind.FIRES, lines=[], checks=[(1, 1), (9, 1)]),
        *at_threshold(
            watching.PROBE_FAILS,
            lambda v: [line(external.PROBE_SUCCESS, v, service="api", **probe)],
            over=0,
            under=1,
        ),
        *at_threshold(
            watching.SCRAPE_IS_EMPTY,
            lambda v: [line(external.UP, hold(1, 40), **ours), line(kept, v, **ours)],
            over=0,
            under=1,
        ),
        more(
            watching.SCRAPE_IS_EMPTY,
            "a target that is down has another alert",
            [line(external.UP, hold(0, 12), **ours), line(kept, hold(0, 12), **ours)],
            (10, 0),
        ),
        *at_threshold(limit, lambda v: [line(kept, v, **ours)], over=8_001, under=8_000),
        more(limit, "a probe's lower limit", [line(kept, hold(161, 12), **probe)], (10, 1)),
    ]


def reloads() -> Sequence[Case]:
    """Configurations that could not be loaded."""
    own = {"job": "prometheus", "instance": "m:1"}
    reload = watching.CONFIG_RELOAD_FAILED
    reloaded = external.PROMETHEUS_RELOAD_SUCCESSFUL
    return [
        Case(
            alert=reload,
            kind=Kind.FIRES,
            lines=[line(reloaded, hold(0, 20), **own)],
            checks=[(15, 1)],
        ),
        Case(
            alert=reload,
            kind=Kind.SILENT,
            lines=[line(reloaded, "1 0x18 1 0x18 1 0x18", **own)],
            checks=[(10, 0), (14, 0)],
        ),
        Case(
            alert=reload,
            kind=Kind.RESOLVES,
            lines=[line(reloaded, f"{hold(0, 15)} {hold(1, 9)}", **own)],
            checks=[(14, 1), (17, 0)],
        ),
        more(
            reload,
            "Alertmanager",
            [line(external.ALERTMANAGER_RELOAD_SUCCESSFUL, hold(0, 20), **own)],
            (15, 1),
        ),
    ]


def notifications() -> Sequence[Case]:
    """Notifications that fail."""
    own = {"job": "prometheus", "instance": "m:1"}
    lost = watching.NOTIFICATIONS_FAIL
    failed = external.ALERTMANAGER_NOTIFICATIONS_FAILED
    slack = {"integration": "slack", **own}
    return [
        *at_rate(lost, lambda v: [line(failed, v, **slack)], over=0.1, under=0, window_min=7),
        more(
            lost,
            "one is refused, and again after each interval of its group",
            [line(failed, "0x3 1x19 2x19 3x19 4x19", **slack)],
            (8, 0),
            (11, 1),
            (20, 1),
        ),
        more(
            lost,
            "one is refused, and what comes after it is taken",
            [line(failed, "0x3 1x80", **slack)],
            (8, 0),
            (10, 0),
            (20, 0),
        ),
        more(
            lost,
            "no Alertmanager takes them",
            [line(external.PROMETHEUS_NOTIFICATIONS_DROPPED, grow(1, 20), **own)],
            (15, 1),
        ),
        trap(
            lost,
            Trap.COUNTER_RESET,
            [line(failed, "70x20 0x60", **slack)],
            (8, 0),
            (15, 0),
        ),
    ]


def evaluations() -> Sequence[Case]:
    """Rules that fail."""
    own = {"job": "prometheus", "instance": "m:1"}
    return [
        *at_rate(
            watching.RULES_FAIL,
            lambda v: [line(external.RULE_EVALUATION_FAILURES, v, rule_group="g", **own)],
            over=0.1,
            under=0,
        ),
    ]


WATCHING_CASES: Final = (
    *databases(),
    *connections(),
    *disks(),
    *scrapes(),
    *reloads(),
    *notifications(),
    *evaluations(),
)
