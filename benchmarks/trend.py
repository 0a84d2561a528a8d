"""Whether a noisy series rises: by how much (Theil and Sen), and how likely that is chance.

The latter is Mann's and Kendall's test. Neither asks how the noise is distributed, and neither is
moved by a few outliers.
"""

import math
import statistics
from collections.abc import Sequence
from itertools import combinations
from typing import Final

POINTS_MAX: Final = 300
"""Pairs grow with the square."""

Points = Sequence[tuple[float, float]]


def slope(points: Points) -> float:
    """Return the median of the slopes between all pairs of points; 0 for fewer than two."""
    slopes = [
        (y_2 - y_1) / (x_2 - x_1)
        for (x_1, y_1), (x_2, y_2) in combinations(_some(points), 2)
        if x_2 > x_1
    ]
    return statistics.median(slopes) if slopes else 0.0


def chance_of_rise(points: Points) -> float:
    """Return how likely points in random order rise at least as clearly, from 0 to 1.

    By the normal approximation, which is close enough from ten points on. Neighbours must not
    depend on each other.
    """
    values = [value for _, value in _some(points)]
    count = len(values)
    rising = sum((late > early) - (late < early) for early, late in combinations(values, 2))
    variance = count * (count - 1) * (2 * count + 5) / 18
    if rising <= 0 or not variance:
        return 1.0
    return 1 - statistics.NormalDist().cdf((rising - 1) / math.sqrt(variance))


def _some(points: Points) -> Points:
    return points[:: max(1, len(points) // POINTS_MAX)]
