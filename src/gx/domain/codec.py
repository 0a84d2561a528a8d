"""Values to text and back: canonical JSON, and records whose fields declare their wire form.

Canonical means one value has one text: keys sorted, no spaces, no floats, UTF-8. Hashes and
the ledger's write sets rely on it. `json` and annotations are untyped, so this module is the
one place in the domain where `Any` may appear.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from hashlib import sha256
from types import NoneType
from typing import Final, Self, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from gx.domain.amounts import Amount, Delta, parse_amount
from gx.domain.errors import GxError

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]


class DecodeError(GxError):
    """A text is not what its reader expects; the message names the field and the reason."""


_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def _refuse_float(text: str) -> object:
    raise DecodeError(f"a number with a fraction ({text[:40]}) has no place on this wire")


_DECODER: Final = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float)


def encode(value: JsonValue) -> str:
    """Write `value` as canonical JSON."""
    return _ENCODER.encode(value)


def decode(text: str) -> JsonValue:
    """Read JSON without floats.

    Raises:
        DecodeError: the text is not JSON, or holds a number with a fraction.
    """
    try:
        value: JsonValue = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"not JSON: {error}") from error
    return value


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
_Decode: TypeAlias = Callable[[JsonValue], object]


@dataclass(frozen=True, slots=True)
class _Field:
    attribute: str
    wire_name: str
    encode: _Encode | None
    decode: _Decode
    is_required: bool


class Record:
    """A frozen dataclass with a wire form: camelCase names, amounts as decimal strings.

    A field typed `X | None` is left out when it is None. Subclasses are declared with
    `@dataclass(frozen=True, slots=True, kw_only=True)`.
    """

    __slots__ = ()

    def to_wire(self) -> JsonObject:
        """Return the JSON object that stands for this record."""
        wire: JsonObject = {}
        for field in _fields_of(type(self)):
            value = getattr(self, field.attribute)
            if value is not None:
                wire[field.wire_name] = value if field.encode is None else field.encode(value)
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, JsonValue]) -> Self:
        """Read the record; unknown fields are ignored, so that a newer writer may add some.

        Raises:
            DecodeError: a field is missing or has another type.
        """
        values: dict[str, object] = {}
        for field in _fields_of(cls):
            raw = wire.get(field.wire_name)
            if raw is not None:
                values[field.attribute] = _decode_field(cls, field, raw)
            elif field.is_required:
                raise DecodeError(f"{cls.__name__}.{field.wire_name} is missing")
        return cls(**values)

    def to_text(self) -> str:
        """Return the record's canonical JSON."""
        return _ENCODER.encode(self.to_wire())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the record from JSON.

        Raises:
            DecodeError: the text is not JSON or not this record.
        """
        return cls.from_wire(decode_object(text))


def _decode_field(cls: type[Record], field: _Field, raw: JsonValue) -> object:
    try:
        return field.decode(raw)
    except (ValueError, GxError) as error:
        raise DecodeError(f"{cls.__name__}.{field.wire_name}: {error}") from error


def wire_name_of(attribute: str) -> str:
    """Turn a Python field name into its camelCase wire name."""
    head, *rest = attribute.split("_")
    return head + "".join(word.capitalize() for word in rest)


_FIELDS: dict[type[Record], tuple[_Field, ...]] = {}


def _fields_of(cls: type[Record]) -> tuple[_Field, ...]:
    known = _FIELDS.get(cls)
    if known is None:
        known = _FIELDS[cls] = _read_fields(cls)
    return known


def _read_fields(cls: type[Record]) -> tuple[_Field, ...]:
    # A record's own module need not import JsonValue, which JsonObject names.
    hints = get_type_hints(cls, localns={"JsonValue": object})
    return tuple(
        _Field(
            attribute=field.name,
            wire_name=wire_name_of(field.name),
            encode=_encoder_of(hints[field.name]),
            decode=_decoder_of(hints[field.name]),
            is_required=field.default is MISSING
            and field.default_factory is MISSING
            and NoneType not in get_args(hints[field.name]),
        )
        for field in fields(cls)  # type: ignore[arg-type]  # every subclass is a dataclass
    )


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
        return lambda value: [v if item is None else item(v) for v in value]  # type: ignore[attr-defined]
    if get_origin(hint) is dict:
        entry = _encoder_of(get_args(hint)[1])
        return lambda value: {k: v if entry is None else entry(v) for k, v in value.items()}  # type: ignore[attr-defined]
    return None


def _decoder_of(hint: object) -> _Decode:
    hint = _without_none(hint)
    if isinstance(hint, type) and issubclass(hint, Record):
        return lambda raw: hint.from_wire(_expect(dict, raw))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return lambda raw: hint(_expect(str, raw))
    if get_origin(hint) is tuple:
        item = _decoder_of(get_args(hint)[0])
        return lambda raw: tuple(item(value) for value in _expect(list, raw))
    if get_origin(hint) is dict:
        entry = _decoder_of(get_args(hint)[1])
        return lambda raw: {key: entry(value) for key, value in _expect(dict, raw).items()}
    return _plain_decoder_of(hint)


def _plain_decoder_of(hint: object) -> _Decode:
    if hint in (Amount, Delta):
        return _decode_amount if hint is Amount else _decode_delta
    supertype = getattr(hint, "__supertype__", hint)
    for plain in (bool, int, str):
        if supertype is plain:
            return lambda raw: _expect(plain, raw)
    return lambda raw: raw


def _expect(kind: type[_T], raw: JsonValue) -> _T:
    if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
        raise DecodeError(f"expected {kind.__name__}, got {type(raw).__name__}")
    return raw


def _decode_amount(raw: JsonValue) -> object:
    return parse_amount(_expect(str, raw))


def _decode_delta(raw: JsonValue) -> object:
    text = _expect(str, raw)
    return -parse_amount(text[1:]) if text.startswith("-") else parse_amount(text)
