"""Clears up behind a stage, also one that was killed: its processes, its disks and its folder.

    python -m tests.chaos.guard FOLDER

It waits until its standard input is closed, which the kernel does for whoever is killed. Then it
ends what still runs of the stack in FOLDER, which may be frozen by a fault and hear nothing else
but SIGKILL, unmounts what lies below, and removes FOLDER.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

MOUNTS: Final = Path("/proc/self/mounts")
GONE_WITHIN_S: Final = 10.0


@asynccontextmanager
async def guarded(folder: Path) -> AsyncIterator[None]:
    """Have a folder, and what is in it, cleared up at the end, or whenever we are no more."""
    guard = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.guard", str(folder)),
        stdin=asyncio.subprocess.PIPE,
        start_new_session=True,  # a signal to our group is not for it
    )
    try:
        yield
    finally:
        assert guard.stdin is not None
        guard.stdin.close()
        await guard.wait()


def clear_up(folder: Path) -> None:
    """End what runs of the folder's stack, unmount what lies in the folder, and remove it."""
    kill_stack(folder)
    for place in mounted_below(folder):
        subprocess.run(("umount", "--lazy", str(place)), check=False)
    shutil.rmtree(folder, ignore_errors=True)


def kill_stack(folder: Path) -> None:
    """Kill the processes of the stack in a folder, and theirs, and wait until they are gone."""
    family = list(_family(folder))
    for process in family:  # the supervisor is the first, so that nobody is started again
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(family, GONE_WITHIN_S)


def mounted_below(folder: Path) -> list[Path]:
    """Return where something is mounted in a folder, the innermost first."""
    places = [Path(line.split()[1]) for line in MOUNTS.read_text().splitlines()]
    return sorted((each for each in places if folder in each.parents), reverse=True)


def _family(folder: Path) -> Iterator[psutil.Process]:
    for process in _told(folder):
        yield process
        with suppress(psutil.Error):
            yield from process.children(recursive=True)


def _told(folder: Path) -> Iterator[psutil.Process]:
    """Return whom the stack's state names, unless the number is another process's by now."""
    try:
        state = json.loads((folder / "var" / "run" / "stack.json").read_text())
    except FileNotFoundError:
        return
    numbers = [state["supervisor_pid"], *(item["pid"] for item in state["items"])]
    for number in filter(None, numbers):
        with suppress(psutil.Error):
            process = psutil.Process(number)
            told = [*process.cmdline(), *process.environ().values()]
            if any(str(folder) in each for each in told):
                yield process


if __name__ == "__main__":
    sys.stdin.buffer.read()
    clear_up(Path(sys.argv[1]))
