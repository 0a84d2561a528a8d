"""The routing tree: an alert's severity, environment and component say who is told, and how soon.

Critical alerts page unless their environment is known not to: what names no environment, such as
alerting itself, and an environment that nobody declared here, page too.
"""

from dataclasses import dataclass, field
from typing import Final

from gx.monitoring.alertmanager.inhibition import INHIBITIONS
from gx.monitoring.alertmanager.model import (
    Configuration,
    Heartbeat,
    Integration,
    Matcher,
    PagerDutyService,
    Receiver,
    Route,
    SlackChannel,
    Timing,
    is_,
    none_of,
)
from gx.monitoring.alertmanager.schedule import OFFICE_HOURS, ON_CALL_HOURS, build_schedule
from gx.monitoring.alerts.watching import WATCHDOG
from gx.monitoring.model import CRITICAL_GROUP_WAIT_S, GROUP_WAIT_S, Component, Severity
from gx.monitoring.thresholds import BACKEND_NAMESPACE

DEADMAN: Final = "deadman"
PAGERDUTY: Final = "pagerduty"
SLACK_DEFAULT: Final = "slack-default"
SLACK_CRITICAL: Final = "slack-critical"
SLACK_ON_CALL: Final = "slack-on-call"
SLACK_DEVNET: Final = "slack-devnet"

DEVNET: Final = f"{BACKEND_NAMESPACE}devnet"
TESTNET: Final = f"{BACKEND_NAMESPACE}testnet"

GROUP_BY: Final = ("alertname", "namespace", "component")
_HOUR_S: Final = 3_600
_REPEATED_BEFORE_DUE: Final = 5 / 6
"""A notification that is due within an interval waits for its end: measured with Alertmanager
0.25, an equal repeat interval halves the beats, a slightly shorter one does not."""

