"""However a run is told to end, it first ends what it started.

Ctrl-C cancels what runs, so that each `finally` is passed. A supervisor, `timeout` and a terminal
that is closed have signals of their own, by which Python would be gone in the middle.
"""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

ENDED_BY: Final = 128
"""Added to a signal's number: the status of a process that a signal ended, as shells tell it."""


@contextlib.contextmanager
def ending_cleanly() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end this block as Ctrl-C does, and the process without a traceback.

    The process then exits with 128 and the signal's number. A second of these signals changes
    nothing; a second Ctrl-C ends at once. Enter it in the main thread, before a loop runs.
    """
    told: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        # `timeout` tells the process, and then its whole group again.
        if not told:
            told.append(number)
            signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which is what `nohup` wants
        signal.signal(signal.SIGHUP, interrupt)
    # In the background of a script it is ignored, and asyncio would not cancel anything.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        number = told[0] if told else signal.SIGINT
        raise SystemExit(ENDED_BY + number) from None
