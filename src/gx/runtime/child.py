"""One run of one process: started in a session of its own, its output pumped into a log.

The pipe is read here, so that the log can be rotated while the process writes to it, and
the session keeps a terminal's Ctrl-C from reaching anybody but the supervisor.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Final, Self

from gx.database.tether import tethered
from gx.runtime.logfile import RotatingLog
from gx.runtime.process import ProcessSpec

CHUNK_BYTES: Final = 65_536


class LogPump:
    """Copies what is written into one end of a pipe to a log, in the running event loop."""

    def __init__(self, log: RotatingLog) -> None:
        self._log = log
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        asyncio.get_running_loop().add_reader(self._read_end, self._copy_one)

    def close_write_end(self) -> None:
        """Leave the writing end to the process that inherited it."""
        os.close(self.write_end)

    def close(self) -> None:
        """Copy what is still in the pipe and close; the process has ended."""
        while self._copy_one():
            pass
        asyncio.get_running_loop().remove_reader(self._read_end)
        os.close(self._read_end)

    def _copy_one(self) -> bool:
        """Copy one chunk; False if there is none now, or never will be again."""
        try:
            data = os.read(self._read_end, CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not data:
            asyncio.get_running_loop().remove_reader(self._read_end)
            return False
        self._log.write(data)
        return True


class Child:
    """A process that was started, until it has ended."""

    def __init__(
        self, spec: ProcessSpec, process: asyncio.subprocess.Process, pump: LogPump
    ) -> None:
        self._spec = spec
        self._process = process
        self._ended = asyncio.create_task(self._wait(pump))

    @classmethod
    async def start(cls, spec: ProcessSpec, log: RotatingLog) -> Self:
        """Start the process; a program that cannot be run ends with status 127 and a line.

        Raises:
            OSError: Its working folder does not exist, or the machine is out of something.
        """
        pump = LogPump(log)
        default_folder = Path("/") if spec.account else None
        try:
            process = await asyncio.create_subprocess_exec(
                *tethered(spec.command, account=spec.account, death_signal=spec.death_signal),
                cwd=spec.working_folder or default_folder,
                env=None if spec.environment is None else dict(spec.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=pump.write_end,
                stderr=pump.write_end,
                start_new_session=True,
            )
        except OSError:
            pump.close()
            raise
        finally:
            pump.close_write_end()
        return cls(spec, process, pump)

    @property
    def pid(self) -> int:
        """The process id, also that of its group."""
        return self._process.pid

    async def wait(self) -> str:
        """Wait for the end and say how it ended; whatever it left in its group is killed."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> str:
        """Ask it to end, kill it after its grace period, and say how it ended."""
        self._send(self._spec.stop_signal)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self.wait(), self._spec.stop_grace_s)
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """End the process and its group at once."""
        if self._process.returncode is None:
            _kill_group(self.pid)

    def _send(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _wait(self, pump: LogPump) -> str:
        status = await self._process.wait()
        _kill_group(self.pid)
        pump.close()
        return describe_exit(status)


def describe_exit(status: int) -> str:
    """Return a process's end in words."""
    if status >= 0:
        return f"ended with status {status}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-status).name}"
    return f"was killed by signal {-status}"


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
