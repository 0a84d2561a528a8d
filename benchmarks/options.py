"""Numbers of a command line that mean something: anything else is refused before it costs time."""

import argparse
import math
from collections.abc import Callable


def whole_number(*, at_least: int) -> Callable[[str], int]:
    """Read a whole number for argparse, which says what is wrong with another and exits with 2."""

    def read(text: str) -> int:
        if not text.removeprefix("-").isdecimal() or int(text) < at_least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of {at_least} or more")
        return int(text)

    return read


def number(*, at_least: float) -> Callable[[str], float]:
    """Read a finite number for argparse, which says what is wrong with another and exits with 2."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= at_least):
            raise argparse.ArgumentTypeError(f"{text!r} is no number of {at_least:g} or more")
        return value

    return read
