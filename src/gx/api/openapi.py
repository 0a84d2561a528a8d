"""The OpenAPI document, generated from the same declarations as the routes themselves."""

import json
from collections.abc import Sequence
from typing import Final

from fastapi.openapi.utils import get_openapi

from gx import __version__
from gx.api.operations import PARAMETERS, PROBLEM_EXAMPLES, RESPONSE_HEADERS, operation_of
from gx.api.route_spec import RouteSpec
from gx.api.route_table import REFERENCE, ROUTES
from gx.api.routes import DocumentedRoute
from gx.api.schemas import SCHEMAS
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.commands import Area

TITLE: Final = "GX Protocol"
DESCRIPTION: Final = (
    "Commands change the ledger: a write is stored, answered with 202, and settled by the ledger "
    "later; its status resource tells what became of it. Queries read what the ledger's events "
    "have been folded into; the header X-GX-Block says up to which block. Amounts are decimal "
    "strings of base units: 1 coin is 100000000. Failures are problems (RFC 9457) with a stable "
    "`code`."
)

_TAGS: Final = {
    Area.ADMIN.value: "The system itself: bootstrap, countries, parameters, pause.",
    Area.IDENTITY.value: "Users and their trust.",
    Area.TOKENOMICS.value: "Coins: mint, genesis, transfers, balances, supply.",
    Area.ORGANIZATION.value: "Organizations and their shared accounts.",
    Area.LOANS.value: "Loans.",
    Area.GOVERNANCE.value: "Proposals and votes.",
    Area.TAX.value: "Fees and the velocity tax.",
    Area.COMMANDS.value: "What became of commands, and those that were given up.",
    REFERENCE: "The API about itself.",
}
_BEARER: Final[JsonObject] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "ES256 or RS256; claims iss, aud, sub, exp, role, and act_for where it acts "
    "for others.",
}


def build_document(routes: Sequence[RouteSpec] = ROUTES) -> JsonObject:
    """Build the document of these routes, if not of the whole API."""
    used = {route.tag for route in routes}
    document = get_openapi(
        title=TITLE,
        version=__version__,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        tags=[{"name": name, "description": text} for name, text in _TAGS.items() if name in used],
        servers=[{"url": "/"}],
        routes=[DocumentedRoute(route) for route in routes],
    )
    paths: dict[str, dict[str, JsonObject]] = document["paths"]
    for route in routes:
        paths[route.path][route.method.lower()].update(operation_of(route))
    document["components"] = {
        "schemas": SCHEMAS,
        "examples": PROBLEM_EXAMPLES,
        "parameters": PARAMETERS,
        "headers": RESPONSE_HEADERS,
        "securitySchemes": {"bearer": _BEARER},
    }
    return document


def render_openapi(routes: Sequence[RouteSpec] = ROUTES) -> str:
    """Render the document as it is committed: indented JSON with a final newline."""
    document: JsonValue = build_document(routes)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
