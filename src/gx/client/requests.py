"""Turns typed calls into HTTP requests; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from typing_extensions import override

from gx.domain.arguments import Argument, PositiveAmount, Source
from gx.domain.catalogue import COMMANDS
from gx.domain.codec import JsonObject, JsonValue, encode, wire_name_of
from gx.domain.commands import CommandSpec

API_PREFIX: Final = "/api/v1"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
ON_BEHALF_OF: Final = "X-On-Behalf-Of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request below `/api/v1`. `is_repeatable`: arriving twice, it changes nothing more."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_repeatable: bool = True
    extra_wait_s: float = 0.0
    """How much longer than usual the API may take to answer (a long poll)."""

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def build_query(
    path: str, path_values: Mapping[str, str], parameters: Mapping[str, str | int | None]
) -> Request:
    """Build a read: placeholders filled in, parameters that are None left out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    query = f"?{urlencode(given)}" if given else ""
    return Request(method="GET", path=fill_path(path, path_values) + query)


def build_command(
    command_type: str, arguments: Mapping[str, JsonValue], *, idempotency_key: str
) -> Request:
    """Build the request that sends a command.

    Arguments are named in snake_case or as on the wire; amounts may be whole numbers of base units.

    Raises:
        ValueError: no such command, or a missing or surplus argument. The API checks the values.
    """
    spec = _spec_of(command_type)
    values = _by_wire_name(spec, arguments)
    in_path = {a.name: str(values[a.name]) for a in spec.arguments if a.source is Source.PATH}
    in_body: JsonObject = {
        a.name: _body_value(a, values[a.name]) for a in spec.arguments if a.source is Source.BODY
    }
    return build_post(
        fill_path(spec.path, in_path), in_body, headers={IDEMPOTENCY_KEY: idempotency_key}
    )


def build_post(
    path: str,
    body: JsonObject,
    *,
    headers: Mapping[str, str] | None = None,
    is_repeatable: bool = True,
) -> Request:
    """Build a write with a JSON body."""
    return Request(
        method="POST",
        path=path,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=encode(body).encode(),
        is_repeatable=is_repeatable,
    )


def fill_path(template: str, values: Mapping[str, str]) -> str:
    """Put values into a route template, each escaped so that it stays one segment."""
    return API_PREFIX + template.format(
        **{name: quote(value, safe="") for name, value in values.items()}
    )


def _spec_of(command_type: str) -> CommandSpec:
    spec = COMMANDS.get(command_type)
    if spec is None:
        raise ValueError(f"no command {command_type!r}; there are {', '.join(sorted(COMMANDS))}")
    return spec


def _by_wire_name(spec: CommandSpec, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    values = {wire_name_of(name): value for name, value in arguments.items()}
    declared = {argument.name for argument in spec.arguments}
    if values.keys() != declared:
        raise ValueError(
            f"{spec.wire_name} takes {sorted(declared) or 'no arguments'}, got {sorted(values)}"
        )
    return values


def _body_value(argument: Argument, value: JsonValue) -> JsonValue:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number and isinstance(argument.kind, PositiveAmount) else value
