"""The kinds of argument of commands: one declaration for edge, schema and contract.

At the edge a JSON value becomes the contract's text; in a contract the text is checked again.
Both refuse with the same code.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from typing_extensions import override

from gx.domain.amounts import POSITIVE_AMOUNT_PATTERN, Amount, parse_amount
from gx.domain.codec import DecodeError, JsonObject, JsonValue, decode, encode
from gx.domain.countries import ISO_CODES
from gx.domain.economics import PARAMETERS
from gx.domain.identifiers import (
    IDENTIFIER_PATTERN,
    SYSTEM_PREFIX,
    TREASURY_PREFIX,
    CountryCode,
    is_identifier,
    is_reserved,
)
from gx.domain.refusals import RefusalCode, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentKind(ABC):
    """What a value may be. `invalid` is the code of every breach that has none of its own."""

    invalid: RefusalCode = RefusalCode.ARGUMENT_INVALID

    @abstractmethod
    def schema(self) -> JsonObject:
        """Return the JSON schema of the value in a request body."""

    @abstractmethod
    def require(self, name: str, text: str) -> None:
        """Refuse a contract argument that is not of this kind.

        Raises:
            RefusedError: with the kind's code; the detail names the argument and the rule.
        """

    def to_text(self, name: str, value: JsonValue) -> str:
        """Turn a JSON value of a request into the contract's argument.

        Raises:
            RefusedError: the value has the wrong JSON type or breaks the kind's rule.
        """
        if not isinstance(value, str):
            raise RefusedError(self.invalid, f"{name} must be a string, got {_type_of(value)}")
        self.require(name, value)
        return value


def _type_of(value: JsonValue) -> str:
    return "null" if value is None else type(value).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier(ArgumentKind):
    """An id of a user, account or other thing: 1 to 64 letters, digits and `._:@-`.

    With `is_person` the prefixes that mark the system's own accounts are refused.
    """

    empty: RefusalCode = RefusalCode.ARGUMENT_INVALID
    is_person: bool = False

    @override
    def schema(self) -> JsonObject:
        schema: JsonObject = {"type": "string", "pattern": IDENTIFIER_PATTERN}
        if self.is_person:
            schema["not"] = {"pattern": f"^({SYSTEM_PREFIX}|{TREASURY_PREFIX})"}
        return schema

    @override
    def require(self, name: str, text: str) -> None:
        if not is_identifier(text):
            if not text.strip():
                raise RefusedError(self.empty, f"{name} is empty")
            raise RefusedError(
                self.invalid, f"{name} must be 1 to 64 letters, digits or ._:@-, got {text[:80]!r}"
            )
        if self.is_person and is_reserved(text):
            raise RefusedError(
                self.invalid, f"{name} may not begin like a system account: {text[:80]!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PositiveAmount(ArgumentKind):
    """More than nothing, in base units."""

    @override
    def schema(self) -> JsonObject:
        return {
            "type": "string",
            "pattern": POSITIVE_AMOUNT_PATTERN,
            "description": "A decimal string of base units; 1 coin is 100000000.",
        }

    @override
    def require(self, name: str, text: str) -> None:
        if parse_amount(text) == 0:
            raise RefusedError(RefusalCode.AMOUNT_NOT_POSITIVE, f"{name} must be more than 0")

    @override
    def to_text(self, name: str, value: JsonValue) -> str:
        if not isinstance(value, str):
            raise RefusedError(
                RefusalCode.AMOUNT_OVERFLOW,
                f"{name} must be a decimal string of base units, got {_type_of(value)}",
            )
        self.require(name, value)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(ArgumentKind):
    """Words of a person, between `minimum` and `maximum` characters, without control characters."""

    minimum: int = 1
    maximum: int = 500
    empty: RefusalCode = RefusalCode.ARGUMENT_INVALID

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "minLength": self.minimum, "maxLength": self.maximum}

    @override
    def require(self, name: str, text: str) -> None:
        if not text.strip():
            raise RefusedError(self.empty, f"{name} is empty")
        if not self.minimum <= len(text) <= self.maximum:
            raise RefusedError(
                self.invalid,
                f"{name} must have {self.minimum} to {self.maximum} characters, got {len(text)}",
            )
        if not text.isprintable():
            raise RefusedError(self.invalid, f"{name} holds control characters")


_INTEGER_DIGITS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(ArgumentKind):
    """A whole number within bounds, both inclusive; a JSON number at the edge."""

    minimum: int
    maximum: int

    @override
    def schema(self) -> JsonObject:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    @override
    def require(self, name: str, text: str) -> None:
        is_short = len(text) <= _INTEGER_DIGITS_MAX  # int() raises beyond 4,300 digits
        is_canonical = is_short and text.isascii() and text.isdigit() and str(int(text)) == text
        if not is_canonical or not self.minimum <= int(text) <= self.maximum:
            raise RefusedError(
                self.invalid,
                f"{name} must be a whole number from {self.minimum} to {self.maximum}, "
                f"got {text[:40]!r}",
            )

    @override
    def to_text(self, name: str, value: JsonValue) -> str:
        number = _whole(value)
        if isinstance(number, bool) or not isinstance(number, int):
            raise RefusedError(
                RefusalCode.ARGUMENT_INVALID, f"{name} must be an integer, got {_type_of(value)}"
            )
        self.require(name, text := str(number))
        return text


def _whole(value: object) -> object:
    """JSON knows one kind of number: 34.0 is 34."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_HASH: Final = re.compile(r"^[0-9a-f]{64}$", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hash(ArgumentKind):
    """A SHA-256 in exactly 64 lower-case hexadecimal digits."""

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "pattern": "^[0-9a-f]{64}$"}

    @override
    def require(self, name: str, text: str) -> None:
        if _HASH.fullmatch(text) is None:
            raise RefusedError(self.invalid, f"{name} must be 64 lower-case hexadecimal digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Country(ArgumentKind):
    """An ISO 3166-1 alpha-2 country code."""

    invalid: RefusalCode = RefusalCode.COUNTRY_UNKNOWN

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "pattern": "^[A-Z]{2}$"}

    @override
    def require(self, name: str, text: str) -> None:
        if text not in ISO_CODES:
            raise RefusedError(self.invalid, f"{name} is no ISO country code: {text[:10]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterName(ArgumentKind):
    """The id of a system parameter."""

    invalid: RefusalCode = RefusalCode.PARAMETER_UNKNOWN

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "enum": list[JsonValue](PARAMETERS)}

    @override
    def require(self, name: str, text: str) -> None:
        if text not in PARAMETERS:
            raise RefusedError(self.invalid, f"{name} is no system parameter: {text[:40]!r}")


