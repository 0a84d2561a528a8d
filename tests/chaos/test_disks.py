"""Full disks: nothing more can be written, and afterwards everything can."""

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from tests.chaos.disks import LimitedFiles, MountedDisk, mounted, used_bytes

CHUNK = b"x" * 65_536
WRITER = "import sys\nfor _ in sys.stdin:\n    open(sys.argv[1], 'ab').write(b'x' * 65_536)\n"
ENDED_WITHIN_S = 60


async def test_a_full_disk_takes_nothing_until_it_is_freed(tmp_path: Path) -> None:
    """What is on it stays, and what comes is refused."""
    place = tmp_path / "disk"
    async with mounted(place) as disk:
        if disk is None:
            pytest.skip("nothing may be mounted here: disks are made full by limits on processes")
        assert isinstance(disk, MountedDisk)
        file = place / "file"
        file.write_bytes(CHUNK)

        await disk.fill()
        with pytest.raises(OSError, match="No space left on device"):
            (place / "other").write_bytes(CHUNK * 4)
        assert file.read_bytes() == CHUNK

        await disk.free()
        file.write_bytes(CHUNK * 2)
        assert used_bytes(place) >= 2 * len(CHUNK)
    assert not file.exists()


async def test_a_limited_process_cannot_make_a_file_larger_until_it_is_freed(
    tmp_path: Path,
) -> None:
    """The stand-in where nothing may be mounted: the process itself is refused."""
    file = tmp_path / "file"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(file)),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    writer = psutil.Process(process.pid)
    disk = LimitedFiles(lambda: [writer])
    process.stdin.write(b"go\n")
    async with asyncio.timeout(ENDED_WITHIN_S):
        while not file.exists() or file.stat().st_size < len(CHUNK):  # noqa: ASYNC110 (a file has no event)
            await asyncio.sleep(0.02)

    await disk.fill()
    process.stdin.write(b"go\n")
    async with asyncio.timeout(ENDED_WITHIN_S):
        assert await process.wait() != 0

    assert file.stat().st_size == len(CHUNK)
    await disk.free()
