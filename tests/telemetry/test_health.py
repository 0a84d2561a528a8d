"""Live and ready: when they are, and what they say when they are not."""

import json

from gx.telemetry.health import Heartbeat, ProbeAnswer, Probes, ReadinessCheck
from tests.telemetry.clocks import StoppedClock


def test_a_loop_is_live_until_its_deadline() -> None:
    """A turn keeps the process live for the deadline and not longer."""
    clock = StoppedClock()
    heartbeat = Heartbeat("loop", deadline_s=10, monotonic_s=clock.monotonic_s)

    clock.advance(seconds=10)
    assert heartbeat.fault() is None
    clock.advance(seconds=1)
    assert heartbeat.fault() == "has not turned for 11.0 s, the deadline is 10 s"
    heartbeat.beat()
    assert heartbeat.fault() is None


def test_nothing_is_ready_before_it_was_checked() -> None:
    """A process that has not yet looked at its database gets no work."""
    check = ReadinessCheck("database")

    assert check.fault() == "not checked yet"
    check.passed()
    assert check.fault() is None


def test_a_failed_check_says_why_until_it_passes() -> None:
    """The reason stays, and goes with the next success."""
    check = ReadinessCheck("database")
    check.failed("connection refused")

    assert check.fault() == "connection refused"
    check.passed()
    assert check.fault() is None


def test_a_check_that_nobody_repeats_goes_stale() -> None:
    """A passed check is worth nothing once its checker hangs."""
    clock = StoppedClock()
    check = ReadinessCheck("database", stale_after_s=15, monotonic_s=clock.monotonic_s)
    check.passed()

    clock.advance(seconds=15)
    assert check.fault() is None
    clock.advance(seconds=1)
    assert check.fault() == "last passed 16.0 s ago"


def test_one_fault_is_enough_to_answer_503() -> None:
    """All checks must be fine; the body names each and the reason of those that are not."""
    clock = StoppedClock()
    good, bad = ReadinessCheck("configuration"), ReadinessCheck("database")
    good.passed()
    bad.failed("no connection")
    loop = Heartbeat("loop", deadline_s=1, monotonic_s=clock.monotonic_s)
    probes = Probes(live=[loop], ready=[good, bad])

    assert probes.livez().status_code == 200
    answer = probes.readyz()
    assert answer.status_code == 503
    assert json.loads(answer.to_json()) == {
        "ok": False,
        "checks": {
            "configuration": {"ok": True},
            "database": {"ok": False, "reason": "no connection"},
        },
    }


def test_no_checks_are_fine() -> None:
    """A process without conditions of its own is ready."""
    assert ProbeAnswer({}).status_code == 200
