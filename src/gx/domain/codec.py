"""Values to text and back: canonical JSON, and records whose fields declare their wire form.

Canonical means one value has one text: keys sorted, no spaces, no floats, UTF-8. Hashes and
the ledger's write sets rely on it. `json` and annotations are untyped, so this module is the
one place in the domain where `Any` may appear.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import sha256
from json import encoder as json_encoder
from json.encoder import encode_basestring
from operator import attrgetter, itemgetter
from types import NoneType
from typing import (
    ClassVar,
    Final,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from gx.domain.amounts import Amount, Delta, parse_amount
from gx.domain.record_code import (
    DecodeError as DecodeError,  # noqa: PLC0414 (a meant re-export)
)
from gx.domain.record_code import (
    ReadField,
    TextForm,
    WrittenField,
    compile_reader,
    compile_writer,
)

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

# Values are trees, so nothing is paid for finding circles.
_ENCODER: Final = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,
)

_Chunks: TypeAlias = Callable[["JsonValue", int], tuple[str, ...]]


def _encode_in_c() -> "_Chunks | None":
    """Make the encoder's C part once: `JSONEncoder.encode` makes one anew for every value.

    None on a Python that has none.
    """
    make = getattr(json_encoder, "c_make_encoder", None)
    if make is None:
        return None
    options = (None, ":", ",", True, False, False)  # as above: no indent, separators, sorted, ...
    return cast("_Chunks", make(None, _ENCODER.default, encode_basestring, *options))


_CHUNKS: Final = _encode_in_c()


def _refuse_float(text: str) -> object:
    raise DecodeError(f"a number with a fraction ({text[:40]}) has no place on this wire")


_DECODER: Final = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float)
_SCAN: Final[Callable[[str, int], tuple[JsonValue, int]]] = vars(_DECODER)[
    "scan_once"
]  # without `decode`'s two searches for space around the value


def encode(value: JsonValue) -> str:
    """Write `value` as canonical JSON."""
    if _CHUNKS is None:
        return _ENCODER.encode(value)
    return "".join(_CHUNKS(value, 0))


def decode(text: str) -> JsonValue:
    """Read JSON without floats.

    Raises:
        DecodeError: the text is not JSON, or holds a number with a fraction.
    """
    try:
        return _parse(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from error


def _parse(text: str) -> JsonValue:
    """Read JSON: at once where nothing stands around the value, else as `json` does."""
    value: JsonValue
    try:
        value, end = _SCAN(text, 0)
    except StopIteration:
        end = -1
    return value if end == len(text) else _DECODER.decode(text)


def decode_object(text: str) -> JsonObject:
    """Read a JSON object.

    Raises:
        DecodeError: the text is not JSON, or not an object.
    """
    value = decode(text)
    if not isinstance(value, dict):
        raise DecodeError(f"expected an object, got {type(value).__name__}")
    return value


def digest(value: JsonValue) -> str:
    """Hash a value's canonical JSON: SHA-256 in 64 hexadecimal digits."""
    return sha256(encode(value).encode()).hexdigest()


