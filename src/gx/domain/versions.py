"""Versions of what is kept for ever: written once, read by every release that comes after.

What says no version is of the first one. A reader reads every version up to its own; a newer one
is neither guessed at nor passed over: whoever reads stops, and says which release can go on.
"""

from typing import Final

from gx.domain.codec import DecodeError, JsonValue

FIRST: Final = 1


class NewerVersionError(DecodeError):
    """A newer release wrote this. Nothing is wrong with it; only that release can read it."""

    def __init__(self, what: str, version: int, *, newest: int) -> None:
        known = f"version {FIRST}" if newest == FIRST else f"versions {FIRST} to {newest}"
        super().__init__(
            f"{what} has version {version}, this release reads {known}: a newer release wrote it"
        )
        self.version = version
        self.newest = newest


def read_version(stated: JsonValue, *, what: str, newest: int) -> int:
    """Return the version that something states, the first one if it states none.

    Raises:
        NewerVersionError: it is above `newest`.
        DecodeError: it is no version.
    """
    if stated is None:
        return FIRST
    if not isinstance(stated, int) or isinstance(stated, bool) or stated < FIRST:
        raise DecodeError(f"{what} states the version {stated!r}, which is none")
    if stated > newest:
        raise NewerVersionError(what, stated, newest=newest)
    return stated
