"""The economics' tables against the figures that they must add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gx.domain.amounts import Amount, coins
from gx.domain.economics import (
    GENESIS_PHASES,
    PARAMETERS,
    POOL_ALLOCATIONS,
    fee_rate_bps,
    genesis_phase,
    parse_parameter,
    share_of,
)
from gx.domain.identifiers import GOVERNMENT_GENESIS_POOL, USER_GENESIS_POOL
from gx.domain.refusals import RefusalCode, RefusedError

DEFAULTS = {spec.id: spec.default for spec in PARAMETERS.values()}


def test_the_phases_spend_the_user_pool_exactly() -> None:
    """The last user empties the pool; the government pool covers every treasury."""
    to_users = sum(phase.users * phase.user_amount for phase in GENESIS_PHASES)
    to_treasuries = sum(phase.users * phase.treasury_amount for phase in GENESIS_PHASES)

    assert to_users == POOL_ALLOCATIONS[USER_GENESIS_POOL]
    assert to_treasuries <= POOL_ALLOCATIONS[GOVERNMENT_GENESIS_POOL]


@pytest.mark.parametrize(
    ("distributed", "phase", "user_coins", "treasury_coins"),
    [
        (0, 1, 500, 50),
        (99_999, 1, 500, 50),
        (100_000, 2, 400, 50),
        (349_999, 2, 400, 50),
        (350_000, 3, 300, 50),
        (850_000, 4, 200, 50),
        (1_350_000, 5, 100, 50),
        (1_950_000, 6, 50, 10),
        (2_749_999, 6, 50, 10),
    ],
)
def test_each_phase_begins_where_the_last_ends(
    distributed: int, phase: int, user_coins: int, treasury_coins: int
) -> None:
    """The counter of distributions alone decides the phase."""
    found = genesis_phase(distributed)

    assert found.number == phase
    assert found.user_amount == coins(user_coins)
    assert found.treasury_amount == coins(treasury_coins)


def test_after_the_last_phase_the_pool_is_exhausted() -> None:
    """User 2,750,001 is refused."""
    with pytest.raises(RefusedError) as refused:
        genesis_phase(2_750_000)
    assert refused.value.code is RefusalCode.GENESIS_POOL_EXHAUSTED


@pytest.mark.parametrize(
    ("amount", "is_cross_border", "bps"),
    [
        (coins(3) - 1, False, 0),
        (coins(3) - 1, True, 0),
        (coins(3), False, 5),
        (coins(100), False, 5),
        (coins(100) + 1, False, 10),
        (coins(3), True, 15),
        (coins(100), True, 15),
        (coins(100) + 1, True, 25),
    ],
)
def test_the_fee_tiers(amount: int, *, is_cross_border: bool, bps: int) -> None:
    """Both sides of each boundary."""
    assert fee_rate_bps(DEFAULTS, Amount(amount), is_cross_border=is_cross_border) == bps


@given(amount=st.integers(min_value=0, max_value=2**63), bps=st.integers(0, 1_000))
def test_a_share_is_rounded_half_up(amount: int, bps: int) -> None:
    """The share differs from the exact value by at most half a base unit, upward on a tie."""
    doubled = 2 * (share_of(amount, bps) * 10_000 - amount * bps)

    assert -10_000 < doubled <= 10_000


@pytest.mark.parametrize("value", ["", "-1", "01", "1001", "5.0", "five", "٣"])
def test_a_parameter_takes_only_its_bounds(value: str) -> None:
    """A fee of more than 10 per cent, or no number at all, is refused."""
    with pytest.raises(RefusedError) as refused:
        parse_parameter("feeLowerBps", value)
    assert refused.value.code is RefusalCode.PARAMETER_VALUE_INVALID


def test_an_unknown_parameter_is_refused() -> None:
    """Nobody invents a parameter by writing one."""
    with pytest.raises(RefusedError) as refused:
        parse_parameter("feeLower", "5")
    assert refused.value.code is RefusalCode.PARAMETER_UNKNOWN


def test_every_default_lies_within_its_bounds() -> None:
    """What bootstrap writes could also have been set."""
    for spec in PARAMETERS.values():
        assert parse_parameter(spec.id, str(spec.default)) == spec.default
