"""When silence is an alarm: the decision alone, without clock, files or network.

Silence is what this process itself has listened through. Time in which it did not run counts
neither for nor against the other side, so that restarting it neither forgets a silence nor makes
one up, and a clock that jumps changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

PERIODS_MAX: Final = 3


class Word(StrEnum):
    """What a receiver is told, in PagerDuty's terms."""

    TRIGGER = "trigger"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What is known; it is all that has to survive a restart.

    `silent_s` is how long nothing was heard. `incident` names the silence that is an alarm, None
    while there is none. `told` has, for each receiver, the incident that it believes to be open.
    """

    silent_s: float = 0.0
    last_beat_at_ms: int | None = None
    beats: int = 0
    incident: str | None = None
    told: Mapping[str, str] = field(default_factory=dict)


def listen(watch: Watch, elapsed_s: float, *, deadline_s: float, new_incident: str) -> Watch:
    """Return what is known after listening to silence for a while longer."""
    silent_s = watch.silent_s + elapsed_s
    is_late = silent_s > deadline_s and watch.incident is None
    return replace(watch, silent_s=silent_s, incident=new_incident if is_late else watch.incident)


def hear(watch: Watch, *, now_ms: int) -> Watch:
    """Return what is known after a beat: the silence, and an alarm about it, are over."""
    return replace(
        watch, silent_s=0.0, last_beat_at_ms=now_ms, beats=watch.beats + 1, incident=None
    )


@dataclass(frozen=True, slots=True)
class Message:
    """What one receiver has yet to be told about one incident."""

    receiver: str
    word: Word
    incident: str


def untold(watch: Watch, receivers: Iterable[str]) -> tuple[Message, ...]:
    """List what receivers do not know yet.

    Whoever never heard of an incident need not hear that it is over.
    """
    messages = []
    for name in receivers:
        believed = watch.told.get(name)
        if believed is not None and believed != watch.incident:
            messages.append(Message(name, Word.RESOLVE, believed))
        elif believed is None and watch.incident is not None:
            messages.append(Message(name, Word.TRIGGER, watch.incident))
    return tuple(messages)


def note_told(watch: Watch, message: Message) -> Watch:
    """Return what is known once a receiver has taken a message."""
    others = {name: incident for name, incident in watch.told.items() if name != message.receiver}
    now = {message.receiver: message.incident} if message.word is Word.TRIGGER else {}
    return replace(watch, told={**others, **now})
