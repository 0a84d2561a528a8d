"""Durations as PromQL writes them."""

from typing import Final

from gx.monitoring.selectors import PromqlError

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))


def duration(window: int | str) -> str:
    """Write seconds in the largest unit that divides them; a dashboard's variable stays."""
    if isinstance(window, str):
        if window.startswith("$"):
            return window
        raise PromqlError(f"{window!r} is no dashboard variable: give a number of seconds")
    for seconds, unit in _UNITS:
        if window and window % seconds == 0:
            return f"{window // seconds}{unit}"
    return f"{window}s"
