"""Which existing name was probably meant: aliases of the catalogue first, then similar spelling."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from gx.telemetry.catalogue import CATALOGUE

_LIKENESS_MIN: Final = 0.6
_NEAREST_MAX: Final = 3


def nearest(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of `names` that may be meant by `name`, the likeliest first."""
    there = tuple(names)
    aliases = [each for each in _aliases(name) if each in there]
    similar = get_close_matches(name, there, n=_NEAREST_MAX, cutoff=_LIKENESS_MIN)
    return tuple(dict.fromkeys([*aliases, *similar]))[:_NEAREST_MAX]


def _aliases(name: str) -> Iterable[str]:
    """Return the names of the same number in the catalogue."""
    for metric in CATALOGUE:
        family = {metric.name, *([metric.alias_of.name] if metric.alias_of else [])}
        if name in family:
            yield from sorted(family - {name})
