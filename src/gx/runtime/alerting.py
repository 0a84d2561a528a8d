"""Where alerts go, as the settings say: for Kubernetes, and for the stack on this machine."""

from dataclasses import replace
from typing import Final

from gx.monitoring.alertmanager.routing import Destinations, OfficeHours
from gx.runtime.settings import AlertingSettings, SettingsError, load

_HOUR_MINUTES: Final = 60


def on_kubernetes(default: Destinations) -> Destinations:
    """Return the destinations there: the addresses and hours of the settings, the Secret's files.

    Raises:
        SettingsError: a setting is out of bounds, or the office closes before it opens.
    """
    settings = load(AlertingSettings)
    return replace(_chosen(default, settings), deadman_url=settings.deadman_url)


def on_this_machine(*, deadman_url: str) -> Destinations:
    """Return the destinations here: what a file is named for is connected, the rest keeps alerts.

    Raises:
        SettingsError: a setting is out of bounds, or the office closes before it opens.
    """
    settings = load(AlertingSettings)
    slack, key = settings.slack_url_file, settings.pagerduty_key_file
    named = Destinations(
        slack_url_file=None if slack is None else str(slack.absolute()),
        pagerduty_key_file=None if key is None else str(key.absolute()),
        deadman_url=deadman_url,
    )
    return _chosen(named, settings)


def _chosen(default: Destinations, settings: AlertingSettings) -> Destinations:
    return replace(
        default,
        url_per_channel=settings.slack_url_per_channel,
        channel_prefix=settings.slack_channel_prefix,
        pagerduty_url=settings.pagerduty_url,
        office=_office(settings),
    )


def _office(settings: AlertingSettings) -> OfficeHours:
    start, end = _minute(settings.office_start), _minute(settings.office_end)
    if start >= end:
        raise SettingsError(
            f"GX_ALERTING_OFFICE_END: {settings.office_end} is not after "
            f"GX_ALERTING_OFFICE_START, {settings.office_start}; office hours cannot pass midnight"
        )
    return OfficeHours(start_minute=start, end_minute=end, time_zone=settings.time_zone)


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * _HOUR_MINUTES + int(minutes)
