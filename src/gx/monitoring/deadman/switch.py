"""The dead-man's switch itself: beats come in, silence is counted, people are told."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from gx.domain.clock import Clock
from gx.monitoring.deadman.heartbeat import NotAHeartbeatError, require_heartbeat
from gx.monitoring.deadman.instruments import DeadmanMetrics
from gx.monitoring.deadman.receivers import News, NotToldError, Receiver
from gx.monitoring.deadman.state import StateFile, StateFileError
from gx.monitoring.deadman.watch import (
    PERIODS_MAX,
    Message,
    Watch,
    hear,
    listen,
    note_told,
    untold,
)
from gx.telemetry.health import Heartbeat, ReadinessCheck

_log: Final = structlog.get_logger(__name__)

_TURNS_PER_PERIOD: Final = 4
_TURN_MAX_S: Final = 5.0
_HEARD_TURNS_MAX: Final = 2
"""A process that was stopped for longer did not listen meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOptions:
    """How often a beat is due, how many may be missed, and what people call what is watched."""

    period_s: float
    periods_max: int = PERIODS_MAX
    system: str
    runbook: str

    @property
    def deadline_s(self) -> float:
        """How long a silence may last."""
        return self.period_s * self.periods_max

    @property
    def turn_s(self) -> float:
        """How often silence is looked at."""
        return min(_TURN_MAX_S, self.period_s / _TURNS_PER_PERIOD)


class DeadMansSwitch:
    """Tells every receiver once when beats stop and once when they come back, whatever restarts.

    A receiver that takes nothing is told again and again until it does.
    """

    def __init__(
        self,
        *,
        options: SwitchOptions,
        receivers: Sequence[Receiver],
        state: StateFile,
        clock: Clock,
        metrics: DeadmanMetrics,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._receivers = {receiver.name: receiver for receiver in receivers}
        self._state = state
        self._clock = clock
        self._metrics = metrics
        self._monotonic_s = monotonic_s
        self._looked_at_s = monotonic_s()
        self._woken = asyncio.Event()
        self.watch = self._remembered()
        self.kept = ReadinessCheck("state_file")
        self.turns = Heartbeat("loop", deadline_s=60.0, monotonic_s=monotonic_s)
        self._keep(self.watch)

    def beat(self, body: bytes) -> None:
        """Take a heartbeat.

        Raises:
            NotAHeartbeatError: It is none; nothing is changed.
        """
        try:
            require_heartbeat(body)
        except NotAHeartbeatError:
            self._metrics.beats("refused").inc()
            raise
        self._metrics.beats("accepted").inc()
        if self.watch.incident is not None:
            _log.info("heartbeats_resumed", incident=self.watch.incident)
        self._looked_at_s = self._monotonic_s()
        self._keep(hear(self.watch, now_ms=self._clock.now_ms()))
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Listen and tell until asked to stop."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self.turn()
                woken = asyncio.create_task(self._woken.wait())
                await asyncio.wait(
                    {stopping, woken},
                    timeout=self._options.turn_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                woken.cancel()
        finally:
            stopping.cancel()

    async def turn(self) -> None:
        """Count the silence since the last turn, and tell whoever does not know yet."""
        self._woken.clear()
        self.turns.beat()
        self._listen()
        await asyncio.gather(
            *(self._tell(message) for message in untold(self.watch, self._receivers))
        )

    def describe(self) -> dict[str, object]:
        """Return what is known, for people and scripts."""
        watch = self.watch
        return {
            "system": self._options.system,
            "state": self._state_name(),
            "silentS": round(watch.silent_s, 1),
            "deadlineS": self._options.deadline_s,
            "beats": watch.beats,
            "lastBeatAt": _time_text(watch.last_beat_at_ms),
            "incident": watch.incident,
            "receivers": sorted(self._receivers),
            "told": dict(watch.told),
        }

    def _state_name(self) -> str:
        if self.watch.incident is not None:
            return "silent"
        return "waiting" if self.watch.last_beat_at_ms is None else "beating"

    def _listen(self) -> None:
        now_s = self._monotonic_s()
        elapsed_s = min(now_s - self._looked_at_s, _HEARD_TURNS_MAX * self._options.turn_s)
        self._looked_at_s = now_s
        before = self.watch.incident
        self._keep(
            listen(
                self.watch,
                elapsed_s,
                deadline_s=self._options.deadline_s,
                new_incident=f"gx-deadman/{self._options.system}/{self._clock.now_ms()}",
            )
        )
        if self.watch.incident is not None and before is None:
            _log.error("heartbeats_stopped", **self.describe())

    async def _tell(self, message: Message) -> None:
        news = News(
            message=message,
            system=self._options.system,
            silent_s=self.watch.silent_s,
            last_beat_at=_time_text(self.watch.last_beat_at_ms),
            runbook=self._options.runbook,
        )
        try:
            await self._receivers[message.receiver].tell(news)
        except NotToldError as error:
            self._metrics.notifications(message.receiver, "error").inc()
            _log.warning("receiver_not_told", receiver=message.receiver, error=error)
            return
        self._metrics.notifications(message.receiver, "success").inc()
        _log.info("receiver_told", receiver=message.receiver, word=message.word.value)
        self._keep(note_told(self.watch, message))

    def _remembered(self) -> Watch:
        """Return what was known; nothing if the file is damaged: listening matters more."""
        try:
            return self._state.read()
        except StateFileError as error:
            _log.error("state_not_read", error=error)
            return Watch()

    def _keep(self, watch: Watch) -> None:
        """Remember, here and in the file; go on if the file cannot be written, and say so."""
        self.watch = watch
        self._metrics.silence_s.set(watch.silent_s)
        self._metrics.alarm.set(float(watch.incident is not None))
        if watch.last_beat_at_ms is not None:
            self._metrics.last_beat_at_s.set(watch.last_beat_at_ms / 1_000)
        try:
            self._state.write(watch)
        except StateFileError as error:
            self.kept.failed(str(error))
            _log.error("state_not_kept", error=error)
        else:
            self.kept.passed()


def _time_text(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
