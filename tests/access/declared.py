"""The routes of the code by the names that the table has for them: placeholders are empty there."""

import re
from collections.abc import Mapping

from gx.api.route_spec import RouteSpec
from gx.api.route_table import ROUTES
from gx.domain.catalogue import COMMANDS
from tests.api.parts import a_command_id

_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_FILLED = {
    "loanId": "alice~1",
    "proposalId": "feeLowerBps~1",
    "commandId": a_command_id(1),
    "code": "GONE",
    "countryCode": "US",
    "id": "feeLowerBps",
}


def declared_routes() -> Mapping[str, RouteSpec]:
    """List every declared route."""
    return {f"{route.method} {_PLACEHOLDER.sub('{}', route.path)}": route for route in ROUTES}


def path_of(route: RouteSpec, owner: str) -> str:
    """Fill a route's placeholders, whose data it is with `owner`."""
    examples = {
        argument.name: str(argument.example)
        for spec in COMMANDS.values()
        if spec is route.declared
        for argument in spec.arguments
    }
    names = [found[1:-1] for found in _PLACEHOLDER.findall(route.path)]
    return route.path.format(
        **{name: examples.get(name) or _FILLED.get(name) or owner for name in names}
    )
