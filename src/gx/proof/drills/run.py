"""Plays drills, side by side where they share nothing, and judges what alerting made of each."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import asyncpg
import httpx

from gx.domain.errors import GxError
from gx.monitoring.alertmanager.inhibition import INHIBITIONS
from gx.monitoring.alertmanager.routing import GROUP_BY, Pace
from gx.monitoring.alerts.backend import RESTART_LOOP
from gx.monitoring.alerts.burn import BURN_ALERTS
from gx.monitoring.alerts.watching import NOTIFICATIONS_FAIL, WATCHDOG
from gx.proof.drills.notifications import expected_receivers, notices_of, silence_notices
from gx.proof.drills.observer import Observer, Sighting
from gx.proof.drills.onsets import FORGET_S
from gx.proof.drills.outcome import AlertRun, DrillRun, FalseAlarm, Phase
from gx.proof.drills.playground import Playground, playing
from gx.proof.drills.scenarios import Scenario
from gx.proof.drills.stack import SLOW_BURNS, DrillStack

_POLL_S: Final = 0.1
HANG_S: Final = 300.0
"""How long a step may take before it counts as hanging; a busy machine needs a part of it."""
_LONGEST_S: Final = 3_600
_ENDS: Final = frozenset({Phase.RESOLVED, Phase.LATE, Phase.FAILED, Phase.INTERRUPTED})
# A fault could not be made or ended, or what should follow did not: that drill failed, no other.
_PLAYING_FAILS: Final = (GxError, httpx.HTTPError, asyncpg.PostgresError, OSError)
_SLOW_TO_FORGET: Final = frozenset(
    alert.name for alert in (*BURN_ALERTS, RESTART_LOOP, NOTIFICATIONS_FAIL)
)


class DrillHungError(GxError):
    """A step of a drill did not happen; the text says which and what was seen instead."""


class Conductor:
    """Plays scenarios on one stack. Use it once."""

    def __init__(
        self, stack: DrillStack, *, tell: Callable[[DrillRun], None] = lambda _: None
    ) -> None:
        self._stack = stack
        self._tell = tell
        self._observer = Observer(stack)
        self._active: dict[str, Scenario] = {}
        self._begun: set[str] = set()
        self._recovered: set[str] = set()
        self._judged: set[int] = set()
        self._is_settled = False
        self._is_interrupted = False
        self._run = DrillRun(scale=stack.places.scale, began_s=time.monotonic(), alerts=[])

    async def play(self, scenarios: Sequence[Scenario]) -> DrillRun:
        """Play all of them and return what happened."""
        self._run.alerts = [
            AlertRun(alert=alert, scenario=each) for each in scenarios for alert in each.expects
        ]
        observing = asyncio.create_task(self._observer.run())
        watching = asyncio.create_task(self._watch())
        try:
            async with playing(self._stack) as play, self._interruptible():
                await self._settle()
                self._run.began_s = time.monotonic()
                await self._schedule(play, list(scenarios))
        finally:
            for task in (observing, watching):
                task.cancel()
            await asyncio.gather(observing, watching, return_exceptions=True)
        self._run.ended_s = time.monotonic()
        self._run.shape_faults = self._stack.sink.faults
        return self._run

    @asynccontextmanager
    async def _interruptible(self) -> AsyncIterator[None]:
        """Say at once what is not played to its end: what fails then does as the stack ends."""
        try:
            yield
        except asyncio.CancelledError:
            for run in self._run.alerts:
                if run.phase not in _ENDS:
                    run.phase = Phase.INTERRUPTED
            self._tell(self._run)
            self._is_interrupted = True
            raise

    @property
    def _hang_s(self) -> float:
        return max(HANG_S, self._run.scale.seconds(_LONGEST_S))

    async def _until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so; at the true pace that may take an hour."""
        await _until(is_so, what, max_s=self._hang_s)

    async def _settle(self) -> None:
        """Wait until the Watchdog fires and nothing else: a stack that has just started is not."""
        calm_s = self._run.scale.seconds(120)
        since_s = time.monotonic()
        await self._until(
            lambda: bool(self._observer.of(WATCHDOG.name)), "the Watchdog's first alert"
        )

        def is_calm() -> bool:
            nonlocal since_s
            if any(
                each.gone_s is None and each.name not in {WATCHDOG.name, *SLOW_BURNS}
                for each in self._observer.sightings
            ):
                since_s = time.monotonic()
            return time.monotonic() - since_s > calm_s

        await self._until(is_calm, "a stack without alerts")
        self._is_settled = True

    async def _schedule(self, play: Playground, waiting: list[Scenario]) -> None:
        """Start each scenario as soon as nothing that runs, or waits before it, is in its way."""
        running: dict[asyncio.Task[None], Scenario] = {}
        busy_s = time.monotonic()
        while waiting or running:
            before = list(running.values())
            for scenario in tuple(waiting):
                if not self._speaks_already(scenario) and not any(
                    self._is_in_the_way(other, scenario) for other in before
                ):
                    waiting.remove(scenario)
                    running[asyncio.create_task(self._one(play, scenario))] = scenario
                before.append(scenario)
            if not running:
                if time.monotonic() - busy_s > self._hang_s:
                    raise DrillHungError(f"{waiting[0].name}: its alerts fire without it")
                await asyncio.sleep(_POLL_S)
                continue
            busy_s = time.monotonic()
            done, _ = await asyncio.wait(running, timeout=_POLL_S)
            for task in done:
                running.pop(task)
                task.result()

    def _speaks_already(self, scenario: Scenario) -> bool:
        """Say whether an alert that a drill expects is there without it: it would prove nothing."""
        expected = {alert.name for alert in scenario.expects}
        return not scenario.is_silence and any(
            each.gone_s is None and each.name in expected for each in self._observer.sightings
        )

    def _is_in_the_way(self, other: Scenario, scenario: Scenario) -> bool:
        """Say whether one cannot start while another is where it is.

        What another expects must be told of before it may fire for another reason; what another
        tolerates says nothing any more once its alerts are gone.
        """
        if {alert.name for alert in other.expects} & scenario.tolerated:
            return True
        if other.name in self._recovered:
            return False
        expected = {alert.name for alert in scenario.expects}
        return bool(other.parts & scenario.parts or expected & other.tolerated)

    async def _one(self, play: Playground, scenario: Scenario) -> None:
        """Play one scenario to its end; a step that hangs fails its alerts and ends it."""
        runs = [each for each in self._run.alerts if each.scenario is scenario]
        self._active[scenario.name] = scenario
        self._begun.add(scenario.name)
        try:
            began_s = time.monotonic()
            async with _fault(scenario, play):
                for run in runs:
                    run.injected_s, run.phase = began_s, Phase.INJECTED
                await self._until(lambda: _every(self._has_spoken, runs), scenario.name)
            for run in runs:
                run.ended_s, run.phase = time.monotonic(), Phase.RECOVERING
            await self._until(lambda: _every(self._is_gone, runs), scenario.name)
            self._recovered.add(scenario.name)
            await self._until(lambda: _every(self._is_over, runs), scenario.name)
            for run in runs:
                self._judge(run)
        except _PLAYING_FAILS as error:
            if self._is_interrupted:
                return
            for run in runs:
                run.faults.append(f"{run.phase}: {type(error).__name__}: {error}")
                run.phase = Phase.FAILED
        finally:
            self._active.pop(scenario.name)
            self._report()

    def _has_spoken(self, run: AlertRun) -> bool:
        """Say whether an alert fires, and whoever should be told was, or it is muted."""
        if run.scenario.is_silence:
            return self._has_silence_spoken(run)
        run.sighting = self._sighting(run)
        if run.sighting is None:
            return False
        seen = self._observer.of(run.alert.name, since_s=run.injected_s or 0)
        run.muting = next((each for each in seen if each.muted_s is not None), None)
        run.phase = Phase.PENDING
        if run.sighting.firing_s is None:
            return False
        self._read_notices(run)
        told = {each.receiver for each in run.notices if each.is_firing}
        wanted = expected_receivers(self._stack.monitoring, run.sighting.labels)
        run.phase = Phase.FIRING
        if wanted <= told:
            run.phase = Phase.NOTIFIED
        elif run.muting is not None:
            run.phase = Phase.MUTED
        self._report()
        return run.phase in {Phase.NOTIFIED, Phase.MUTED}

    def _has_silence_spoken(self, run: AlertRun) -> bool:
        """Say whether the dead-man's receiver was heard: nobody else can speak."""
        self._read_notices(run)
        if run.told_s is None:
            return False
        run.phase = Phase.NOTIFIED
        self._report()
        return True

    def _sighting(self, run: AlertRun) -> Sighting | None:
        """Return the alert's first firing sighting since the fault, else a pending one."""
        seen = self._observer.of(run.alert.name, since_s=run.injected_s or 0)
        firing = [each for each in seen if each.firing_s is not None]
        return next(iter(firing or seen[-1:]), None)

    def _read_notices(self, run: AlertRun) -> None:
        received = [r for r in self._stack.sink.received if r.at_s >= (run.injected_s or 0)]
        if run.scenario.is_silence:
            run.notices = tuple(silence_notices(received))
        elif run.sighting is not None:
            run.notices = tuple(notices_of(run.alert, run.sighting.labels, received))

    def _is_gone(self, run: AlertRun) -> bool:
        """Say whether an alert fires no more."""
        if run.scenario.is_silence:
            self._read_notices(run)
            run.resolved_s = run.untold_s
            return run.resolved_s is not None
        seen = self._observer.of(run.alert.name, since_s=run.injected_s or 0)
        if any(each.is_firing for each in seen):
            return False
        run.resolved_s = max((each.gone_s or 0 for each in seen), default=None)
        return True

    def _is_over(self, run: AlertRun) -> bool:
        """Say whether an alert is gone, and whoever was told of it was told of that."""
        self._read_notices(run)
        last = {each.receiver: each.is_firing for each in run.notices}
        if any(last.values()) or not self._is_gone(run):
            return False
        run.phase = Phase.RESOLVED
        self._report()
        return True

    def _report(self) -> None:
        if not self._is_interrupted:
            self._tell(self._run)

    def _judge(self, run: AlertRun) -> None:
        run.has_open_group = _has_open_group(run, self._observer, self._run)
        if run.is_late(self._run.scale):
            run.phase = Phase.LATE
            run.faults.append(run.lateness(self._run.scale))
        run.faults += [f"{each.receiver}: {fault}" for each in run.notices for fault in each.faults]
        run.faults += _muting_faults(run, self._observer)
        keys = {each.dedup_key for each in run.notices if each.dedup_key}
        if len(keys) > 1:
            run.faults.append(f"PagerDuty got {len(keys)} different dedup keys: {sorted(keys)}")

    async def _watch(self) -> None:
        """Note every alert that begins to fire while nothing that is played explains it."""
        while True:
            for sighting in self._observer.firing():
                if id(sighting) in self._judged:
                    continue
                self._judged.add(id(sighting))
                if self._is_settled and sighting.name not in self._explained():
                    during = tuple(sorted(self._active))
                    self._run.false_alarms.append(FalseAlarm(sighting=sighting, during=during))
            await asyncio.sleep(_POLL_S)

    def _explained(self) -> frozenset[str]:
        names = {name for each in self._active.values() for name in each.tolerated}
        # Burn rates look back for hours, restarts and lost notifications are counted for minutes:
        # they may speak of what is over.
        remembered = {
            run.scenario.name: run.scenario
            for run in self._run.alerts
            if run.scenario.name in self._begun
        }
        for scenario in remembered.values():
            names |= scenario.tolerated & _SLOW_TO_FORGET
        return frozenset(names | {WATCHDOG.name})


