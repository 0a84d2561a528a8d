"""One route's part of the OpenAPI document: parameters, body, answers, problems."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from gx.api.event_stream import CONTENT_TYPE as EVENT_STREAM
from gx.api.idempotency import KEY_CHARACTERS_MAX
from gx.api.problems import CONTENT_TYPE as PROBLEM_JSON
from gx.api.problems import PROBLEM_TYPES
from gx.api.query_schemas import QUERY_EXAMPLES, QUERY_SCHEMAS
from gx.api.route_contents import CONTENTS, Content
from gx.api.route_spec import RouteSpec
from gx.api.schemas import EXAMPLES, body_example, body_schema, problem_example, reference
from gx.domain.arguments import Source
from gx.domain.catalogue.governance import EXAMPLE_PROPOSAL
from gx.domain.catalogue.loans import EXAMPLE_LOAN
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.commands import Access, CommandSpec, QuerySpec
from gx.domain.identifiers import IDENTIFIER_PATTERN
from gx.domain.refusals import RefusalCode

_ANYWHERE: Final = (
    RefusalCode.ARGUMENT_INVALID,
    RefusalCode.HEADERS_TOO_LARGE,
    RefusalCode.RATE_LIMITED,
    RefusalCode.INTERNAL_ERROR,
    RefusalCode.UNAVAILABLE,
)
_WITH_TOKEN: Final = (RefusalCode.TOKEN_INVALID, RefusalCode.FORBIDDEN)
_COMMANDS: Final = (RefusalCode.IDEMPOTENCY_KEY_REUSED, RefusalCode.BACKLOG_FULL)


def _header(description: str, schema: JsonObject) -> JsonObject:
    return {"description": description, "schema": schema}


_TEXT: Final[JsonObject] = {"type": "string"}
_IDENTIFIER: Final[JsonObject] = {"type": "string", "pattern": IDENTIFIER_PATTERN}

RESPONSE_HEADERS: Final[JsonObject] = {
    "X-Request-Id": _header("The request's id, also in logs; a client may bring one.", _TEXT),
    "Location": _header(
        "The command's status resource.", {"type": "string", "format": "uri-reference"}
    ),
    "Idempotent-Replayed": _header(
        "The key was used before with the same request; this is the command of then.",
        {"type": "string", "const": "true"},
    ),
    "X-GX-Block": _header(
        "The last block whose effects the answer contains; -1 before the first.",
        {"type": "integer", "minimum": -1},
    ),
    "Retry-After": _header("Seconds to wait.", {"type": "integer", "minimum": 1}),
    "WWW-Authenticate": _header("Bearer (RFC 6750).", _TEXT),
}
"""The components' headers by name."""


def _parameter(name: str, where: str, description: str, schema: JsonObject) -> JsonObject:
    return {"name": name, "in": where, "description": description, "schema": schema}


_KEY: Final[JsonObject] = {
    "type": "string",
    "pattern": "^[!-~]+$",
    "minLength": 1,
    "maxLength": KEY_CHARACTERS_MAX,
}

PROBLEM_EXAMPLES: Final[JsonObject] = {
    code.value: {"summary": PROBLEM_TYPES[code].title, "value": problem_example(code)}
    for code in RefusalCode
}
"""The components' examples: a problem of each code."""

