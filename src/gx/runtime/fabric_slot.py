"""One chaincode slot of the native network: waits for a package to serve, then becomes its server.

Run as `python -m gx.runtime.fabric_slot SLOTS NUMBER METRICS_PORT`. It replaces itself with
`gx chaincode serve`, so signals, logs and the supervisor's watch are the server's own. When the
slot's content changes, the server is asked to end, and the supervisor starts this anew.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

from gx.fabric.slots import Slot, slots_in
from gx.runtime.settings import environment

POLL_S: Final = 0.1
ADDRESS_VARIABLE: Final = "CHAINCODE_SERVER_ADDRESS"
PACKAGE_VARIABLE: Final = "CHAINCODE_ID"


def main(arguments: list[str]) -> None:
    """Wait until the slot serves something, and serve it."""
    path, number, metrics_port = Path(arguments[0]), int(arguments[1]), arguments[2]
    while (found := _served(path, number)) is None:
        time.sleep(POLL_S)
    slot, package_id = found
    named = {
        PACKAGE_VARIABLE: package_id,
        ADDRESS_VARIABLE: slot.address,
        "GX_CHAINCODE_METRICS_PORT": metrics_port,
    }
    command = [sys.executable, "-m", "gx.cli.main", "chaincode", "serve"]
    os.execve(sys.executable, command, {**environment(), **named})  # noqa: S606 (our own program)


def _served(path: Path, number: int) -> tuple[Slot, str] | None:
    slots = slots_in(path)
    slot = slots[number] if number < len(slots) else None
    if slot is None or slot.served is None:
        return None
    return slot, slot.served.package_id


if __name__ == "__main__":
    main(sys.argv[1:])
