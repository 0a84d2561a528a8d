"""Service areas: all of them are one application, or each its own service.

Whatever the areas, a service tells what became of a command and describes itself: a client of
it can follow every `statusUrl` that it was given.
"""

from collections.abc import Collection
from typing import Final

from gx.api.route_spec import RouteSpec
from gx.api.route_table import FOLLOW_COMMAND, REFERENCE, ROUTES, SHOW_COMMAND
from gx.domain.commands import Area
from gx.domain.errors import GxError

ALL_AREAS: Final = frozenset(Area)
WHOLE_SERVICE: Final = "api"
"""The service label of a process that serves all areas."""

_SERVED_BY_ALL: Final = (SHOW_COMMAND, FOLLOW_COMMAND)


class UnknownAreaError(GxError):
    """An area is asked for that there is not; the text lists those that there are."""


def parse_areas(text: str) -> frozenset[Area]:
    """Read names of areas, separated by commas; none at all stands for all of them.

    Raises:
        UnknownAreaError: one of them names no area.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in {area.value for area in Area}]
    if unknown:
        known = ", ".join(area.value for area in Area)
        raise UnknownAreaError(f"there is no area {unknown[0][:40]!r}; there are {known}")
    return frozenset(map(Area, names)) or ALL_AREAS


def service_name(areas: Collection[Area]) -> str:
    """Name the service of these areas, as its metrics call it: `api`, or such as `tax-loans`."""
    if frozenset(areas) == ALL_AREAS:
        return WHOLE_SERVICE
    return "-".join(area.value for area in Area if area in areas)


def routes_of(areas: Collection[Area]) -> tuple[RouteSpec, ...]:
    """List the routes that a service of these areas answers."""
    tags = {area.value for area in areas} | {REFERENCE}
    return tuple(route for route in ROUTES if route.tag in tags or route in _SERVED_BY_ALL)