PARAMETERS: Final[JsonObject] = {
    "IdempotencyKey": _parameter(
        "Idempotency-Key",
        "header",
        "Names this request for at least 24 hours within subject and route: sent again with the "
        "same body it is answered with the same command, with another body it is refused.",
        _KEY,
    ),
    "XIdempotencyKey": _parameter(
        "X-Idempotency-Key", "header", "Another spelling of Idempotency-Key.", _KEY
    ),
    "OnBehalfOf": _parameter(
        "X-On-Behalf-Of",
        "header",
        "The user for whom a partner or admin acts; the token's claim act_for must allow it.",
        _IDENTIFIER,
    ),
    "RequestId": _parameter(
        "X-Request-Id",
        "header",
        "An id of the client's own for this request: 1 to 128 letters, digits or ._:@/+=-; "
        "the API takes one of its own instead of any other.",
        _TEXT,
    ),
    "TraceParent": _parameter(
        "traceparent", "header", "The client's trace (W3C Trace Context).", _TEXT
    ),
    "Limit": _parameter(
        "limit",
        "query",
        "Items on a page.",
        {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    ),
    "Cursor": _parameter("cursor", "query", "A nextCursor of this list, unchanged.", _TEXT),
}
"""The components' parameters by name."""


_STREAM_IS_OVER: Final[JsonObject] = {
    "204": {
        "description": "Last-Event-ID was a final status: there is nothing more to come.",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
    }
}


def operation_of(route: RouteSpec) -> JsonObject:
    """Describe one route."""
    content = content_of(route)
    operation: JsonObject = {
        "description": content.description or route.summary,
        "parameters": _parameters(route, content),
        "responses": {
            str(route.success_status): _success(content),
            **(_STREAM_IS_OVER if content.is_stream else {}),
            **_problems(_codes(route, content)),
        },
    }
    if content.body_schema is not None:
        operation["requestBody"] = {
            "required": bool(content.body_schema.get("required")),
            "content": {
                "application/json": {
                    "schema": content.body_schema,
                    "example": content.body_example or {},
                }
            },
        }
    if route.access is not Access.PUBLIC:
        operation["security"] = [{"bearer": []}]
    operation["x-access"] = route.access.value
    return operation


def content_of(route: RouteSpec) -> Content:
    """Say what a route takes and answers."""
    match route.declared:
        case CommandSpec() as spec:
            return _command_content(spec)
        case QuerySpec() as spec:
            return _query_content(spec)
        case None:
            return CONTENTS[route.name]


def _command_content(spec: CommandSpec) -> Content:
    in_path = [argument for argument in spec.arguments if argument.source is Source.PATH]
    codes = ", ".join(spec.refusals)
    return Content(
        description=(
            f"Stores a call of `{spec.function}`; the ledger executes it later. "
            + (f"Codes with which it may be refused: {codes}." if codes else "")
        ).strip(),
        answer_description="The command is stored; its status resource tells what becomes of it.",
        path_examples={argument.name: str(argument.example) for argument in in_path},
        path_schemas={argument.name: argument.kind.schema() for argument in in_path},
        body_schema=body_schema(spec),
        body_example=body_example(spec),
        answer_schema=reference("CommandAccepted"),
        answer_example=EXAMPLES["CommandAccepted"],
        headers=("Location", "Idempotent-Replayed"),
        parameters=("IdempotencyKey", "XIdempotencyKey", "TraceParent"),
        codes=(*_COMMANDS, *_static_codes(spec)),
    )


def _static_codes(spec: CommandSpec) -> Iterable[RefusalCode]:
    """List which of the command's codes the edge itself can answer: they blame the request."""
    wrong = PROBLEM_TYPES[RefusalCode.AMOUNT_NOT_POSITIVE].status
    for code in spec.refusals:
        is_static = PROBLEM_TYPES[code].status is wrong
        if is_static or (code is RefusalCode.ACTOR_MISMATCH and spec.actor_argument is not None):
            yield code


def _query_content(spec: QuerySpec) -> Content:
    return Content(
        path_examples=QUERY_PATH_EXAMPLES,
        path_schemas=dict.fromkeys(QUERY_PATH_EXAMPLES, _IDENTIFIER),
        answer_schema=QUERY_SCHEMAS[spec.name],
        answer_example=QUERY_EXAMPLES[spec.name],
        headers=("X-GX-Block",),
        parameters=tuple(name.title() for name in spec.parameters),
        codes=_query_codes(spec),
        answer_description="What the read models say.",
        body_schema=body_schema(spec) if spec.arguments else None,
        body_example=body_example(spec) if spec.arguments else None,
    )


def _query_codes(spec: QuerySpec) -> tuple[RefusalCode, ...]:
    """List its code for what is absent, if it names something, and those of its body."""
    names_something = spec.arguments or "{" in spec.path
    return (spec.absent, *spec.refusals) if names_something else ()


QUERY_PATH_EXAMPLES: Final = {
    "userId": "alice",
    "subjectId": "alice",
    "orgId": "acme",
    "txId": "acme~bob~019a2f6e-7c1b-7d3a-9f04-2b8c51e0a7d6",
    "accountId": "alice",
    "countryCode": "US",
    "id": "feeLowerBps",
    "loanId": EXAMPLE_LOAN,
    "proposalId": EXAMPLE_PROPOSAL,
}


def _parameters(route: RouteSpec, content: Content) -> list[JsonValue]:
    shared = [*content.parameters, "RequestId"]
    if route.access is not Access.PUBLIC:
        shared.append("OnBehalfOf")
    in_path = [_path_parameter(name, content) for name in _placeholders(route.path)]
    references: list[JsonValue] = [{"$ref": f"#/components/parameters/{name}"} for name in shared]
    return [*in_path, *content.own_parameters, *references]


def _placeholders(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path_parameter(name: str, content: Content) -> JsonObject:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": content.path_schemas.get(name, _TEXT),
        "example": content.path_examples[name],
    }


def _success(content: Content) -> JsonObject:
    media_type = EVENT_STREAM if content.is_stream else "application/json"
    names = ("X-Request-Id", *content.headers)
    return {
        "description": content.answer_description,
        "headers": _header_references(names),
        "content": {
            media_type: {"schema": content.answer_schema, "example": content.answer_example}
        },
    }


def _codes(route: RouteSpec, content: Content) -> list[RefusalCode]:
    codes = [*_ANYWHERE, *content.codes]
    if route.access is not Access.PUBLIC:
        codes += _WITH_TOKEN
    if route.access not in (Access.PUBLIC, Access.USER):
        codes.append(RefusalCode.ROLE_REQUIRED)
    if content.body_schema is not None:
        codes += (RefusalCode.BODY_TOO_LARGE, RefusalCode.BODY_TOO_SLOW)
    return sorted(set(codes))


def _problems(codes: Iterable[RefusalCode]) -> JsonObject:
    by_status: dict[int, list[RefusalCode]] = defaultdict(list)
    for code in codes:
        by_status[PROBLEM_TYPES[code].status.value].append(code)
    return {str(status): _problem(by_status[status]) for status in sorted(by_status)}


def _problem(codes: list[RefusalCode]) -> JsonObject:
    examples: JsonObject = {code.value: {"$ref": f"#/components/examples/{code}"} for code in codes}
    names = ["X-Request-Id"]
    if any(code in _RETRIED for code in codes):
        names.append("Retry-After")
    if RefusalCode.TOKEN_INVALID in codes:
        names.append("WWW-Authenticate")
    return {
        "description": ", ".join(codes),
        "headers": _header_references(names),
        "content": {PROBLEM_JSON: {"schema": reference("Problem"), "examples": examples}},
    }


_RETRIED: Final = frozenset(
    {RefusalCode.RATE_LIMITED, RefusalCode.BACKLOG_FULL, RefusalCode.UNAVAILABLE}
)


def _header_references(names: Iterable[str]) -> JsonObject:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