_PERCENTAGE_PATTERN: Final = r"^(0|[1-9][0-9]{0,2})(\.[0-9]{1,6})?$"
_PERCENTAGE: Final = re.compile(_PERCENTAGE_PATTERN, re.ASCII)
_MICRO: Final = 1_000_000
COUNTRIES_MAX: Final = 300
PERCENTAGE_TOTAL_MICROS: Final = 100 * _MICRO


def parse_percentage_micros(text: str) -> int:
    """Read a percentage such as `12.5` as millionths of a per cent: exact, without floats.

    Raises:
        RefusedError: ARGUMENT_INVALID if it is no decimal from 0 to 100 with at most 6 decimals.
    """
    match = _PERCENTAGE.fullmatch(text)
    micros = -1
    if match is not None:
        whole, _, part = text.partition(".")
        micros = int(whole) * _MICRO + int(part.ljust(6, "0"))
    if not 0 <= micros <= PERCENTAGE_TOTAL_MICROS:
        raise RefusedError(
            RefusalCode.ARGUMENT_INVALID,
            f"a percentage is a decimal string from 0 to 100, got {text[:20]!r}",
        )
    return micros


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryShare:
    """One country's part, in millionths of a per cent."""

    country: CountryCode
    percentage: str
    micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryShares(ArgumentKind):
    """1 to 300 different countries with percentages that sum to at most 100."""

    @override
    def schema(self) -> JsonObject:
        return {
            "type": "array",
            "minItems": 1,
            "maxItems": COUNTRIES_MAX,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["countryCode", "percentage"],
                "properties": {
                    "countryCode": {"type": "string", "pattern": "^[A-Z]{2}$"},
                    "percentage": {
                        "type": "string",
                        "pattern": _PERCENTAGE_PATTERN,
                    },
                },
            },
        }

    @override
    def require(self, name: str, text: str) -> None:
        self.parse(name, text)

    @override
    def to_text(self, name: str, value: JsonValue) -> str:
        text = encode(value)
        self.parse(name, text)
        return text

    def parse(self, name: str, text: str) -> tuple[CountryShare, ...]:
        """Read the list.

        Raises:
            RefusedError: COUNTRY_UNKNOWN or ARGUMENT_INVALID, naming the item.
        """
        try:
            value = decode(text)
        except DecodeError as error:
            raise RefusedError(self.invalid, f"{name}: {error}") from error
        if not isinstance(value, list) or not 1 <= len(value) <= COUNTRIES_MAX:
            raise RefusedError(self.invalid, f"{name} must be a list of 1 to {COUNTRIES_MAX}")
        shares = tuple(self._share(f"{name}[{index}]", item) for index, item in enumerate(value))
        if len({share.country for share in shares}) != len(shares):
            raise RefusedError(self.invalid, f"{name} names a country twice")
        if sum(share.micros for share in shares) > PERCENTAGE_TOTAL_MICROS:
            raise RefusedError(self.invalid, f"{name}: the percentages sum to more than 100")
        return shares

    def _share(self, name: str, item: JsonValue) -> CountryShare:
        if not isinstance(item, dict) or set(item) != {"countryCode", "percentage"}:
            raise RefusedError(self.invalid, f"{name} must be {{countryCode, percentage}}")
        code, percentage = item["countryCode"], item["percentage"]
        if not isinstance(code, str) or not isinstance(percentage, str):
            raise RefusedError(self.invalid, f"{name}: both fields are strings")
        Country().require(f"{name}.countryCode", code)
        micros = parse_percentage_micros(percentage)
        return CountryShare(country=CountryCode(code), percentage=percentage, micros=micros)


