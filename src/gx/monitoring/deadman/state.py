"""The file in which a dead-man's receiver remembers what it knows."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import msgspec

from gx.domain.errors import GxError
from gx.monitoring.deadman.watch import Watch


class StateFileError(GxError):
    """The state cannot be read or kept; the text names the file and what to do."""


class _Stored(msgspec.Struct):
    silent_s: float
    last_beat_at_ms: int | None
    beats: int
    incident: str | None
    told: dict[str, str]


class StateFile:
    """One file, replaced as a whole: a reader, and a restart, see the old state or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Watch:
        """Return what was known; nothing if the file was never written.

        Raises:
            StateFileError: The file cannot be read, or is damaged.
        """
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=_Stored)
        except FileNotFoundError:
            return Watch()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StateFileError(
                f"{self._path} cannot be read: {error}. It is begun anew; an incident that was "
                "open has to be resolved by hand"
            ) from error
        return _watch(stored)

    def write(self, watch: Watch) -> None:
        """Keep what is known; once this returns it survives a crash of the machine.

        Raises:
            StateFileError: It cannot be written.
        """
        partial = self._path.with_suffix(".partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(msgspec.json.encode(_spelt(watch)))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise StateFileError(
                f"{self._path} cannot be written: {error.strerror}. A restart would forget what "
                "is known: make room, or name another file in GX_DEADMAN_STATE_FILE"
            ) from error


def _sync_folder(folder: Path) -> None:
    # The new name is in the folder; without this a crash of the machine may bring the old one back.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _watch(stored: _Stored) -> Watch:
    return Watch(
        silent_s=stored.silent_s,
        last_beat_at_ms=stored.last_beat_at_ms,
        beats=stored.beats,
        incident=stored.incident,
        told=stored.told,
    )


def _spelt(watch: Watch) -> Mapping[str, object]:
    return asdict(watch)
