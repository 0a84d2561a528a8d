"""The OpenAPI document, from the same declarations as the routes themselves."""

from gx.api.routes import RouteSpec
from gx.domain.codec import JsonObject


def operation_of(route: RouteSpec) -> JsonObject:
    """Describe one route."""
    return {"x-access": route.access.value}


def complete_document(document: JsonObject) -> JsonObject:
    """Complete."""
    return document
