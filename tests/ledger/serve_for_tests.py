"""A ledger process for tests: `python serve_for_tests.py OPTIONS_JSON` serves until SIGTERM."""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path

from gx.ledger.local.schema import StoreUnusableError
from gx.ledger.local.server import LedgerServer, ServeOptions, serve
from gx.ledger.local.store import FlushPolicy
from gx.telemetry.families import MetricsRegistry
from gx.telemetry.instruments import build_ledger_metrics
from tests.ledger.functions import make_execute


class WallClock:
    """The machine's time, moved by so many milliseconds."""

    def __init__(self, shift_ms: int) -> None:
        self._shift_ms = shift_ms

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000 + self._shift_ms


async def announce(_server: LedgerServer) -> None:
    """Tell the test that calls are answered."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


async def main(wanted: dict[str, object]) -> None:
    """Serve as told until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    flush_keys = wanted.get("flush_keys", 32_768)
    assert isinstance(flush_keys, int)
    clock_shift_ms = wanted.get("clock_shift_ms", 0)
    assert isinstance(clock_shift_ms, int)
    options = ServeOptions(
        folder=Path(str(wanted["folder"])),
        socket=Path(str(wanted["socket"])),
        flush=FlushPolicy(keys=flush_keys, slice_keys=max(1, flush_keys // 4)),
    )
    await serve(
        options,
        execute=make_execute(),
        clock=WallClock(clock_shift_ms),
        metrics=build_ledger_metrics(MetricsRegistry(), functions=()),
        stop=stop,
        on_ready=announce,
    )


if __name__ == "__main__":
    try:
        asyncio.run(main(json.loads(sys.argv[1])))
    except StoreUnusableError as error:
        sys.stdout.write(f"unusable: {error}\n")
        sys.exit(3)
