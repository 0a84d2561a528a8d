"""The switch with its file, its receivers and its port; time stands still unless it is moved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import pytest

from gx.monitoring.deadman.edge import HeartbeatApp
from gx.monitoring.deadman.heartbeat import BODY_BYTES_MAX, NotAHeartbeatError
from gx.monitoring.deadman.instruments import build_deadman_metrics
from gx.monitoring.deadman.receivers import (
    News,
    NotToldError,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    WebhookReceiver,
    read_secret,
)
from gx.monitoring.deadman.state import StateFile
from gx.monitoring.deadman.switch import DeadMansSwitch, SwitchOptions
from gx.monitoring.deadman.watch import Message, Word
from gx.proof.sink import PAGERDUTY_PATH, Sink
from gx.telemetry.exposition import TelemetryServer
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.health import Probes
from tests.monitoring.deadman.bodies import a_heartbeat
from tests.telemetry.clocks import StoppedClock
from tests.telemetry.processes import samples_of

OPTIONS: Final = SwitchOptions(period_s=60, system="gx mainnet", runbook="http://wiki/Watchdog")


@dataclass
class RememberingReceiver:
    """Remembers what it is told, and refuses when told to."""

    name: str
    heard: list[tuple[Word, str]] = field(default_factory=list)
    is_broken: bool = False

    async def tell(self, news: News) -> None:
        """Remember it, or refuse."""
        if self.is_broken:
            raise NotToldError(f"{self.name} is broken on purpose")
        self.heard.append((news.message.word, news.message.incident))


class Scene:
    """A switch that can be restarted with the same file."""

    def __init__(self, folder: Path, *receivers: Receiver) -> None:
        self.time = StoppedClock()
        self.file = folder / "state.json"
        self.receivers = receivers
        self.registry = MetricsRegistry()
        self.switch = self._new()

    def _new(self) -> DeadMansSwitch:
        self.registry = MetricsRegistry()
        return DeadMansSwitch(
            options=OPTIONS,
            receivers=self.receivers,
            state=StateFile(self.file),
            clock=self.time,
            metrics=build_deadman_metrics(self.registry),
            monotonic_s=self.time.monotonic_s,
        )

    def restart(self, *, away_s: float = 0.0) -> None:
        """End the process and start it again after a while."""
        self.time.advance(seconds=away_s)
        self.switch = self._new()

    async def silence(self, seconds: float) -> None:
        """Let time pass as the process lives through it."""
        turns = int(seconds / OPTIONS.turn_s)
        for _ in range(turns):
            self.time.advance(seconds=OPTIONS.turn_s)
            await self.switch.turn()

    def sample(self, name: str, **labels: str) -> float:
        """Return one of its metrics."""
        return samples_of(self.registry.render())[name, tuple(sorted(labels.items()))]


async def test_silence_is_told_once_and_its_end_once(tmp_path: Path) -> None:
    """Whatever restarts in between: the file remembers who was told what."""
    slack = RememberingReceiver("slack")
    scene = Scene(tmp_path, slack)
    scene.switch.beat(a_heartbeat())
    await scene.silence(180)
    assert slack.heard == []

    await scene.silence(10)
    ((word, incident),) = slack.heard
    assert word is Word.TRIGGER
    scene.restart()
    await scene.silence(600)
    assert len(slack.heard) == 1

    scene.restart()
    scene.switch.beat(a_heartbeat())
    await scene.switch.turn()
    assert slack.heard == [(Word.TRIGGER, incident), (Word.RESOLVE, incident)]
    await scene.silence(60)
    assert len(slack.heard) == 2


async def test_being_away_is_not_silence(tmp_path: Path) -> None:
    """Nobody knows what would have been heard while this process did not run."""
    slack = RememberingReceiver("slack")
    scene = Scene(tmp_path, slack)
    scene.switch.beat(a_heartbeat())
    await scene.silence(120)
    scene.restart(away_s=86_400)
    await scene.silence(60)
    assert slack.heard == []

    await scene.silence(10)
    assert len(slack.heard) == 1


async def test_restarting_all_the_time_does_not_hide_a_silence(tmp_path: Path) -> None:
    """A crash loop still adds up what it has listened through."""
    slack = RememberingReceiver("slack")
    scene = Scene(tmp_path, slack)
    for _ in range(10):
        await scene.silence(20)
        scene.restart(away_s=1)
    await scene.silence(10)

    assert [word for word, _ in slack.heard] == [Word.TRIGGER]


async def test_a_process_that_was_frozen_did_not_listen(tmp_path: Path) -> None:
    """Ten minutes of SIGSTOP are no silence of the other side."""
    slack = RememberingReceiver("slack")
    scene = Scene(tmp_path, slack)
    scene.switch.beat(a_heartbeat())
    scene.time.advance(seconds=600)
    await scene.switch.turn()

    assert slack.heard == []
    assert scene.switch.watch.silent_s <= 2 * OPTIONS.turn_s


async def test_no_heartbeat_ever_is_told_too(tmp_path: Path) -> None:
    """A chain that was never connected is as silent as one that broke."""
    slack = RememberingReceiver("slack")
    scene = Scene(tmp_path, slack)
    assert scene.switch.describe()["state"] == "waiting"
    await scene.silence(190)

    assert [word for word, _ in slack.heard] == [Word.TRIGGER]
    assert scene.switch.describe()["state"] == "silent"


async def test_a_broken_receiver_is_told_until_it_takes_it_and_holds_up_no_other(
    tmp_path: Path,
) -> None:
    """Each receiver has its own memory; failures are counted."""
    slack, pager = RememberingReceiver("slack"), RememberingReceiver("pagerduty")
    scene = Scene(tmp_path, slack, pager)
    slack.is_broken = True
    await scene.silence(200)
    assert (len(slack.heard), len(pager.heard)) == (0, 1)
    failed = scene.sample("deadman_notifications_total", receiver="slack", status="error")
    assert failed > 1

    slack.is_broken = False
    await scene.switch.turn()
    await scene.switch.turn()
    assert (len(slack.heard), len(pager.heard)) == (1, 1)
    assert scene.sample("deadman_notifications_total", receiver="slack", status="success") == 1
    assert scene.sample("deadman_alarm") == 1


async def test_what_was_never_told_is_not_taken_back(tmp_path: Path) -> None:
    """A receiver that was broken for the whole silence hears nothing of its end."""
    slack = RememberingReceiver("slack", is_broken=True)
    scene = Scene(tmp_path, slack)
    await scene.silence(200)
    scene.switch.beat(a_heartbeat())
    slack.is_broken = False
    await scene.switch.turn()

    assert slack.heard == []


@pytest.mark.parametrize(
    "damaged",
    [b"", b"not json", b"{}", b'{"silent_s":1,"incident":"\xff"}', b"\x00" * 100],
    ids=["empty", "text", "incomplete", "no-utf8", "zeros"],
)
async def test_a_damaged_file_does_not_keep_it_from_listening(
    damaged: bytes, tmp_path: Path
) -> None:
    """It begins with nothing known, and still speaks."""
    (tmp_path / "state.json").write_bytes(damaged)
    slack = RememberingReceiver("slack")
    scene = Scene(tmp_path, slack)
    await scene.silence(190)

    assert len(slack.heard) == 1


async def test_a_file_that_cannot_be_written_is_said_by_readiness(tmp_path: Path) -> None:
    """It goes on listening; a restart would forget, and whoever looks is told."""
    scene = Scene(tmp_path)
    assert scene.switch.kept.fault() is None
    scene.file.unlink()
    scene.file.mkdir()
    scene.switch.beat(a_heartbeat())

    assert "cannot be written" in (scene.switch.kept.fault() or "")
    assert scene.switch.watch.beats == 1


async def test_a_refused_heartbeat_changes_nothing(tmp_path: Path) -> None:
    """It is counted apart, and silence goes on."""
    scene = Scene(tmp_path)
    await scene.silence(100)
    silent_s = scene.switch.watch.silent_s
    with pytest.raises(NotAHeartbeatError):
        scene.switch.beat(a_heartbeat(status="resolved"))

    assert scene.switch.watch.silent_s == silent_s
    assert scene.sample("deadman_heartbeats_total", result="refused") == 1
    assert scene.sample("deadman_heartbeats_total", result="accepted") == 0


@asynccontextmanager
async def served(scene: Scene, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a scene's switch on a free port."""
    server = TelemetryServer(
        registry=scene.registry,
        probes=Probes(live=(scene.switch.turns,), ready=(scene.switch.kept,)),
        port=0,
        wrap=lambda telemetry: HeartbeatApp(scene.switch, telemetry, token=token),
    )
    async with server:
        url = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield client