def _fault(scenario: Scenario, play: Playground) -> AbstractAsyncContextManager[None]:
    return scenario.inject(play)


def _muting_faults(run: AlertRun, observer: Observer) -> Iterable[str]:
    """Say which muting no declared inhibition explains."""
    if run.muting is None:
        return
    run.muted_by = tuple(sorted(run.muting.muted_by))
    for name in run.muted_by:
        sources = [each.labels for each in observer.of(name)]
        is_declared = any(
            rule.mutes(run.muting.labels, source) for rule in INHIBITIONS for source in sources
        )
        if not is_declared:
            yield f"{name} muted it, and no inhibition says so"


def _has_open_group(run: AlertRun, observer: Observer, whole: DrillRun) -> bool:
    """Say whether Alertmanager still kept the alert's group from another of the same.

    It keeps a group until a notification finds it empty, and then until it looks for empty ones. A
    stack that starts misses everything for a moment: Prometheus tells Alertmanager of that when it
    is over, which opens groups, too.
    """
    if run.sighting is None or run.sighting.firing_s is None:
        return False
    firing_s, labels = run.sighting.firing_s, run.sighting.labels
    kept_s = whole.scale.seconds(Pace().interval_s) + FORGET_S
    return firing_s < whole.began_s + kept_s or any(
        each.firing_s is not None
        and each.firing_s < firing_s < (each.gone_s or firing_s) + kept_s
        and all(each.labels.get(name) == labels.get(name) for name in GROUP_BY)
        for each in observer.of(run.alert.name)
    )


def _every(is_so: Callable[[AlertRun], bool], runs: Iterable[AlertRun]) -> bool:
    """Ask of each, also after one that says no: asking is what notes where it stands."""
    answers = [is_so(run) for run in runs]
    return all(answers)


async def _until(is_so: Callable[[], bool], what: str, *, max_s: float) -> None:
    """Wait until something is so; the bound is there for what never will be."""
    deadline_s = time.monotonic() + max_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise DrillHungError(f"{what}: nothing more happened for {max_s:.0f} s")
        await asyncio.sleep(_POLL_S)
