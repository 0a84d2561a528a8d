"""When silence is an alarm: the decision alone."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.monitoring.deadman.heartbeat import NotAHeartbeatError, require_heartbeat
from gx.monitoring.deadman.state import StateFile, StateFileError
from gx.monitoring.deadman.watch import (
    Message,
    Watch,
    Word,
    hear,
    listen,
    note_told,
    untold,
)
from tests.monitoring.deadman.bodies import a_heartbeat

DEADLINE_S: Final = 180.0


def after_silence(watch: Watch, silent_s: float, incident: str = "one") -> Watch:
    """Let nothing be heard for a while."""
    return listen(watch, silent_s, deadline_s=DEADLINE_S, new_incident=incident)


def test_silence_is_an_alarm_only_after_the_deadline() -> None:
    """On both sides of it, counted over several looks."""
    quiet = after_silence(after_silence(Watch(), 90), 90)
    assert quiet.incident is None

    assert after_silence(quiet, 0.1).incident == "one"


def test_a_silence_is_one_incident() -> None:
    """It keeps its name for as long as it lasts; the next one has another."""
    silent = after_silence(after_silence(Watch(), 181, "one"), 500, "two")
    assert silent.incident == "one"

    again = after_silence(hear(silent, now_ms=1), 181, "three")
    assert again.incident == "three"


def test_a_beat_ends_everything() -> None:
    """Silence begins anew, and beats are counted."""
    heard = hear(after_silence(Watch(), 500), now_ms=7_000)

    assert (heard.silent_s, heard.incident, heard.beats, heard.last_beat_at_ms) == (
        0.0,
        None,
        1,
        7_000,
    )


def test_each_receiver_is_told_what_it_does_not_know() -> None:
    """Once of the beginning, once of the end, and never of an end without a beginning."""
    silent = after_silence(Watch(), 181)
    assert untold(silent, ["slack", "pagerduty"]) == (
        Message("slack", Word.TRIGGER, "one"),
        Message("pagerduty", Word.TRIGGER, "one"),
    )
    told = note_told(silent, Message("slack", Word.TRIGGER, "one"))
    assert untold(told, ["slack"]) == ()

    over = hear(told, now_ms=1)
    assert untold(over, ["slack", "pagerduty"]) == (Message("slack", Word.RESOLVE, "one"),)
    assert untold(note_told(over, Message("slack", Word.RESOLVE, "one")), ["slack"]) == ()


def test_the_end_of_one_incident_is_told_before_the_next_begins() -> None:
    """A receiver that missed the end hears of it, then of the new one."""
    told = note_told(after_silence(Watch(), 181), Message("slack", Word.TRIGGER, "one"))
    second = after_silence(hear(told, now_ms=1), 181, "two")

    (message,) = untold(second, ["slack"])
    assert message == Message("slack", Word.RESOLVE, "one")
    assert untold(note_told(second, message), ["slack"]) == (Message("slack", Word.TRIGGER, "two"),)


STEPS: Final = st.lists(
    st.one_of(st.just("beat"), st.just("tell"), st.floats(min_value=0, max_value=120)), max_size=40
)


def _step(watch: Watch, step: str | float, number: int) -> Watch:
    if step == "beat":
        return hear(watch, now_ms=number)
    if step == "tell":
        for message in untold(watch, ["slack", "pagerduty"]):
            watch = note_told(watch, message)
        return watch
    return after_silence(watch, float(step), f"incident {number}")


@given(STEPS, st.sets(st.integers(min_value=0, max_value=39)))
def test_a_restart_at_any_point_changes_nothing(
    steps: list[str | float], restarts: set[int]
) -> None:
    """What is kept in the file is all that matters."""
    with TemporaryDirectory() as folder:
        file = StateFile(Path(folder) / "state.json")
        steady = restarted = Watch()
        for number, step in enumerate(steps):
            steady, restarted = _step(steady, step, number), _step(restarted, step, number)
            if number in restarts:
                file.write(restarted)
                restarted = file.read()
        assert restarted == steady


def test_a_file_that_is_not_there_or_damaged(tmp_path: Path) -> None:
    """Nothing is known without a file; a damaged one is an error with a name."""
    path = tmp_path / "deep" / "state.json"
    assert StateFile(path).read() == Watch()

    StateFile(path).write(Watch(beats=3))
    assert StateFile(path).read().beats == 3
    path.write_text("{")
    with pytest.raises(StateFileError, match=r"state\.json cannot be read"):
        StateFile(path).read()

    (tmp_path / "file").write_text("")
    with pytest.raises(StateFileError, match="cannot be written"):
        StateFile(tmp_path / "file" / "state.json").write(Watch())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no webhook"),
        (b"\xff\xfe", "no webhook"),
        (b"[]", "no webhook"),
        (a_heartbeat(version="3"), "of version '3'"),
        (a_heartbeat(name="OutboxQueueCritical"), "no alert called Watchdog"),
        (a_heartbeat(status="resolved"), "not firing"),
    ],
)
def test_what_is_no_heartbeat_is_refused_with_a_reason(body: bytes, reason: str) -> None:
    """Only the Watchdog firing is a sign of life."""
    with pytest.raises(NotAHeartbeatError, match=reason):
        require_heartbeat(body)


def test_a_heartbeat_is_taken() -> None:
    """As Alertmanager sends it."""
    require_heartbeat(a_heartbeat())