class Source(StrEnum):
    """Where a request carries an argument."""

    BODY = "body"
    PATH = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a command, in the contract function's order.

    `name` is its wire name in the body; for `Source.PATH` also the placeholder in the path.
    """

    name: str
    kind: ArgumentKind
    description: str
    example: str | int | list[JsonValue] | JsonObject
    source: Source = Source.BODY


class Arguments:
    """A contract call's arguments, read by name; every value has passed its kind's check."""

    __slots__ = ("_values",)

    def __init__(self, specs: tuple[Argument, ...], values: tuple[str, ...]) -> None:
        """Check the values against their declaration.

        Raises:
            RefusedError: ARGUMENT_INVALID for a wrong number; else the breached kind's code.
        """
        if len(specs) != len(values):
            names = ", ".join(spec.name for spec in specs)
            raise RefusedError(
                RefusalCode.ARGUMENT_INVALID,
                f"takes {len(specs)} arguments ({names}), got {len(values)}",
            )
        self._values: dict[str, str] = {}
        for spec, value in zip(specs, values, strict=True):
            spec.kind.require(spec.name, value)
            self._values[spec.name] = value

    def text(self, name: str) -> str:
        """Return the argument as it came."""
        return self._values[name]

    def amount(self, name: str) -> Amount:
        """Return the argument as base units."""
        return Amount(int(self._values[name]))

    def integer(self, name: str) -> int:
        """Return the argument as a whole number."""
        return int(self._values[name])

    def as_mapping(self) -> Mapping[str, str]:
        """Return all of them by name."""
        return self._values
