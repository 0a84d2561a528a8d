"""One labelled test alert through a production route, and what Alertmanager says became of it.

Alertmanager counts notifications by integration, not by receiver: that a counter of an integration
rose is shown, and that none of its notifications failed meanwhile.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx
import msgspec
import yaml

from gx.domain.clock import Clock
from gx.domain.errors import GxError
from gx.monitoring.model import Component, Severity
from gx.monitoring.scrape import TargetLabels

TEST_ALERT: Final = "GxAlertTest"
_SENT: Final = "alertmanager_notifications_total"
_FAILED: Final = "alertmanager_notifications_failed_total"
_SAMPLE: Final = re.compile(r'^(\w+)\{[^}]*integration="([^"]+)"[^}]*\} (\S+)$', re.MULTILINE)
_POLL_S: Final = 0.5
_ASK_MAX_S: Final = 10.0
_LIFE_MS: Final = 3_600_000


class AlertTestError(GxError):
    """Alertmanager did not do what it should; the text says what and where."""


class AlertmanagerUnreachableError(AlertTestError):
    """Nothing answers at its address, or something else than an Alertmanager."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of the test alert at one receiver; without integrations it is told nothing."""

    receiver: str
    integrations: tuple[str, ...]
    is_told: bool
    is_told_of_end: bool
    failed: int

    @property
    def is_good(self) -> bool:
        """Whether everything that it has was used without a failure, twice."""
        return self.is_told and self.is_told_of_end and not self.failed


class _Name(msgspec.Struct):
    name: str


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    receivers: list[_Name]


class _Config(msgspec.Struct):
    original: str


class _StatusAnswer(msgspec.Struct):
    config: _Config


_Counters = Mapping[tuple[str, str], float]


def labels_of_test(*, environment: str, severity: Severity, run: str) -> dict[str, str]:
    """Return the labels that route it as an alert of the environment would be; `run` is its own."""
    return {
        "alertname": TEST_ALERT,
        "namespace": TargetLabels.of(environment, "").namespace,
        "environment": environment,
        "severity": severity.value,
        "component": Component.MONITORING.value,
        "family": f"alert_test_{run}",
    }


async def send_test_alert(
    url: str,
    labels: Mapping[str, str],
    *,
    clock: Clock,
    timeout_s: float,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[Told, ...]:
    """Send the alert, wait until its receivers were told, end it, and wait for the second word.

    What was begun is ended: the alert is resolved also when somebody was not told in time.

    Raises:
        AlertmanagerUnreachableError: Alertmanager does not answer.
        AlertTestError: It takes no alert.
    """
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=_ASK_MAX_S) as client:
        test = _Test(client, dict(labels), clock, timeout_s)
        try:
            return await test.run(report)
        except httpx.HTTPError as error:
            raise AlertmanagerUnreachableError(
                f"no answer from Alertmanager at {url}: {error}"
            ) from error
        except msgspec.DecodeError as error:
            raise AlertmanagerUnreachableError(
                f"what answers at {url} is no Alertmanager: {error}"
            ) from error


@dataclass(frozen=True, slots=True)
class _Test:
    client: httpx.AsyncClient
    labels: dict[str, str]
    clock: Clock
    timeout_s: float

    async def run(self, report: Callable[[str], None]) -> tuple[Told, ...]:
        before = await self._counters()
        began_ms = self.clock.now_ms()
        await self._post(began_ms, began_ms + _LIFE_MS)
        try:
            receivers = await self._receivers()
            report(f"sent to {', '.join(receivers) or 'nobody'}; waiting for the notifications")
            told = await self._rise(before, receivers)
            between = await self._counters()
        finally:
            await self._post(began_ms, self.clock.now_ms())
        report("resolved; waiting for the second notification, which takes a group interval")
        untold = await self._rise(between, receivers)
        after = await self._counters()
        return tuple(
            Told(
                receiver=name,
                integrations=uses,
                is_told=bool(uses) and set(uses) <= told,
                is_told_of_end=bool(uses) and set(uses) <= untold,
                failed=round(sum(_risen(before, after, _FAILED, each) for each in uses)),
            )
            for name, uses in receivers.items()
        )

    async def _post(self, starts_ms: int, ends_ms: int) -> None:
        alert = {
            "labels": self.labels,
            "annotations": {
                "summary": "A test of this route; nothing is wrong.",
                "description": "Sent by `gx alert test`, which ends it by itself.",
                "runbook_url": "",
                "dashboard": "",
            },
            "startsAt": _text(starts_ms),
            "endsAt": _text(ends_ms),
        }
        answer = await self.client.post("/api/v2/alerts", json=[alert])
        if answer.status_code != httpx.codes.OK:
            raise AlertTestError(f"Alertmanager refused the alert: {answer.text[:300]}")

    async def _receivers(self) -> dict[str, tuple[str, ...]]:
        """Ask who gets the alert, and what each receiver has to send with."""
        found: list[str] = []

        async def is_known() -> bool:
            answer = await self.client.get("/api/v2/alerts")
            alerts = msgspec.json.decode(answer.content, type=list[_Alert])
            own = [alert for alert in alerts if alert.labels == self.labels]
            found[:] = [receiver.name for alert in own for receiver in alert.receivers]
            return bool(own)

        if not await self._wait(is_known):
            raise AlertTestError("Alertmanager took the alert and does not list it")
        answer = await self.client.get("/api/v2/status")
        text = msgspec.json.decode(answer.content, type=_StatusAnswer).config.original
        integrations = read_integrations(text)
        return {name: integrations.get(name, ()) for name in found}

    async def _rise(
        self, before: _Counters, receivers: Mapping[str, Sequence[str]]
    ) -> frozenset[str]:
        """Wait until each integration has sent something, or some time; return those that have."""
        wanted = {each for uses in receivers.values() for each in uses}
        risen: set[str] = set()

        async def have_all() -> bool:
            now = await self._counters()
            risen.update(
                each
                for each in wanted
                # Those that failed count as sent, too.
                if _risen(before, now, _SENT, each) > _risen(before, now, _FAILED, each)
            )
            return risen == wanted

        await self._wait(have_all)
        return frozenset(risen)

    async def _counters(self) -> _Counters:
        answer = await self.client.get("/metrics")
        counters: dict[tuple[str, str], float] = {}
        for name, integration, value in _SAMPLE.findall(answer.text):
            key = (name, integration)
            counters[key] = counters.get(key, 0) + float(value)
        return counters

    async def _wait(self, is_so: Callable[[], Awaitable[bool]]) -> bool:
        deadline_ms = self.clock.now_ms() + 1_000 * self.timeout_s
        while not await is_so():
            if self.clock.now_ms() > deadline_ms:
                return False
            await asyncio.sleep(_POLL_S)
        return True


def read_integrations(configuration: str) -> dict[str, tuple[str, ...]]:
    """Read which integrations each receiver of a configuration has (`<name>_configs`)."""
    document: object = yaml.safe_load(configuration)
    receivers: object = document.get("receivers") if isinstance(document, dict) else None
    found: dict[str, tuple[str, ...]] = {}
    for receiver in receivers if isinstance(receivers, list) else ():
        if isinstance(receiver, dict):
            keys = (str(key) for key, value in receiver.items() if value)
            uses = tuple(k.removesuffix("_configs") for k in keys if k.endswith("_configs"))
            found[str(receiver.get("name"))] = uses
    return found


def _risen(before: _Counters, after: _Counters, name: str, integration: str) -> float:
    key = (name, integration)
    return after.get(key, 0) - before.get(key, 0)


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, tz=UTC).isoformat()
