"""What Prometheus and Alertmanager said, and when: asked several times a second.

Times are seconds of one monotonic clock, the sink's own.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
import msgspec

from gx.monitoring.alertmanager.model import Labels
from gx.proof.drills.stack import DrillStack

_POLL_S: Final = 0.25
_TIMEOUT_S: Final = 10.0
_FIRING: Final = "firing"
_SUPPRESSED: Final = "suppressed"


class _RuleAlert(msgspec.Struct):
    labels: dict[str, str]
    state: str


class _RuleAlerts(msgspec.Struct):
    alerts: list[_RuleAlert]


class _RuleAnswer(msgspec.Struct):
    data: _RuleAlerts


class _Status(msgspec.Struct):
    state: str
    inhibitedBy: list[str] = []  # noqa: N815 (Alertmanager's name)


class _Notified(msgspec.Struct):
    labels: dict[str, str]
    fingerprint: str
    status: _Status


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One alert with its labels, from pending to gone; what has not happened is None."""

    labels: Labels
    pending_s: float
    firing_s: float | None = None
    gone_s: float | None = None
    muted_s: float | None = None
    muted_by: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels["alertname"]

    @property
    def is_firing(self) -> bool:
        """Whether it fires now."""
        return self.firing_s is not None and self.gone_s is None


@dataclass(slots=True)
class Observer:
    """Keeps every sighting. `run` asks until cancelled; a server that is gone says nothing."""

    stack: DrillStack
    sightings: list[Sighting] = field(default_factory=list)

    async def run(self) -> None:
        """Ask again and again."""
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S) as client:
            while True:
                await self._ask_prometheus(client)
                await self._ask_alertmanager(client)
                await asyncio.sleep(_POLL_S)

    def of(self, name: str, *, since_s: float = 0.0) -> list[Sighting]:
        """List the sightings of an alert that were not over by then."""
        return [
            each
            for each in self.sightings
            if each.name == name and (each.gone_s is None or each.gone_s >= since_s)
        ]

    def firing(self) -> list[Sighting]:
        """List what fires now."""
        return [each for each in self.sightings if each.is_firing]

    async def _ask_prometheus(self, client: httpx.AsyncClient) -> None:
        try:
            answer = await client.get(f"{self.stack.places.url('prometheus')}/api/v1/alerts")
            alerts = msgspec.json.decode(answer.content, type=_RuleAnswer).data.alerts
        except (httpx.HTTPError, msgspec.DecodeError):
            return
        self._note(alerts, time.monotonic())

    def _note(self, alerts: list[_RuleAlert], now_s: float) -> None:
        there = {_key(alert.labels): alert for alert in alerts}
        known = {_key(each.labels): each for each in self.sightings if each.gone_s is None}
        for key, alert in there.items():
            sighting = known.get(key)
            if sighting is None:
                sighting = Sighting(labels=alert.labels, pending_s=now_s)
                self.sightings.append(sighting)
            if alert.state == _FIRING and sighting.firing_s is None:
                sighting.firing_s = now_s
        for key, sighting in known.items():
            if key not in there:
                sighting.gone_s = now_s

    async def _ask_alertmanager(self, client: httpx.AsyncClient) -> None:
        try:
            answer = await client.get(f"{self.stack.places.url('alertmanager')}/api/v2/alerts")
            alerts = msgspec.json.decode(answer.content, type=list[_Notified])
        except (httpx.HTTPError, msgspec.DecodeError):
            return
        names = {alert.fingerprint: alert.labels["alertname"] for alert in alerts}
        open_ones = {_key(each.labels): each for each in self.sightings if each.is_firing}
        for alert in alerts:
            sighting = open_ones.get(_key(alert.labels))
            if sighting is None or alert.status.state != _SUPPRESSED:
                continue
            sighting.muted_s = sighting.muted_s or time.monotonic()
            sighting.muted_by |= {names.get(each, each) for each in alert.status.inhibitedBy}


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())
