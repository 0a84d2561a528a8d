"""The same rules for a world in which time runs faster: every duration divided by one factor.

A rate keeps its meaning: what is said per second, and what a process measures of itself, stays.
A number of events within a window shrinks as the window does, but not below one event: a single
event is never a rate. An age in seconds shrinks too, a limit in milliseconds does not: those are
the processes' own speed, which no factor changes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from gx.monitoring.alertmanager.render import duration
from gx.monitoring.alertmanager.routing import Pace
from gx.monitoring.model import (
    CRITICAL_GROUP_WAIT_S,
    EVALUATION_INTERVAL_S,
    GROUP_WAIT_S,
    SCRAPE_INTERVAL_S,
    Alert,
    Links,
    RuleGroup,
    Severity,
)
from gx.monitoring.slos import EVENTS_MIN
from gx.monitoring.thresholds import Threshold

_UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_STRING: Final = re.compile(r'("(?:[^"\\]|\\.)*")')
_RANGE: Final = re.compile(r"\[(\d+)([smhd])(:?)\]")
_OFFSET: Final = re.compile(r"\boffset (\d+)([smhd])\b")
_AHEAD: Final = re.compile(r"(predict_linear\(.*?\], )(\d+)\)")
_COUNTED: Final = re.compile(r"\bin \d+ minutes$")
_ENOUGH: Final = re.compile(rf"(_events:count\w+ >= ){EVENTS_MIN}\b")
_AGE: Final = "s"
LOOKBACK_S: Final = 300
"""How long Prometheus takes a sample for current, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many times faster time runs; 1 is the true pace.

    Raises:
        ValueError: It would run slower.
    """

    factor: float = 1.0

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ValueError(f"time cannot run slower than it does: factor {self.factor:g}")

    def seconds(self, real_s: float) -> float:
        """Return what a real duration becomes, exact to the millisecond and at least one."""
        return max(round(real_s / self.factor, 3), 0.001)

    def real(self, scaled_s: float) -> float:
        """Return the real duration that a scaled one stands for."""
        return scaled_s * self.factor

    def events(self, count: float) -> float:
        """Return what a number of events within a window becomes."""
        return max(count / self.factor, min(count, 1.0))

    def text(self, real_s: float) -> str:
        """Write what a real duration becomes, as Prometheus and Alertmanager read it."""
        return duration(self.seconds(real_s))


def scale_expression(text: str, scale: Scale, thresholds: Iterable[Threshold] = ()) -> str:
    """Scale every duration of an expression, and those of its thresholds that depend on one."""
    parts = _STRING.split(text)
    scaled = "".join(
        part if index % 2 else _durations(part, scale) for index, part in enumerate(parts)
    )
    scaled = _AHEAD.sub(lambda m: f"{m[1]}{scale.seconds(int(m[2])):g})", scaled)
    for operator, before, after in _numbers(scale, tuple(thresholds)):
        scaled = re.sub(rf"({operator}) {re.escape(before)}(?![\d.])", rf"\1 {after}", scaled)
    return _ENOUGH.sub(lambda m: f"{m[1]}{scale.events(EVENTS_MIN):g}", scaled)


def _durations(part: str, scale: Scale) -> str:
    ranges = _RANGE.sub(lambda m: f"[{scale.text(int(m[1]) * _UNIT_S[m[2]])}{m[3]}]", part)
    return _OFFSET.sub(lambda m: f"offset {scale.text(int(m[1]) * _UNIT_S[m[2]])}", ranges)


def _numbers(scale: Scale, thresholds: Sequence[Threshold]) -> Iterator[tuple[str, str, str]]:
    """List the numbers that change, events within a window and ages, with their operators.

    Where another threshold has the same number, only "at least so many" is about events.
    """
    numbers = [threshold.default for threshold in thresholds]
    for threshold in thresholds:
        operator = "[<>]=?" if numbers.count(threshold.default) == 1 else ">="
        if _COUNTED.search(threshold.unit):
            yield operator, f"{threshold.default:.12g}", f"{scale.events(threshold.default):g}"
        elif threshold.unit == _AGE:
            yield operator, f"{threshold.default:.12g}", f"{scale.seconds(threshold.default):g}"


def scale_alert(alert: Alert, scale: Scale, links: Links) -> dict[str, object]:
    """Return a scaled alert as a rule file spells it."""
    return {
        "alert": alert.name,
        "expr": scale_expression(alert.expr.text, scale, alert.thresholds),
        "for": scale.text(alert.for_s) if alert.for_s else "0s",
        "labels": alert.labels,
        "annotations": links.annotate(alert),
    }


def scale_groups(groups: Iterable[RuleGroup], scale: Scale, links: Links) -> dict[str, object]:
    """Return scaled groups as a rule file spells them; the names of recording rules stay."""
    return {"groups": [_group(group, scale, links) for group in groups]}


def _group(group: RuleGroup, scale: Scale, links: Links) -> dict[str, object]:
    interval: dict[str, object] = (
        {"interval": scale.text(group.interval_s)} if group.interval_s else {}
    )
    recordings = [
        recording.to_yaml() | {"expr": scale_expression(recording.expr.text, scale)}
        for recording in group.recordings
    ]
    alerts = [scale_alert(alert, scale, links) for alert in group.alerts]
    return {"name": group.name, **interval, "rules": [*recordings, *alerts]}


def scale_pace(pace: Pace, scale: Scale) -> Pace:
    """Return how long notifications wait, and how often they are repeated, in scaled time."""
    return Pace(
        wait_s=scale.seconds(pace.wait_s),
        critical_wait_s=scale.seconds(pace.critical_wait_s),
        interval_s=scale.seconds(pace.interval_s),
        critical_repeat_s=scale.seconds(pace.critical_repeat_s),
        warning_repeat_s=scale.seconds(pace.warning_repeat_s),
        devnet_repeat_s=scale.seconds(pace.devnet_repeat_s),
        beat_s=scale.seconds(pace.beat_s),
    )


def scale_scraping(configuration: dict[str, object], scale: Scale) -> dict[str, object]:
    """Return Prometheus' configuration with scaled intervals.

    A scrape may take as long as its interval: a timeout scaled below that would measure how busy
    the machine is.
    """
    interval = scale.text(SCRAPE_INTERVAL_S)
    paced = {
        "scrape_interval": interval,
        "evaluation_interval": scale.text(EVALUATION_INTERVAL_S),
        "scrape_timeout": interval,
    }
    return configuration | {"global": paced}


def budget_s(alert: Alert, scale: Scale) -> float:
    """Return how long a scaled alert may take from a complete failure to its notification.

    What a threshold in milliseconds needs in order to be crossed is not scaled.
    """
    wait_s = CRITICAL_GROUP_WAIT_S if alert.severity is Severity.CRITICAL else GROUP_WAIT_S
    own_s, scaled_s = (alert.crossing_s, 0) if is_own_time(alert) else (0, alert.crossing_s)
    waits = SCRAPE_INTERVAL_S + EVALUATION_INTERVAL_S + scaled_s + alert.for_s + wait_s
    return own_s + scale.seconds(waits)


def is_own_time(alert: Alert) -> bool:
    """Say whether what the alert waits for is a process's own time: a lag in milliseconds."""
    return any(threshold.unit == "ms" for threshold in alert.thresholds) and alert.crossing_s <= (
        max(threshold.default for threshold in alert.thresholds) / 1_000
    )