_CRITICAL: Final = is_("severity", Severity.CRITICAL.value)
_WARNING: Final = is_("severity", Severity.WARNING.value)
_PAGING: Final = none_of("namespace", DEVNET, TESTNET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long notifications wait and how often they are repeated, in seconds.

    A failure's detection budget counts on the two waits; the dead-man's receiver on `beat_s`.
    """

    wait_s: float = GROUP_WAIT_S
    critical_wait_s: float = CRITICAL_GROUP_WAIT_S
    interval_s: float = 300
    critical_repeat_s: float = _HOUR_S
    warning_repeat_s: float = 12 * _HOUR_S
    devnet_repeat_s: float = 24 * _HOUR_S
    beat_s: float = 60

    @property
    def first(self) -> Timing:
        """The root's timing, which routes below it inherit."""
        return Timing(
            group_wait_s=self.wait_s,
            group_interval_s=self.interval_s,
            repeat_interval_s=self.warning_repeat_s,
        )

    @property
    def critical(self) -> Timing:
        """The timing of what somebody must look at now."""
        return Timing(group_wait_s=self.critical_wait_s, repeat_interval_s=self.critical_repeat_s)

    @property
    def beat(self) -> Timing:
        """The timing of heartbeats: one every `beat_s`."""
        return Timing(
            group_wait_s=0,
            group_interval_s=self.beat_s,
            repeat_interval_s=self.beat_s * _REPEATED_BEFORE_DUE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeHours:
    """When people work, from Monday to Friday; the rest of the week somebody is on call."""

    start_minute: int = 8 * 60
    end_minute: int = 18 * 60
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Where notifications go. What is None is not connected: its receivers only keep alerts.

    A Slack app's webhook writes to one channel: with `url_per_channel` each channel's address is
    in a file of its own, `<slack_url_file>-<channel>`. An older integration's webhook takes any.
    """

    slack_url_file: str | None = None
    url_per_channel: bool = False
    channel_prefix: str = "#gx-"
    pagerduty_key_file: str | None = None
    pagerduty_url: str = "https://events.pagerduty.com/v2/enqueue"
    deadman_url: str | None = None
    deadman_token_file: str | None = None
    pace: Pace = field(default_factory=Pace)
    office: OfficeHours = field(default_factory=OfficeHours)


def build_configuration(destinations: Destinations) -> Configuration:
    """Build everything that Alertmanager is told, for these destinations.

    Raises:
        ValueError: The office hours are empty or pass midnight.
    """
    root = build_routes(destinations.pace)
    office = destinations.office
    names = dict.fromkeys(route.receiver for route in root.walk())
    return Configuration(
        root=root,
        receivers=tuple(
            Receiver(name=name, integration=_integration(name, destinations)) for name in names
        ),
        inhibitions=INHIBITIONS,
        intervals=build_schedule(
            start_minute=office.start_minute,
            end_minute=office.end_minute,
            time_zone=office.time_zone,
        ),
        pagerduty_url=destinations.pagerduty_url,
    )


def build_routes(pace: Pace) -> Route:
    """Build the tree; its order matters, since the first route that accepts an alert takes it."""
    return Route(
        receiver=SLACK_DEFAULT,
        group_by=GROUP_BY,
        timing=pace.first,
        routes=(
            Route(
                receiver=DEADMAN,
                matchers=(is_("alertname", WATCHDOG.name),),
                group_by=("alertname",),
                timing=pace.beat,
            ),
            _devnet(pace),
            Route(
                receiver=PAGERDUTY,
                matchers=(_CRITICAL, _PAGING),
                timing=pace.critical,
                goes_on=True,
            ),
            Route(receiver=SLACK_CRITICAL, matchers=(_CRITICAL,), timing=pace.critical),
            # Team channels are not read at night; who is on call finds all of it in one.
            Route(
                receiver=SLACK_ON_CALL,
                matchers=(_WARNING, _PAGING),
                active=(ON_CALL_HOURS,),
                goes_on=True,
            ),
            # A warning about testnet waits for the morning.
            _warnings(is_("namespace", TESTNET), muted=(ON_CALL_HOURS,)),
            _warnings(),
        ),
    )


def _devnet(pace: Pace) -> Route:
    """Route what breaks while somebody develops: to one channel, while people work."""
    matcher, active = (is_("namespace", DEVNET),), (OFFICE_HOURS,)
    rare = Timing(repeat_interval_s=pace.devnet_repeat_s)
    soon = Timing(group_wait_s=pace.critical_wait_s, repeat_interval_s=pace.devnet_repeat_s)
    critical = Route(receiver=SLACK_DEVNET, matchers=(_CRITICAL,), timing=soon, active=active)
    return Route(
        receiver=SLACK_DEVNET, matchers=matcher, timing=rare, active=active, routes=(critical,)
    )


def _warnings(*matchers: Matcher, muted: tuple[str, ...] = ()) -> Route:
    """Route warnings to the channel of the component that they are about."""
    return Route(
        receiver=SLACK_DEFAULT,
        matchers=(_WARNING, *matchers),
        muted=muted,
        routes=tuple(
            Route(
                receiver=slack_receiver(component.value),
                matchers=(is_("component", component.value),),
                muted=muted,
            )
            for component in Component
        ),
    )


def slack_receiver(channel: str) -> str:
    """Name the receiver of a component's channel."""
    return f"slack-{channel}"


def _integration(receiver: str, to: Destinations) -> Integration | None:
    if receiver == DEADMAN:
        if to.deadman_url is None:
            return None
        return Heartbeat(url=to.deadman_url, token_file=to.deadman_token_file)
    if receiver == PAGERDUTY:
        key = to.pagerduty_key_file
        return None if key is None else PagerDutyService(routing_key_file=key)
    if to.slack_url_file is None:
        return None
    channel = receiver.removeprefix("slack-")
    suffix = f"-{channel}" if to.url_per_channel else ""
    return SlackChannel(channel=to.channel_prefix + channel, url_file=to.slack_url_file + suffix)
