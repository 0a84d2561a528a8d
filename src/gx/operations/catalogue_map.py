"""The way of each command through the system, from its route to the metrics that count it."""

from collections.abc import Iterator, Mapping
from typing import Final

from gx.domain.catalogue import COMMANDS, FUNCTIONS, QUERIES
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.commands import CommandSpec, FunctionSpec, QuerySpec
from gx.domain.scopes import EXCLUSIVE
from gx.telemetry.catalogue import CATALOGUE
from gx.telemetry.metric import Metric, ValueSource

BASE: Final = "/api/v1"
_SOURCES: Final = {
    ValueSource.COMMAND_TYPES,
    ValueSource.CONTRACTS,
    ValueSource.FUNCTIONS,
    ValueSource.ROUTES,
    ValueSource.EVENT_TYPES,
}
"""Which labels tell one command, function, route or event from another."""


def describe_catalogue() -> JsonObject:
    """Return the whole map as JSON, each part in the order of its declaration."""
    return {
        "commands": [describe_command(spec) for spec in COMMANDS.values()],
        "queries": [_describe_query(spec) for spec in QUERIES.values()],
        "functions": [_describe_function(spec) for spec in FUNCTIONS.values()],
    }


def describe_command(spec: CommandSpec) -> JsonObject:
    """Return one command's way as JSON; its metrics are selectors to paste into Prometheus."""
    return {
        "command": spec.wire_name,
        "area": spec.area,
        "route": f"{spec.method} {BASE}{spec.path}",
        "access": spec.access,
        "function": spec.function,
        "roles": [str(role) for role in sorted(spec.roles)],
        "arguments": [argument.name for argument in spec.arguments],
        "events": [event.WIRE_NAME for event in spec.events],
        "readModels": list(spec.read_models),
        "metrics": list[JsonValue](metrics_of_command(spec)),
        "refusals": [str(code) for code in spec.refusals],
        "exclusive": is_exclusive(spec),
        "summary": spec.summary,
    }


def is_exclusive(spec: CommandSpec) -> bool:
    """Tell whether the command flies alone, with the arguments of its examples."""
    by_name = {
        argument.name: argument.kind.to_text(argument.name, argument.example)
        for argument in spec.arguments
    }
    return spec.scopes(by_name, "anybody") == EXCLUSIVE


def metrics_of_command(spec: CommandSpec) -> Iterator[str]:
    """List what counts and times this command on its way, as Prometheus selectors.

    Histograms stand without their suffixes, second names of one metric not at all.
    """
    contract, _, function = spec.function.partition(":")
    values = {
        ValueSource.COMMAND_TYPES: spec.wire_name,
        ValueSource.CONTRACTS: contract,
        ValueSource.FUNCTIONS: function,
        ValueSource.ROUTES: BASE + spec.path,
    }
    for metric in CATALOGUE:
        if metric.alias_of is not None:
            continue
        told = {label.source for label in metric.labels} & _SOURCES
        if ValueSource.EVENT_TYPES in told:
            for event in spec.events:
                yield _selector(metric, {ValueSource.EVENT_TYPES: event.WIRE_NAME})
        elif told:
            yield _selector(metric, values)


def _selector(metric: Metric, values: Mapping[ValueSource, str]) -> str:
    chosen = ",".join(
        f'{label.name}="{values[label.source]}"'
        for label in metric.labels
        if label.source is not None and label.source in values
    )
    return f"{metric.name}{{{chosen}}}"


def _describe_query(spec: QuerySpec) -> JsonObject:
    return {
        "query": spec.name,
        "area": spec.area,
        "route": f"{spec.method} {BASE}{spec.path}",
        "access": spec.access,
        "readModels": list(spec.read_models),
        "absent": spec.absent,
        "summary": spec.summary,
    }


def _describe_function(spec: FunctionSpec) -> JsonObject:
    return {
        "function": spec.function,
        "arguments": [argument.name for argument in spec.arguments],
        "summary": spec.summary,
    }
