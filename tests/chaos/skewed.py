"""Run `gx` by a clock that others may move.

    python -m tests.chaos.skewed FILE GX_ARGUMENTS ...

FILE holds by how many seconds the clock is wrong. Only the wall clock is: what waits, waits.
"""

import sys
import time
from pathlib import Path
from typing import Final

from gx.cli.main import main
from gx.runtime.clock import SystemClock

READ_EVERY_S: Final = 0.1


class Skew:
    """How wrong the clock is now, by a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset_ms = 0
        self._read_at_s = 0.0

    def now_ms(self) -> int:
        """Tell the wrong time."""
        if time.monotonic() - self._read_at_s > READ_EVERY_S:
            self._offset_ms = round(float(self._file.read_text() or "0") * 1_000)
            self._read_at_s = time.monotonic()
        return time.time_ns() // 1_000_000 + self._offset_ms


if __name__ == "__main__":
    skew = Skew(Path(sys.argv.pop(1)))
    SystemClock.now_ms = skew.now_ms  # type: ignore[method-assign,assignment] # every SystemClock of this process
    main()
