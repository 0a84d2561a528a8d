"""A local stand-in for Slack, PagerDuty and any webhook: it takes notifications and keeps them.

Bodies are read strictly, in the shapes that Alertmanager 0.25 sends and the services document;
what does not fit is kept as a fault and answered as the service would answer.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self, TypeVar

import msgspec
from typing_extensions import override

from gx.domain.errors import GxError

LOOPBACK: Final = "127.0.0.1"
SLACK_PATH: Final = "/slack"
PAGERDUTY_PATH: Final = "/v2/enqueue"
WEBHOOK_PATH: Final = "/webhook"
_POLL_S: Final = 0.02
_SERVE_POLL_S: Final = 0.05


class SinkTimeoutError(GxError):
    """What was waited for did not arrive in time; the text says what did."""


class SlackAttachment(msgspec.Struct):
    """One attachment of a Slack message."""

    title: str
    text: str
    fallback: str
    color: str
    title_link: str = ""
    footer: str = ""
    mrkdwn_in: list[str] = []


class SlackMessage(msgspec.Struct):
    """What Slack's incoming webhooks get."""

    attachments: list[SlackAttachment]
    channel: str = ""
    username: str = ""

    @property
    def title(self) -> str:
        """The first attachment's title."""
        return self.attachments[0].title


class PagerDutyLink(msgspec.Struct):
    """A link that a page carries."""

    href: str
    text: str


class PagerDutyPayload(msgspec.Struct):
    """What an event says; a resolving one may leave everything but these out."""

    summary: str
    source: str
    severity: str
    component: str = ""
    group: str = ""
    event_class: str = msgspec.field(default="", name="class")
    custom_details: dict[str, object] = {}


class PagerDutyEvent(msgspec.Struct):
    """An event of PagerDuty's Events API v2."""

    routing_key: str
    dedup_key: str
    event_action: str
    payload: PagerDutyPayload
    client: str = ""
    client_url: str = ""
    links: list[PagerDutyLink] = []


class WebhookAlert(msgspec.Struct):
    """One alert of a webhook."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    fingerprint: str = ""


class WebhookMessage(msgspec.Struct):
    """Alertmanager's webhook, version 4."""

    receiver: str
    status: str
    alerts: list[WebhookAlert]
    version: str
    groupKey: str  # noqa: N815 (Alertmanager's name)
    groupLabels: dict[str, str]  # noqa: N815 (Alertmanager's name)
    commonLabels: dict[str, str]  # noqa: N815 (Alertmanager's name)
    commonAnnotations: dict[str, str]  # noqa: N815 (Alertmanager's name)
    externalURL: str  # noqa: N815 (Alertmanager's name)
    truncatedAlerts: int = 0  # noqa: N815 (Alertmanager's name)


PAGERDUTY_SEVERITIES: Final = frozenset({"critical", "error", "warning", "info"})
PAGERDUTY_ACTIONS: Final = frozenset({"trigger", "acknowledge", "resolve"})
_SUMMARY_MAX: Final = 1_024


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came, and how it was answered."""

    path: str
    body: bytes
    status: int
    at_s: float
    authorization: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str


_Shape = TypeVar("_Shape", SlackMessage, PagerDutyEvent, WebhookMessage)


@dataclass(slots=True)
class _Kept:
    """What has arrived, and which paths refuse; shared between the server's threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    received: list[Received] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    refusing: dict[str, int] = field(default_factory=dict)