_T = TypeVar("_T")
_Encode: TypeAlias = Callable[[object], JsonValue]
_Render: TypeAlias = Callable[[object], str]
_Decode: TypeAlias = Callable[[JsonValue], object]
_Read: TypeAlias = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a record type is written and read, worked out once: contracts live in these loops."""

    values_of: Callable[[object], tuple[JsonValue, ...]]
    encoders: tuple[tuple[str, _Encode | None], ...]
    """Wire name and, where the value is not its own JSON, how to turn it into such."""
    write: Callable[[object], str]
    read: Callable[[Mapping[str, JsonValue]], "Record"]


class Record:
    """A frozen dataclass with a wire form: camelCase names, amounts as decimal strings.

    A field typed `X | None` has the default None and is then left out. Subclasses are declared with
    `@dataclass(frozen=True, slots=True, kw_only=True)`.
    """

    __slots__ = ()

    WIRE_CONSTANTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Wire names with the class attributes that stand under them, written but never read."""

    def to_wire(self) -> JsonObject:
        """Return the JSON object that stands for this record."""
        shape = _SHAPES.get(type(self)) or _shape_of(type(self))
        wire: JsonObject = {}
        for (name, encode_value), value in zip(shape.encoders, shape.values_of(self), strict=True):
            if value is not None:
                wire[name] = value if encode_value is None else encode_value(value)
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, JsonValue]) -> Self:
        """Read the record; unknown fields are ignored, so that a newer writer may add some.

        Raises:
            DecodeError: a field is missing or has another type.
        """
        shape = _SHAPES.get(cls) or _shape_of(cls)
        return shape.read(wire)  # type: ignore[return-value]  # it was made for this class

    def to_text(self) -> str:
        """Return the record's canonical JSON: the text of `to_wire`, without the detour."""
        shape = _SHAPES.get(type(self)) or _shape_of(type(self))
        return shape.write(self)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the record from JSON.

        Raises:
            DecodeError: the text is not JSON or not this record.
        """
        return cls.from_wire(decode_object(text))


def wire_name_of(attribute: str) -> str:
    """Turn a Python field name into its camelCase wire name."""
    head, *rest = attribute.split("_")
    return head + "".join(word.capitalize() for word in rest)


_SHAPES: dict[type[Record], _Shape] = {}


def _shape_of(cls: type[Record]) -> _Shape:
    # A record's own module need not import JsonValue, which JsonObject names.
    hints = get_type_hints(cls, localns={"JsonValue": object})
    declared = fields(cls)  # type: ignore[arg-type]  # every subclass is a dataclass
    written = [(wire_name_of(field.name), field.name, hints[field.name]) for field in declared]
    written += [(wire, name, type(getattr(cls, name))) for wire, name in cls.WIRE_CONSTANTS]
    written.sort(key=itemgetter(0))  # canonical JSON then has little to sort
    shape = _Shape(
        values_of=_values_getter([attribute for _, attribute, _ in written]),
        encoders=tuple((wire, _encoder_of(hint)) for wire, _, hint in written),
        write=compile_writer([_written(*names) for names in written]),
        read=compile_reader(
            cls,
            [
                ReadField(
                    wire=wire_name_of(field.name),
                    set_slot=getattr(cls, field.name).__set__,
                    decode=cast("_Read", _decoder_of(hints[field.name])),
                    is_text=_without_supertype(_without_none(hints[field.name])) is str,
                    default=field.default,
                )
                for field in declared
            ],
        ),
    )
    _SHAPES[cls] = shape
    return shape


def _written(wire: str, attribute: str, hint: object) -> WrittenField:
    """Choose how a field's text is written: exactly that of what `_encoder_of` makes."""
    form = _form_of(_without_none(hint))
    return WrittenField(
        wire=wire,
        attribute=attribute,
        is_optional=NoneType in get_args(hint),
        form=form,
        render=_renderer_of(hint) if form is TextForm.RENDERED else None,
    )


def _form_of(hint: object) -> TextForm:
    plain = _without_supertype(hint)
    if hint in (Amount, Delta):
        return TextForm.DECIMAL
    if plain is bool:
        return TextForm.FLAG
    if plain is int:
        return TextForm.NUMBER
    if isinstance(plain, type) and issubclass(plain, str):
        return TextForm.TEXT
    return TextForm.RENDERED


def _without_supertype(hint: object) -> object:
    """Unwrap a NewType."""
    return getattr(hint, "__supertype__", hint)


def _values_getter(attributes: list[str]) -> Callable[[object], tuple[JsonValue, ...]]:
    if len(attributes) > 1:
        return attrgetter(*attributes)
    return lambda record: tuple(getattr(record, name) for name in attributes)


def _without_none(hint: object) -> object:
    """Unwrap `X | None`; a union of several types (any JSON value) stays what it is."""
    parts = get_args(hint)
    others = [part for part in parts if part is not NoneType]
    return others[0] if NoneType in parts and len(others) == 1 else hint


