"""Money on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.amounts import (
    AMOUNT_MAX,
    SUPPLY_CAP,
    parse_amount,
    parse_quantity,
    render_coins,
)
from gx.domain.refusals import RefusalCode, RefusedError


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, SUPPLY_CAP, 2**64 - 1])
def test_every_unsigned_64_bit_integer_is_an_amount(value: int) -> None:
    """The wire takes 0 to 2^64-1, both included."""
    assert parse_amount(str(value)) == value


@pytest.mark.parametrize(
    "text",
    [str(2**64), str(2**64 + 1), "-1", "1.5", "1e3", "", " 1", "01", "+1", "٣", "1_000", "x"],
)
def test_anything_else_is_an_overflow_and_never_wraps(text: str) -> None:
    """What is no unsigned 64-bit integer in its shortest form is refused by name."""
    with pytest.raises(RefusedError) as refused:
        parse_amount(text)
    assert refused.value.code is RefusalCode.AMOUNT_OVERFLOW


@given(st.integers(min_value=0, max_value=AMOUNT_MAX))
def test_coins_are_written_exactly_and_read_back(value: int) -> None:
    """No digit is lost between base units and the text that people read."""
    assert parse_quantity(f"{render_coins(value)}coin") == value
    assert parse_quantity(f"{value}base") == value


@pytest.mark.parametrize("text", ["5", "5 coin s", "1.5base", "1.123456789coin", "coin", "-1coin"])
def test_a_quantity_without_a_proper_unit_is_refused(text: str) -> None:
    """A bare number could mean coins or base units: a factor of 10^8."""
    with pytest.raises(RefusedError) as refused:
        parse_quantity(text)
    assert refused.value.code is RefusalCode.ARGUMENT_INVALID


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("5", "unit"),
        ("0.000000001coin", "more than 8 decimals"),
        ("1.5base", "fraction of a base unit"),
    ],
)
def test_a_bad_quantity_is_told_what_is_wrong_with_it(text: str, told: str) -> None:
    """Who gave a unit is not told to give one."""
    with pytest.raises(RefusedError, match=told):
        parse_quantity(text)


def test_the_supply_cap_fits_a_signed_64_bit_integer() -> None:
    """Databases store balances as bigint."""
    assert SUPPLY_CAP < 2**63
