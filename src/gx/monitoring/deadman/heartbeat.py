"""What counts as a heartbeat: Alertmanager's webhook with the Watchdog firing in it."""

from typing import Final

import msgspec

from gx.domain.errors import GxError
from gx.monitoring.alerts.watching import WATCHDOG

BODY_BYTES_MAX: Final = 262_144
FIRING: Final = "firing"


class NotAHeartbeatError(GxError):
    """Something arrived that proves nothing; the text says what is wrong with it."""


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]


class _Webhook(msgspec.Struct):
    """Alertmanager's webhook, version 4, as far as it matters here."""

    version: str
    status: str
    alerts: list[_Alert]


def require_heartbeat(body: bytes) -> None:
    """Accept a body in which the Watchdog fires.

    Raises:
        NotAHeartbeatError: It is something else, or the Watchdog has resolved.
    """
    try:
        webhook = msgspec.json.decode(body, type=_Webhook)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotAHeartbeatError(f"no webhook of Alertmanager: {error}") from error
    if webhook.version != "4":
        raise NotAHeartbeatError(f"a webhook of version {webhook.version[:20]!r}, not 4")
    named = [each for each in webhook.alerts if each.labels.get("alertname") == WATCHDOG.name]
    if not named:
        raise NotAHeartbeatError(f"no alert called {WATCHDOG.name} is in it")
    if FIRING not in {each.status for each in named}:
        raise NotAHeartbeatError(f"{WATCHDOG.name} is not firing in it")
