"""Small disks that can be filled up and emptied again, and what stands in for them.

A mounted tmpfs is given exactly as much room as is in use. Where nothing may be mounted, the
processes are forbidden to make files larger (RLIMIT_FSIZE): they get another error number, and
what they had room for beyond a file's end is gone, too.
"""

import asyncio
import os
import resource
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import psutil
from typing_extensions import override

SIZE_BYTES: Final = 6 * 1024**3
"""What a disk may hold: memory is taken for what is in use alone."""

PAGE_BYTES: Final = 4_096
TRIES: Final = 20
LIMIT_EVERY_S: Final = 0.1


class DiskError(Exception):
    """A disk could not be changed; the text is what the system said."""


class Disk(ABC):
    """Something that can be full."""

    @abstractmethod
    async def fill(self) -> None:
        """Leave no room."""

    @abstractmethod
    async def free(self) -> None:
        """Give the room back."""


class MountedDisk(Disk):
    """A file system of its own, in memory."""

    def __init__(self, place: Path) -> None:
        self._place = place

    @override
    async def fill(self) -> None:
        for extra in range(TRIES):  # what is in use grows meanwhile
            used = used_bytes(self._place) + extra * 4 * PAGE_BYTES
            with suppress(DiskError):
                await self._resize(used)
                return
        raise DiskError(f"{self._place} could not be made as small as what is in it")

    @override
    async def free(self) -> None:
        await self._resize(SIZE_BYTES)

    async def _resize(self, size_bytes: int) -> None:
        await _run("mount", "-o", f"remount,size={size_bytes}", str(self._place))


class LimitedFiles(Disk):
    """Processes that may not make any file larger; also those that are started meanwhile."""

    def __init__(self, processes: Callable[[], Sequence[psutil.Process]]) -> None:
        self._processes = processes
        self._limiting: asyncio.Task[None] | None = None

    @override
    async def fill(self) -> None:
        self._allow(0)
        self._limiting = asyncio.create_task(self._limit())

    @override
    async def free(self) -> None:
        if self._limiting is not None:
            self._limiting.cancel()
            await asyncio.wait([self._limiting])
        self._allow(resource.RLIM_INFINITY)

    async def _limit(self) -> None:
        while True:
            self._allow(0)
            await asyncio.sleep(LIMIT_EVERY_S)

    def _allow(self, size_bytes: int) -> None:
        for process in self._processes():
            with suppress(ProcessLookupError, PermissionError):
                _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size_bytes, hard))


@asynccontextmanager
async def mounted(place: Path) -> AsyncIterator[Disk | None]:
    """Mount a disk on an empty folder for the length of an `async with`; None if we may not."""
    await asyncio.to_thread(place.mkdir, parents=True, exist_ok=True)
    options = f"size={SIZE_BYTES},mode=755"
    try:
        try:
            await _run("mount", "-t", "tmpfs", "-o", options, "gx-chaos", str(place))
        except (DiskError, OSError):
            yield None
            return
        yield MountedDisk(place)
    finally:
        if await asyncio.to_thread(place.is_mount):
            await _run("umount", "--lazy", str(place))


def used_bytes(place: Path) -> int:
    """Tell how much of a file system is in use."""
    told = os.statvfs(place)
    return (told.f_blocks - told.f_bfree) * told.f_frsize


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        await process.wait()  # cancelled or not: what it mounts is unmounted after that
    if process.returncode != 0:
        raise DiskError(f"{' '.join(command)}: {said.decode().strip()}")
