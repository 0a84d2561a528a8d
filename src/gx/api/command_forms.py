"""From a request's JSON to a command's arguments: what is statically wrong is refused here."""

from collections.abc import Mapping
from typing import Final

from gx.api.problems import FieldFault, RequestRefusedError
from gx.domain.arguments import Argument, Source
from gx.domain.codec import JsonObject, JsonValue
from gx.domain.commands import CommandSpec, QuerySpec
from gx.domain.refusals import RefusalCode, RefusedError

_NAMES_SHOWN: Final = 20
_NAME_CHARACTERS: Final = 64


class CommandForm:
    """Reads the arguments of one command; what it returns the contract would accept as it is.

    A query that takes a body has its arguments read in the same way.
    """

    def __init__(self, spec: CommandSpec | QuerySpec) -> None:
        self._spec = spec
        self._in_body = frozenset(_names(spec, Source.BODY))
        self._in_path = frozenset(_names(spec, Source.PATH))

    def read(self, body: JsonObject, path_values: Mapping[str, str]) -> dict[str, str]:
        """Return the arguments as the contract's texts, by wire name, in declared order.

        Raises:
            RequestRefusedError: the first breach's code, with every breach that was found.
        """
        if body.keys() != self._in_body:
            raise _wrong_fields(self._in_body, body)
        values: Mapping[str, JsonValue] = {**body, **path_values} if self._in_path else body
        texts: dict[str, str] = {}
        try:
            for argument in self._spec.arguments:
                name = argument.name
                texts[name] = argument.kind.to_text(name, values[name])
            self._spec.require_coherent(texts)
        except RefusedError as error:
            raise self._explain(values, error) from error
        return texts

    def _explain(self, values: Mapping[str, JsonValue], first: RefusedError) -> RefusedError:
        faults = [
            fault
            for argument in self._spec.arguments
            if (fault := _fault_of(argument, values[argument.name])) is not None
        ]
        return RequestRefusedError(first.code, first.detail, faults=faults)


def _names(spec: CommandSpec | QuerySpec, source: Source) -> list[str]:
    return [argument.name for argument in spec.arguments if argument.source is source]


def _fault_of(argument: Argument, value: JsonValue) -> FieldFault | None:
    try:
        argument.kind.to_text(argument.name, value)
    except RefusedError as error:
        return FieldFault(field=argument.name, code=error.code, detail=error.detail)
    return None


def _wrong_fields(expected: frozenset[str], body: JsonObject) -> RequestRefusedError:
    missing = sorted(expected - body.keys())
    surplus = sorted(name[:_NAME_CHARACTERS] for name in body.keys() - expected)
    faults = [_field_fault(name, "is missing") for name in missing]
    faults += [_field_fault(name, "is not a field of this request") for name in surplus]
    told = "; ".join(f"{fault.field} {fault.detail}" for fault in faults[:_NAMES_SHOWN])
    return RequestRefusedError(
        RefusalCode.ARGUMENT_INVALID,
        f"the body's fields must be exactly {', '.join(sorted(expected)) or 'none'}: {told}",
        faults=faults[:_NAMES_SHOWN],
    )


def _field_fault(name: str, detail: str) -> FieldFault:
    return FieldFault(field=name, code=RefusalCode.ARGUMENT_INVALID, detail=detail)
