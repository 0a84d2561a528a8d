"""Command ids: UUIDs of version 7, which sort by the time of their making.

Random keys would cost a database a page write for each row once its tables are large.
Source: RFC 9562, sections 5.7 and 6.2 (a counter in `rand_a` keeps ids of one process in order).
"""

from collections.abc import Callable
from typing import Final

from gx.domain.clock import Clock
from gx.domain.identifiers import CommandId

_COUNTER_BITS: Final = 12
_RANDOM_BITS: Final = 62
_VERSION: Final = 7 << 76
_VARIANT: Final = 2 << 62
_COUNTER_END: Final = 1 << _COUNTER_BITS


class CommandIds:
    """Makes ids, each greater than the one before, even when the clock steps back."""

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._last_ms = -1
        self._counter = 0

    def __call__(self) -> CommandId:
        """Make the next id."""
        random = int.from_bytes(self._random_bytes(10), "big")
        self._advance(random >> _RANDOM_BITS)
        value = (
            self._last_ms << 80
            | _VERSION
            | self._counter << 64
            | _VARIANT
            | random & ((1 << _RANDOM_BITS) - 1)
        )
        digits = f"{value:032x}"
        return CommandId(
            f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        )

    def _advance(self, start: int) -> None:
        """Take the next millisecond or count on in this one; a full count borrows the next.

        The count starts in the lower half, so that there is room for 2,048 ids at least.
        """
        now_ms = self._clock.now_ms()
        if now_ms > self._last_ms:
            self._last_ms, self._counter = now_ms, start % (_COUNTER_END // 2)
            return
        self._counter += 1
        if self._counter == _COUNTER_END:
            self._last_ms, self._counter = self._last_ms + 1, 0