def _encode_text(value: object) -> JsonValue:
    return str(value)


def _encoder_of(hint: object) -> _Encode | None:
    """Choose how a field is written; None where the value already is its JSON."""
    hint = _without_none(hint)
    if hint in (Amount, Delta):
        return _encode_text
    if isinstance(hint, type) and issubclass(hint, Record):
        return Record.to_wire  # type: ignore[return-value]  # called with records only
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _encode_text
    if get_origin(hint) is tuple:
        item = _encoder_of(get_args(hint)[0])
        return lambda values: [v if item is None else item(v) for v in values]  # type: ignore[attr-defined]
    if get_origin(hint) is dict:
        entry = _encoder_of(get_args(hint)[1])
        if entry is not None:
            return lambda values: {key: entry(value) for key, value in values.items()}  # type: ignore[attr-defined]
    return None


def _renderer_of(hint: object) -> _Render:
    """Write what is no plain value."""
    hint = _without_none(hint)
    if isinstance(hint, type) and issubclass(hint, Record):
        return Record.to_text  # type: ignore[return-value]  # called with records only
    if get_origin(hint) is tuple:
        item = _item_renderer_of(get_args(hint)[0])
        return lambda values: f"[{','.join([item(value) for value in values])}]"  # type: ignore[attr-defined]
    encode_value = _encoder_of(hint)
    if encode_value is None:
        return encode  # type: ignore[return-value]  # called with JSON values only
    return lambda value: encode(encode_value(value))


def _item_renderer_of(hint: object) -> _Render:
    match _form_of(hint):
        case TextForm.TEXT:
            return encode_basestring  # type: ignore[return-value]  # called with text only
        case TextForm.RENDERED:
            return _renderer_of(hint)
        case _:
            encode_value = _encoder_of(hint)
            return lambda value: encode(encode_value(value) if encode_value else value)  # type: ignore[arg-type]  # a JSON value


def _decoder_of(hint: object) -> _Decode:
    hint = _without_none(hint)
    if isinstance(hint, type) and issubclass(hint, Record):
        return lambda raw: hint.from_wire(_expect(dict, raw))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _enumeration_decoder(hint)
    if get_origin(hint) is tuple:
        item = _decoder_of(get_args(hint)[0])
        return lambda raw: tuple([item(value) for value in _expect(list, raw)])
    if get_origin(hint) is dict:
        entry = _decoder_of(get_args(hint)[1])
        return lambda raw: {key: entry(value) for key, value in _expect(dict, raw).items()}
    return _plain_decoder_of(hint)


def _enumeration_decoder(enumeration: type[StrEnum]) -> _Decode:
    members: dict[JsonValue, StrEnum] = {member.value: member for member in enumeration}

    def decode_member(raw: JsonValue) -> object:
        member = members.get(raw) if isinstance(raw, str) else None
        if member is None:
            raise DecodeError(f"{raw!r} is no {enumeration.__name__}")
        return member

    return decode_member


def _plain_decoder_of(hint: object) -> _Decode:
    if hint in (Amount, Delta):
        return _decode_amount if hint is Amount else _decode_delta
    supertype = _without_supertype(hint)
    if supertype is str:
        return _decode_text
    for plain in (bool, int):
        if supertype is plain:
            return lambda raw: _expect(plain, raw)
    return lambda raw: raw


def _expect(kind: type[_T], raw: JsonValue) -> _T:
    if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
        raise DecodeError(f"expected {kind.__name__}, got {type(raw).__name__}")
    return raw


def _decode_text(raw: JsonValue) -> object:
    return raw if isinstance(raw, str) else _expect(str, raw)


def _decode_amount(raw: JsonValue) -> object:
    return parse_amount(raw if isinstance(raw, str) else _expect(str, raw))


def _decode_delta(raw: JsonValue) -> object:
    text = _expect(str, raw)
    return -parse_amount(text[1:]) if text.startswith("-") else parse_amount(text)