async def test_the_port_takes_heartbeats_and_says_what_is_known(tmp_path: Path) -> None:
    """Heartbeats, status, probes and metrics share it; what is no heartbeat gets a reason."""
    scene = Scene(tmp_path)
    async with served(scene) as client:
        assert (await client.post("/heartbeat", content=a_heartbeat())).json() == {"ok": True}
        refused = await client.post("/heartbeat", content=b"{}")
        assert (refused.status_code, refused.json()["ok"]) == (400, False)
        assert (await client.get("/heartbeat")).status_code == 405
        too_long = await client.post("/heartbeat", content=b"x" * (BODY_BYTES_MAX + 1))
        assert too_long.status_code == 413
        status = (await client.get("/status")).json()
        assert (status["state"], status["beats"]) == ("beating", 1)
        assert status["lastBeatAt"] == "2023-11-14T22:13:20Z"
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/livez")).status_code == 200
        assert "deadman_silence_seconds" in (await client.get("/metrics")).text


async def test_without_the_token_nothing_is_taken(tmp_path: Path) -> None:
    """Otherwise anybody could keep a dead chain looking alive."""
    scene = Scene(tmp_path)
    async with served(scene, token="right") as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "right"}):
            answer = await client.post("/heartbeat", content=a_heartbeat(), headers=headers)
            assert answer.status_code == 401
        assert scene.switch.watch.beats == 0
        headers = {"Authorization": "Bearer right"}
        answer = await client.post("/heartbeat", content=a_heartbeat(), headers=headers)
        assert answer.status_code == 200