class Sink:
    """Listens on a free port of loopback while its `with` block runs.

    A path's first part says which service it is; what follows tells receivers apart:
    `sink.slack_url("critical")`. It takes everything until `refuse` is called.
    """

    def __init__(self) -> None:
        self._kept = _Kept()
        self._server = _Server((LOOPBACK, 0), _Handler)
        self._server.answer = self._take
        self._thread = threading.Thread(
            target=lambda: self._server.serve_forever(_SERVE_POLL_S), name="sink", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Its address without a path."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    def slack_url(self, name: str = "") -> str:
        """Return an address that stands for a Slack webhook."""
        return f"{self.url}{SLACK_PATH}/{name}"

    @property
    def pagerduty_url(self) -> str:
        """The address that stands for PagerDuty's Events API."""
        return f"{self.url}{PAGERDUTY_PATH}"

    def webhook_url(self, name: str = "") -> str:
        """Return an address that stands for any webhook."""
        return f"{self.url}{WEBHOOK_PATH}/{name}"

    def refuse(self, path: str, status: int = 500) -> None:
        """Answer requests below a path with an error from now on."""
        with self._kept.lock:
            self._kept.refusing[path] = status

    def accept(self, path: str) -> None:
        """Take requests below a path again."""
        with self._kept.lock:
            self._kept.refusing.pop(path, None)

    def clear(self) -> None:
        """Forget what has arrived."""
        with self._kept.lock:
            self._kept.received.clear()
            self._kept.faults.clear()

    @property
    def received(self) -> tuple[Received, ...]:
        """Every request so far, refused ones too."""
        with self._kept.lock:
            return tuple(self._kept.received)

    @property
    def faults(self) -> tuple[str, ...]:
        """What did not fit the shape that its service takes."""
        with self._kept.lock:
            return tuple(self._kept.faults)

    @property
    def slack(self) -> tuple[SlackMessage, ...]:
        """The Slack messages that were taken, in order."""
        return self._shaped(SLACK_PATH, SlackMessage)

    @property
    def pagerduty(self) -> tuple[PagerDutyEvent, ...]:
        """The PagerDuty events that were taken, in order."""
        return self._shaped(PAGERDUTY_PATH, PagerDutyEvent)

    @property
    def webhooks(self) -> tuple[WebhookMessage, ...]:
        """The webhooks of Alertmanager that were taken, in order."""
        return self._shaped(WEBHOOK_PATH, WebhookMessage)

    def wait_for(self, is_there: Callable[[], bool], *, timeout_s: float, what: str) -> None:
        """Return once something has arrived.

        Raises:
            SinkTimeoutError: It has not, in time.
        """
        deadline_s = time.monotonic() + timeout_s
        while not is_there():
            if time.monotonic() > deadline_s:
                titles = [message.title for message in self.slack]
                pages = [(e.event_action, e.payload.summary) for e in self.pagerduty]
                raise SinkTimeoutError(
                    f"{what} did not arrive within {timeout_s:.0f} s; there are Slack messages "
                    f"{titles}, pages {pages}, {len(self.received)} requests, "
                    f"faults {self.faults}"
                )
            time.sleep(_POLL_S)

    def _shaped(self, path: str, shape: type[_Shape]) -> tuple[_Shape, ...]:
        return tuple(
            msgspec.json.decode(each.body, type=shape)
            for each in self.received
            if each.path.startswith(path) and each.status < _REFUSED_FROM
        )

    def _take(self, path: str, body: bytes, authorization: str) -> _Answer:
        fault = _fault_of(path, body)
        with self._kept.lock:
            refusing = [code for part, code in self._kept.refusing.items() if path.startswith(part)]
            if refusing:
                answer = _Answer(refusing[0], "refused on purpose")
            elif fault is not None:
                self._kept.faults.append(f"{path}: {fault}")
                answer = _Answer(400, fault)
            else:
                answer = _welcome(path)
            self._kept.received.append(
                Received(path, body, answer.status, time.monotonic(), authorization)
            )
        return answer


_REFUSED_FROM: Final = 300


def _welcome(path: str) -> _Answer:
    """Answer as the service does: Slack in plain text, PagerDuty with 202."""
    if path.startswith(PAGERDUTY_PATH):
        return _Answer(202, '{"status":"success","message":"Event processed"}')
    return _Answer(200, "ok")


def _fault_of(path: str, body: bytes) -> str | None:
    """Say why the service would not take a body; a webhook may be anything in JSON."""
    try:
        if path.startswith(SLACK_PATH):
            return None if msgspec.json.decode(body, type=SlackMessage).attachments else "empty"
        if path.startswith(PAGERDUTY_PATH):
            return _event_fault(msgspec.json.decode(body, type=PagerDutyEvent))
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return str(error)
    return None


def _event_fault(event: PagerDutyEvent) -> str | None:
    """Say why PagerDuty would refuse an event."""
    if event.event_action not in PAGERDUTY_ACTIONS:
        return f"no such action: {event.event_action}"
    if event.payload.severity not in PAGERDUTY_SEVERITIES:
        return f"no such severity: {event.payload.severity!r}"
    if not event.routing_key or not event.dedup_key:
        return "a key is missing"
    if not 0 < len(event.payload.summary) <= _SUMMARY_MAX:
        return f"the summary has {len(event.payload.summary)} characters"
    return None


class _Server(ThreadingHTTPServer):
    """Serves each request in a thread of its own, none of which outlives the program."""

    daemon_threads = True
    answer: Callable[[str, bytes, str], _Answer]


class _Handler(BaseHTTPRequestHandler):
    """Hands a POST to the sink."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take one notification."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization") or ""
        answer = _server_of(self).answer(self.path, body, authorization)
        text = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what arrives is kept, not printed."""


def _server_of(handler: BaseHTTPRequestHandler) -> _Server:
    if not isinstance(handler.server, _Server):
        raise TypeError("the handler is made for the sink's own server")
    return handler.server
