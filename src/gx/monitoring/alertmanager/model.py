"""What Alertmanager's configuration is made of, as values; and where an alert goes by them.

Only what Alertmanager 0.25 and current versions both understand.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

Labels = Mapping[str, str]


class Operator(StrEnum):
    """How a matcher compares a label; a label that is not there counts as empty."""

    IS = "="
    IS_NOT = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; regular expressions are anchored at both ends."""

    label: str
    operator: Operator
    value: str

    @property
    def text(self) -> str:
        """Its text in a configuration file."""
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.label}{self.operator}"{value}"'

    def accepts(self, labels: Labels) -> bool:
        """Say whether an alert with these labels fulfils the condition."""
        value = labels.get(self.label, "")
        match self.operator:
            case Operator.IS:
                return value == self.value
            case Operator.IS_NOT:
                return value != self.value
            case Operator.MATCHES:
                return re.fullmatch(self.value, value) is not None
            case Operator.MATCHES_NOT:
                return re.fullmatch(self.value, value) is None


def is_(label: str, value: str) -> Matcher:
    """Match one value."""
    return Matcher(label, Operator.IS, value)


def one_of(label: str, *values: str) -> Matcher:
    """Match any of these values."""
    return Matcher(label, Operator.MATCHES, "|".join(values))


def none_of(label: str, *values: str) -> Matcher:
    """Match every value but these, and the label's absence."""
    return Matcher(label, Operator.MATCHES_NOT, "|".join(values))


def present(label: str) -> Matcher:
    """Match any value, but not the label's absence."""
    return Matcher(label, Operator.MATCHES, ".+")


def all_accept(matchers: tuple[Matcher, ...], labels: Labels) -> bool:
    """Say whether an alert fulfils every condition."""
    return all(matcher.accepts(labels) for matcher in matchers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """A Slack channel; the webhook's address is in a file, never here."""

    channel: str
    url_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyService:
    """A service of PagerDuty's Events API v2; its routing key is in a file, never here."""

    routing_key_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """An address that is to hear from the alert that always fires.

    Alertmanager 0.25 cannot read a webhook's address from a file, so it holds no secret; the
    sender proves who it is by a bearer token from `token_file`, if that is named.
    """

    url: str
    token_file: str | None = None


Integration = SlackChannel | PagerDutyService | Heartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A name that routes send to; without an integration alerts are only kept and shown."""

    name: str
    integration: Integration | None


class Weekday(StrEnum):
    """A day, as Alertmanager spells it; in the order of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WORKING_DAYS: Final = tuple(Weekday)[:5]
WEEKEND: Final = tuple(Weekday)[5:]
DAY_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Minutes of some days; `end_minute` is the first that is not in it. It cannot pass midnight.

    Raises:
        ValueError: It would be empty or leave the day.
    """

    days: tuple[Weekday, ...]
    start_minute: int = 0
    end_minute: int = DAY_MINUTES

    def __post_init__(self) -> None:
        if not 0 <= self.start_minute < self.end_minute <= DAY_MINUTES:
            raise ValueError(f"no span of a day: {self.start_minute} to {self.end_minute}")

    def contains(self, day: Weekday, minute: int) -> bool:
        """Say whether a minute of a day is in it."""
        return day in self.days and self.start_minute <= minute < self.end_minute


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInterval:
    """Named hours of the week, in the local time of `time_zone`."""

    name: str
    spans: tuple[Span, ...]
    time_zone: str

    def contains(self, day: Weekday, minute: int) -> bool:
        """Say whether a minute of a day is in it."""
        return any(span.contains(day, minute) for span in self.spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long notifications wait for company, and when they are repeated; in seconds."""

    group_wait_s: float | None = None
    group_interval_s: float | None = None
    repeat_interval_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the routing tree: the first child that accepts an alert takes it.

    With `goes_on` the next siblings are asked too. A route that is not active still takes its
    alerts: it then says nothing, and nor does anybody after it.
    """

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] = ()
    timing: Timing = field(default_factory=Timing)
    active: tuple[str, ...] = ()
    muted: tuple[str, ...] = ()
    goes_on: bool = False
    routes: tuple["Route", ...] = ()

    def taking(self, labels: Labels) -> Iterator["Route"]:
        """Yield the routes that send a notification of an alert with these labels."""
        if not all_accept(self.matchers, labels):
            return
        is_taken = False
        for child in self.routes:
            takers = tuple(child.taking(labels))
            yield from takers
            is_taken = is_taken or bool(takers)
            if takers and not child.goes_on:
                break
        if not is_taken:
            yield self

    def walk(self) -> Iterator["Route"]:
        """Yield this route and every one below it."""
        yield self
        for child in self.routes:
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While an alert fires that `source` accepts, those that `target` accepts are muted.

    Both must have the same values of the labels `equal`; `reason` is for people.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    reason: str

    def mutes(self, labels: Labels, firing: Labels) -> bool:
        """Say whether one alert is muted by another; none is muted by itself."""
        if not (all_accept(self.source, firing) and all_accept(self.target, labels)):
            return False
        is_same = all(labels.get(name, "") == firing.get(name, "") for name in self.equal)
        return is_same and dict(labels) != dict(firing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that Alertmanager is told."""

    root: Route
    receivers: tuple[Receiver, ...]
    inhibitions: tuple[Inhibition, ...]
    intervals: tuple[TimeInterval, ...]
    pagerduty_url: str

    def receivers_of(self, labels: Labels) -> tuple[str, ...]:
        """Name who is told of an alert with these labels, each once."""
        return tuple(dict.fromkeys(route.receiver for route in self.root.taking(labels)))