def news_of(word: Word) -> News:
    """Return news as the switch makes them."""
    return News(
        message=Message("any", word, "gx-deadman/gx/1"),
        system="gx mainnet",
        silent_s=200.4,
        last_beat_at="2026-11-21T22:00:00Z" if word is Word.TRIGGER else None,
        runbook="http://wiki/Watchdog",
    )


async def test_slack_pagerduty_and_webhooks_are_told_in_their_own_shapes() -> None:
    """A page's end has the key of its beginning; a message says what it means."""
    with Sink() as sink:
        async with httpx.AsyncClient(trust_env=False) as client:
            receivers: tuple[Receiver, ...] = (
                SlackReceiver(name="slack", client=client, url=sink.slack_url),
                PagerDutyReceiver(
                    name="pagerduty",
                    client=client,
                    url=lambda: sink.pagerduty_url,
                    routing_key=lambda: "key",
                ),
                WebhookReceiver(name="webhook", client=client, url=sink.webhook_url),
            )
            for receiver in receivers:
                for word in Word:
                    await receiver.tell(news_of(word))
        assert sink.faults == ()
        first, last = sink.slack
        assert first.title == "[FIRING:1] DeadMansSwitch of gx mainnet"
        assert "no heartbeat for 200 s" in first.attachments[0].text
        assert "2026-11-21T22:00:00Z" in first.attachments[0].text
        assert last.title == "[RESOLVED] DeadMansSwitch of gx mainnet"
        assert (first.attachments[0].color, last.attachments[0].color) == ("danger", "good")
        trigger, resolve = sink.pagerduty
        assert (trigger.event_action, resolve.event_action) == ("trigger", "resolve")
        assert trigger.dedup_key == resolve.dedup_key == "gx-deadman/gx/1"
        assert (trigger.payload.severity, trigger.routing_key) == ("critical", "key")
        assert trigger.links[0].href == "http://wiki/Watchdog"
        webhooks = [each for each in sink.received if each.path.startswith("/webhook")]
        assert [b'"trigger"' in each.body for each in webhooks] == [True, False]


async def test_a_receiver_that_refuses_or_is_away_is_an_error_without_its_address() -> None:
    """The address of a Slack webhook is a secret: it is in no error, so in no log."""
    with Sink() as sink:
        sink.refuse(PAGERDUTY_PATH, 429)
        url = sink.url
        async with httpx.AsyncClient(trust_env=False) as client:
            pager = PagerDutyReceiver(
                name="pagerduty",
                client=client,
                url=lambda: sink.pagerduty_url,
                routing_key=lambda: "secret-key",
            )
            with pytest.raises(NotToldError, match="pagerduty answered 429") as refused:
                await pager.tell(news_of(Word.TRIGGER))
            assert "secret-key" not in str(refused.value)
    async with httpx.AsyncClient(trust_env=False) as client:
        slack = SlackReceiver(name="slack", client=client, url=lambda: f"{url}/secret")
        with pytest.raises(NotToldError, match="slack cannot be reached") as gone:
            await slack.tell(news_of(Word.TRIGGER))
        assert "secret" not in str(gone.value)
        odd = SlackReceiver(name="slack", client=client, url=lambda: "no address at all")
        with pytest.raises(NotToldError, match="slack cannot be reached"):
            await odd.tell(news_of(Word.TRIGGER))


def test_a_secret_that_cannot_be_read_names_its_setting(tmp_path: Path) -> None:
    """Missing and empty files are said; the value never is."""
    with pytest.raises(NotToldError, match=r"GX_X: .* cannot be read"):
        read_secret(tmp_path / "none", setting="GX_X")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(NotToldError, match=r"GX_X: .* is empty"):
        read_secret(tmp_path / "empty", setting="GX_X")
    (tmp_path / "good").write_text("value\n")
    assert read_secret(tmp_path / "good", setting="GX_X") == "value"
