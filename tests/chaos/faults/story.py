"""What is done to whom, when and for how long: one fault, and a story of several, as text.

    kill:ledger@0.40, freeze:projector@1.20+0.80, delay:api-database@0.30+1.50*80!

A fault waits `@` so many seconds after the one before it, lasts `+` so many, and may have an
amount `*`. After one that ends with `!` nobody waits until commands are answered again: the next
meets a system that is still recovering. Written and read again, a story is the same story.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

_FAULT: Final = re.compile(
    r"(?P<kind>[a-z-]+):(?P<target>[a-z0-9-]+)@(?P<pause>[0-9.]+)"
    r"(?:\+(?P<duration>[0-9.]+))?(?:\*(?P<amount>[0-9.]+))?(?P<hasty>!?)"
)


class StoryError(Exception):
    """A text is no story; the text of this says which part, and what one looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong. Its numbers have two decimals at most."""

    kind: str
    target: str
    pause_s: float
    duration_s: float = 0.0
    amount: float = 0.0
    is_hasty: bool = False

    @override
    def __str__(self) -> str:
        """Write it as a part of a story."""
        duration = f"+{self.duration_s:.2f}" if self.duration_s else ""
        amount = f"*{self.amount:g}" if self.amount else ""
        end = "!" if self.is_hasty else ""
        return f"{self.kind}:{self.target}@{self.pause_s:.2f}{duration}{amount}{end}"


def write_story(faults: Sequence[Fault]) -> str:
    """Write a story that `read_story` reads."""
    return ",".join(str(fault) for fault in faults)


def read_story(text: str) -> tuple[Fault, ...]:
    """Read a story.

    Raises:
        StoryError: a part of it is no fault.
    """
    return tuple(_read(part.strip()) for part in text.split(",") if part.strip())


def _read(part: str) -> Fault:
    found = _FAULT.fullmatch(part)
    if found is None:
        raise StoryError(
            f"{part!r} is no fault: write kind:target@pause+duration*amount, such as"
            " freeze:projector@1.2+0.8"
        )
    try:
        return Fault(
            kind=found["kind"],
            target=found["target"],
            pause_s=float(found["pause"]),
            duration_s=float(found["duration"] or 0),
            amount=float(found["amount"] or 0),
            is_hasty=bool(found["hasty"]),
        )
    except ValueError as error:
        raise StoryError(f"{part!r}: {error}") from error
