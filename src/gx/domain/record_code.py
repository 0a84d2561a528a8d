"""The code that writes and reads one type of record, made once for each, as `dataclasses` does.

Contracts spend most of their time on turning records into text and back. Code without a loop over
the fields, and without a call for each, takes a third of the time. What it does with a field is
decided in `gx.domain.codec`; here it is only put in a row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from enum import Enum
from json.encoder import encode_basestring
from typing import Final, TypeAlias, TypeVar, cast

from gx.domain.errors import GxError

R = TypeVar("R")
Render: TypeAlias = Callable[[object], str]
Write: TypeAlias = Callable[[object], str]
SetSlot: TypeAlias = Callable[[object, object], None]
Decode: TypeAlias = Callable[[object], object]


class DecodeError(GxError):
    """A text is not what its reader expects; the message names the field and the reason."""


class TextForm(Enum):
    """How a value stands in JSON: what replaces the value's expression in an f-string."""

    DECIMAL = '"{%s}"'
    """A number as a string of digits, which need no escaping."""
    NUMBER = "{%s}"
    FLAG = '{"true" if %s else "false"}'
    TEXT = "{text(%s)}"
    RENDERED = "{render_%d(%s)}"
    """What only a function of its own can write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenField:
    """A field on its way to text. An optional one is left out when it is None."""

    wire: str
    attribute: str
    is_optional: bool
    form: TextForm
    render: Render | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadField:
    """A field on its way from JSON. `default` is MISSING where it must be there."""

    wire: str
    set_slot: SetSlot
    decode: Decode
    is_text: bool
    default: object


def compile_writer(fields: Sequence[WrittenField]) -> Write:
    """Make the function that writes a record's canonical JSON; the fields are in wire order."""
    namespace: dict[str, object] = {"text": encode_basestring}
    lines = ['    out = ""']
    for number, field in enumerate(fields):
        namespace[f"render_{number}"] = field.render
        if field.is_optional:
            lines.append(f"    value = record.{field.attribute}")
            lines.append(f"    if value is not None: out += f'{_piece(field, number, 'value')}'")
        else:
            piece = _piece(field, number, f"record.{field.attribute}")
            lines.append(f"    out += f'{piece}'")
    source = "\n".join(("def write(record):", *_joined(lines), "    return f'{{{out[1:]}}}'"))
    return cast("Write", _define("write", source, namespace))


def _piece(field: WrittenField, number: int, value: str) -> str:
    form = field.form.value
    shown = form % (number, value) if field.form is TextForm.RENDERED else form % value
    return f',"{field.wire}":{shown}'


def _joined(lines: Sequence[str]) -> Sequence[str]:
    """Put neighbouring pieces into one f-string, which costs less than two."""
    joined = [lines[0]]
    start, end = "    out += f'", "'"
    for line in lines[1:]:
        if line.startswith(start) and joined[-1].startswith(start):
            joined[-1] = joined[-1].removesuffix(end) + line.removeprefix(start)
        else:
            joined.append(line)
    return joined


def compile_reader(
    record_type: type[R], fields: Sequence[ReadField]
) -> Callable[[Mapping[str, object]], R]:
    """Make the function that fills a new record's slots from a JSON object.

    Filling the slots is what a frozen dataclass's own __init__ does, at twice the price. The
    function raises DecodeError with the type's and the field's name.
    """
    namespace: dict[str, object] = {
        "new": object.__new__,
        "record_type": record_type,
        "DecodeError": DecodeError,
        "failures": (ValueError, GxError),
    }
    lines: list[str] = []
    for number, field in enumerate(fields):
        namespace[f"set_{number}"] = field.set_slot
        namespace[f"decode_{number}"] = field.decode
        namespace[f"default_{number}"] = field.default
        lines += _reading(field, number)
    source = _READER.format(fields="\n".join(lines), name=record_type.__name__)
    return cast("Callable[[Mapping[str, object]], R]", _define("read", source, namespace))


_READER: Final = """\
def read(wire):
    record = new(record_type)
    get = wire.get
    field = ""
    try:
{fields}
    except failures as error:
        raise DecodeError(f"{name}.{{field}}: {{error}}") from error
    return record
"""


def _reading(field: ReadField, number: int) -> Sequence[str]:
    decoded = f"decode_{number}(raw)"
    if field.is_text:
        decoded = f"raw if raw.__class__ is str else {decoded}"
    if field.default is MISSING:
        absent = 'raise DecodeError("is missing")'
    else:
        absent = f"set_{number}(record, default_{number})"
    return (
        f"        field = {field.wire!r}",
        "        raw = get(field)",
        f"        if raw is None: {absent}",
        f"        else: set_{number}(record, {decoded})",
    )


def _define(name: str, source: str, namespace: dict[str, object]) -> object:
    exec(source, namespace)  # noqa: S102 (made of the record types' own names alone) # nosec B102
    return namespace[name]
