"""How a measured number is distributed: quantiles, over the day and over the week."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, TypeAlias

Sample: TypeAlias = tuple[int, float]

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_RANKS: Final = (0.001, 0.01, 0.05, 0.5, 0.95, 0.99, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An hour of the day, or a day of the week: its median and the edge where it is worst."""

    name: str
    samples: int
    median: float
    worst: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A number's samples of all label sets, taken together.

    `quantiles` are (rank, value). `hours` and `days` are those of the time zone asked for; their
    `worst` is the 95th percentile, or the 5th where small numbers are the bad ones.
    """

    samples: int
    least: float
    most: float
    quantiles: tuple[tuple[float, float], ...]
    hours: tuple[Part, ...]
    days: tuple[Part, ...]

    def at(self, rank: float) -> float:
        """Return the quantile of one of the ranks that were measured."""
        return dict(self.quantiles)[rank]


def distribute(
    samples: Sequence[Sample], zone: tzinfo, *, fires_above: bool
) -> Distribution | None:
    """Measure a distribution; None of nothing. What is no finite number is left out."""
    finite = [(at_s, value) for at_s, value in samples if math.isfinite(value)]
    if not finite:
        return None
    values = sorted(value for _, value in finite)
    moments = [(datetime.fromtimestamp(at_s, zone), value) for at_s, value in finite]
    worst = 0.95 if fires_above else 0.05
    return Distribution(
        samples=len(values),
        least=values[0],
        most=values[-1],
        quantiles=tuple((rank, quantile(values, rank)) for rank in _RANKS),
        hours=_parts(moments, lambda moment: f"{moment.hour:02}", sorted, worst),
        days=_parts(moments, lambda moment: DAYS[moment.weekday()], _in_week, worst),
    )


def quantile(ascending: Sequence[float], rank: float) -> float:
    """Return the value at a rank between 0 and 1, between neighbours in proportion."""
    place = rank * (len(ascending) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (place - below)


def _in_week(names: Iterable[str]) -> list[str]:
    return sorted(names, key=DAYS.index)


def _parts(
    moments: Iterable[tuple[datetime, float]],
    name: Callable[[datetime], str],
    order: Callable[[Iterable[str]], list[str]],
    worst: float,
) -> tuple[Part, ...]:
    groups: dict[str, list[float]] = defaultdict(list)
    for moment, value in moments:
        groups[name(moment)].append(value)
    return tuple(_part(each, sorted(groups[each]), worst) for each in order(groups))


def _part(name: str, ascending: Sequence[float], worst: float) -> Part:
    return Part(
        name=name,
        samples=len(ascending),
        median=quantile(ascending, 0.5),
        worst=quantile(ascending, worst),
    )
