"""Is this process alive, and may it get work? Two different questions.

*Live*: its main loop turned within its deadline. Waiting for a lease, for an open circuit breaker
or behind a bad event is turning. A process that is not live should be restarted.
*Ready*: what it needs of its own is good. A process that is not ready should be left alone.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol


class Check(Protocol):
    """Something that is fine, or says why it is not."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def fault(self) -> str | None:
        """Say what is wrong now, None when nothing is. Never blocks, never names a secret."""
        ...


class Heartbeat:
    """Turns of a loop. Fine while the last turn is younger than `deadline_s`."""

    def __init__(
        self,
        name: str,
        *,
        deadline_s: float,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._deadline_s = deadline_s
        self._monotonic_s = monotonic_s
        self._turned_at_s = monotonic_s()

    def beat(self) -> None:
        """Note that the loop turned."""
        self._turned_at_s = self._monotonic_s()

    def fault(self) -> str | None:
        """Say how long the loop has not turned, if that is too long."""
        age_s = self._monotonic_s() - self._turned_at_s
        if age_s <= self._deadline_s:
            return None
        return f"has not turned for {age_s:.1f} s, the deadline is {self._deadline_s:g} s"


class ReadinessCheck:
    """One condition of readiness, told by whoever finds out. It fails until it first passes."""

    def __init__(
        self,
        name: str,
        *,
        stale_after_s: float | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._stale_after_s = stale_after_s
        self._monotonic_s = monotonic_s
        self._lock = Lock()
        self._fault: str | None = "not checked yet"
        self._passed_at_s = monotonic_s()

    def passed(self) -> None:
        """Note that the condition holds."""
        with self._lock:
            self._fault = None
            self._passed_at_s = self._monotonic_s()

    def failed(self, reason: str) -> None:
        """Note that the condition does not hold, and why, without secrets."""
        with self._lock:
            self._fault = reason

    def fault(self) -> str | None:
        """Say why the condition does not hold, or that nobody looked for too long."""
        with self._lock:
            if self._fault is not None or self._stale_after_s is None:
                return self._fault
            age_s = self._monotonic_s() - self._passed_at_s
            return None if age_s <= self._stale_after_s else f"last passed {age_s:.1f} s ago"


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What a probe gets: 200 when every check is fine, else 503, and in JSON what each says."""

    faults: dict[str, str | None]

    @property
    def is_good(self) -> bool:
        """Whether every check is fine."""
        return all(fault is None for fault in self.faults.values())

    @property
    def status_code(self) -> int:
        """Return the HTTP status."""
        return 200 if self.is_good else 503

    def to_json(self) -> bytes:
        """Return the body: the overall answer, and the reason of each check that failed."""
        checks = {
            name: {"ok": True} if fault is None else {"ok": False, "reason": fault}
            for name, fault in self.faults.items()
        }
        return json.dumps({"ok": self.is_good, "checks": checks}).encode()


@dataclass(frozen=True, slots=True)
class Probes:
    """The checks behind `/livez` and `/readyz`."""

    live: Sequence[Check] = field(default=())
    ready: Sequence[Check] = field(default=())

    def livez(self) -> ProbeAnswer:
        """Answer whether the process should go on."""
        return _ask(self.live)

    def readyz(self) -> ProbeAnswer:
        """Answer whether the process may get work."""
        return _ask(self.ready)


def _ask(checks: Sequence[Check]) -> ProbeAnswer:
    return ProbeAnswer({check.name: check.fault() for check in checks})
