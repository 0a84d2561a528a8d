"""Money: whole numbers of base units, as text on every wire, never a float anywhere."""

import re
from typing import Final, NewType

from gx.domain.refusals import RefusalCode, RefusedError

Amount = NewType("Amount", int)
"""A count of base units, 0 … 2^64-1."""

Delta = NewType("Delta", int)
"""A signed change of a balance in base units."""

BASE_UNITS_PER_COIN: Final = 100_000_000
AMOUNT_MAX: Final = 2**64 - 1
SUPPLY_CAP: Final = Amount(92_000_000_000 * BASE_UNITS_PER_COIN)
"""Below 2^63, so that a balance always fits a database's signed 64-bit integer."""

AMOUNT_PATTERN: Final = r"^(0|[1-9][0-9]{0,19})$"
POSITIVE_AMOUNT_PATTERN: Final = r"^[1-9][0-9]{0,19}$"
_AMOUNT: Final = re.compile(AMOUNT_PATTERN, re.ASCII)
_QUANTITY: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,8})?(coin|base)", re.ASCII)
_DECIMAL: Final = re.compile(r"[0-9]{1,20}\.[0-9]+", re.ASCII)
_COIN_DIGITS: Final = 8


def coins(count: int) -> Amount:
    """Convert whole coins into base units."""
    return Amount(count * BASE_UNITS_PER_COIN)


def parse_amount(text: str) -> Amount:
    """Read an amount as it stands on a wire: a decimal string of base units.

    Raises:
        RefusedError: AMOUNT_OVERFLOW if it is anything but an unsigned 64-bit integer
            in its shortest form. Nothing is ever wrapped or rounded.
    """
    if _AMOUNT.fullmatch(text) is None or (value := int(text)) > AMOUNT_MAX:
        raise RefusedError(
            RefusalCode.AMOUNT_OVERFLOW,
            f"{text[:40]!r} is not a whole number of base units between 0 and {AMOUNT_MAX}",
        )
    return Amount(value)


def parse_quantity(text: str) -> Amount:
    """Read an amount as a person types it: `5coin`, `1.25coin` or `500base`.

    Raises:
        RefusedError: ARGUMENT_INVALID without a unit or with more digits than a base unit
            has, AMOUNT_OVERFLOW beyond 2^64-1.
    """
    number, unit = text.strip()[:-4], text.strip()[-4:]
    if _QUANTITY.fullmatch(text.strip()) is None or (unit == "base" and "." in number):
        raise RefusedError(RefusalCode.ARGUMENT_INVALID, f"{text[:40]!r} {_fault_of(number, unit)}")
    whole, _, part = number.partition(".")
    if unit == "base":
        return parse_amount(str(int(whole)))
    base_units = int(whole) * BASE_UNITS_PER_COIN + int(part.ljust(_COIN_DIGITS, "0"))
    return parse_amount(str(base_units))


def _fault_of(number: str, unit: str) -> str:
    """Say why this is no quantity."""
    is_decimal = _DECIMAL.fullmatch(number) is not None
    if is_decimal and unit == "coin":
        return f"has more than {_COIN_DIGITS} decimals: nothing is smaller than 0.00000001coin"
    if is_decimal and unit == "base":
        return "has a fraction of a base unit: give a whole number, such as 500base"
    return "needs a number and a unit: 5coin, 1.25coin (up to 8 decimals) or 500base"


def render_coins(amount: int) -> str:
    """Write base units as coins, exactly: 150000000 is `1.5`."""
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), BASE_UNITS_PER_COIN)
    decimals = f"{part:0{_COIN_DIGITS}d}".rstrip("0")
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"
