"""Whom the dead-man's receiver tells, and in which words: Slack, PagerDuty, or any webhook."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx

from gx.domain.errors import GxError
from gx.monitoring.deadman.watch import Message, Word

SLACK: Final = "slack"
PAGERDUTY: Final = "pagerduty"
WEBHOOK: Final = "webhook"
TIMEOUT_S: Final = 10.0
_ANSWER_MAX: Final = 200

Body = Mapping[str, object]


class NotToldError(GxError):
    """A receiver did not take a message; the text has its reason and never its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One message with what people want to know about it."""

    message: Message
    system: str
    silent_s: float
    last_beat_at: str | None
    runbook: str

    @property
    def summary(self) -> str:
        """The whole news in one sentence."""
        if self.message.word is Word.RESOLVE:
            return f"Alerting of {self.system} speaks again: heartbeats arrive."
        last = (
            f"the last one came at {self.last_beat_at}" if self.last_beat_at else "none ever came"
        )
        return (
            f"Alerting of {self.system} is silent: no heartbeat for {self.silent_s:.0f} s, {last}. "
            "While this lasts no other alert arrives."
        )


class Receiver(Protocol):
    """One way to tell people."""

    @property
    def name(self) -> str:
        """What it is called in the state, in logs and in metrics."""
        ...

    async def tell(self, news: News) -> None:
        """Pass the news on.

        Raises:
            NotToldError: It was not taken; telling it again later is safe.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Posting:
    """Posts JSON to an address that is read from a file each time, so that it can be changed."""

    name: str
    client: httpx.AsyncClient
    url: Callable[[], str]

    async def post(self, body: Body) -> None:
        url = self.url()
        try:
            answer = await self.client.post(url, json=body, timeout=TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotToldError(f"{self.name} cannot be reached: {type(error).__name__}") from error
        if not answer.is_success:
            said = answer.text[:_ANSWER_MAX].strip()
            raise NotToldError(f"{self.name} answered {answer.status_code}: {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackReceiver(_Posting):
    """A Slack incoming webhook."""

    async def tell(self, news: News) -> None:
        """Post a message in the shape of Alertmanager's own."""
        is_over = news.message.word is Word.RESOLVE
        title = f"[{'RESOLVED' if is_over else 'FIRING:1'}] DeadMansSwitch of {news.system}"
        attachment = {
            "title": title,
            "title_link": news.runbook,
            "text": f"*{news.summary}*\n<{news.runbook}|Runbook>",
            "fallback": f"{title}: {news.summary}",
            "color": "good" if is_over else "danger",
            "mrkdwn_in": ["text"],
        }
        await self.post({"username": "GX dead-man's switch", "attachments": [attachment]})


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyReceiver(_Posting):
    """A service of PagerDuty's Events API v2; the incident's name is the deduplication key."""

    routing_key: Callable[[], str]

    async def tell(self, news: News) -> None:
        """Trigger the incident, or resolve it under the same key."""
        event: dict[str, object] = {
            "routing_key": self.routing_key(),
            "event_action": news.message.word.value,
            "dedup_key": news.message.incident,
            "client": "GX dead-man's switch",
            "links": [{"href": news.runbook, "text": "Runbook"}],
            "payload": {
                "summary": news.summary,
                "source": news.system,
                "severity": "critical",
                "class": "watchdog",
                "component": "monitoring",
                "custom_details": {
                    "silent_s": round(news.silent_s),
                    "last_beat_at": news.last_beat_at,
                },
            },
        }
        await self.post(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver(_Posting):
    """Any address that takes JSON."""

    async def tell(self, news: News) -> None:
        """Post the news as one object."""
        await self.post(
            {
                "event": news.message.word.value,
                "incident": news.message.incident,
                "system": news.system,
                "summary": news.summary,
                "silentS": round(news.silent_s),
                "lastBeatAt": news.last_beat_at,
                "runbook": news.runbook,
            }
        )


def read_secret(path: Path, *, setting: str) -> str:
    """Read a secret from its file.

    Raises:
        NotToldError: The file is not there, not readable, or empty; the text names the setting.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotToldError(f"{setting}: {path} cannot be read: {type(error).__name__}") from error
    if not text:
        raise NotToldError(f"{setting}: {path} is empty")
    return text
