"""The economics as data and pure functions: allocations, genesis phases, fee rates, parameters.

`PARAMETERS` is written to the ledger at bootstrap; from then on the ledger's values count.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gx.domain.amounts import SUPPLY_CAP, Amount, coins
from gx.domain.identifiers import (
    CHARITABLE_POOL,
    GOVERNMENT_GENESIS_POOL,
    LOAN_POOL,
    USER_GENESIS_POOL,
    AccountId,
)
from gx.domain.refusals import RefusalCode, RefusedError

VERSION: Final = 2

POOL_ALLOCATIONS: Final[dict[AccountId, Amount]] = {
    USER_GENESIS_POOL: coins(500_000_000),
    GOVERNMENT_GENESIS_POOL: coins(300_000_000),
    CHARITABLE_POOL: coins(50_000_000),
    LOAN_POOL: coins(100_000_000),
}

BASIS_POINTS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GenesisPhase:
    """How many users one phase holds, and what each of them and their treasury receives."""

    number: int
    users: int
    user_amount: Amount
    treasury_amount: Amount


GENESIS_PHASES: Final = tuple(
    GenesisPhase(number=number, users=users, user_amount=coins(user), treasury_amount=coins(state))
    for number, users, user, state in (
        (1, 100_000, 500, 50),
        (2, 250_000, 400, 50),
        (3, 500_000, 300, 50),
        (4, 500_000, 200, 50),
        (5, 600_000, 100, 50),
        (6, 800_000, 50, 10),
    )
)
"""The sizes spend the user pool exactly."""


def genesis_phase(distributed: int) -> GenesisPhase:
    """Find the phase of the next user when `distributed` users have had their coins.

    Raises:
        RefusedError: GENESIS_POOL_EXHAUSTED after the last phase.
    """
    before = 0
    for phase in GENESIS_PHASES:
        before += phase.users
        if distributed < before:
            return phase
    raise RefusedError(
        RefusalCode.GENESIS_POOL_EXHAUSTED, f"all {before} genesis allocations are distributed"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSpec:
    """One system parameter: an integer with its unit and bounds, both inclusive."""

    id: str
    unit: str
    default: int
    minimum: int
    maximum: int
    description: str


_COIN: Final = coins(1)

PARAMETERS: Final[dict[str, ParameterSpec]] = {
    spec.id: spec
    for spec in (
        ParameterSpec(
            id="supplyCap", unit="base units", default=SUPPLY_CAP, minimum=0, maximum=SUPPLY_CAP,
            description="No mint may lift the supply above this.",
        ),
        ParameterSpec(
            id="genesisAgeMin", unit="years", default=13, minimum=0, maximum=150,
            description="The youngest age that receives genesis coins.",
        ),
        ParameterSpec(
            id="genesisAgeMax", unit="years", default=73, minimum=0, maximum=150,
            description="The oldest age that receives genesis coins.",
        ),
        ParameterSpec(
            id="feeFreeBelow", unit="base units", default=3 * _COIN, minimum=0,
            maximum=SUPPLY_CAP, description="Transfers of less than this are free.",
        ),
        ParameterSpec(
            id="feeTierLimit", unit="base units", default=100 * _COIN, minimum=0,
            maximum=SUPPLY_CAP, description="The largest amount of the lower fee tier.",
        ),
        ParameterSpec(
            id="feeLowerBps", unit="basis points", default=5, minimum=0, maximum=1_000,
            description="Fee of a domestic transfer in the lower tier.",
        ),
        ParameterSpec(
            id="feeUpperBps", unit="basis points", default=10, minimum=0, maximum=1_000,
            description="Fee of a domestic transfer in the upper tier.",
        ),
        ParameterSpec(
            id="feeCrossBorderLowerBps", unit="basis points", default=15, minimum=0,
            maximum=1_000, description="Fee of a cross-border transfer in the lower tier.",
        ),
        ParameterSpec(
            id="feeCrossBorderUpperBps", unit="basis points", default=25, minimum=0,
            maximum=1_000, description="Fee of a cross-border transfer in the upper tier.",
        ),
        ParameterSpec(
            id="velocityTaxThreshold", unit="base units", default=100 * _COIN, minimum=1,
            maximum=SUPPLY_CAP, description="A balance from here on starts the tax timer.",
        ),
        ParameterSpec(
            id="velocityTaxDays", unit="days", default=360, minimum=1, maximum=3_650,
            description="How long a balance is held before the velocity tax is due.",
        ),
        ParameterSpec(
            id="velocityTaxTier1Limit", unit="base units", default=1_000 * _COIN, minimum=0,
            maximum=SUPPLY_CAP, description="The largest balance of the first tax tier.",
        ),
        ParameterSpec(
            id="velocityTaxTier2Limit", unit="base units", default=10_000 * _COIN, minimum=0,
            maximum=SUPPLY_CAP, description="The largest balance of the second tax tier.",
        ),
        ParameterSpec(
            id="velocityTaxTier3Limit", unit="base units", default=100_000 * _COIN, minimum=0,
            maximum=SUPPLY_CAP, description="The largest balance of the third tax tier.",
        ),
        ParameterSpec(
            id="velocityTaxTier1Bps", unit="basis points", default=300, minimum=0,
            maximum=5_000, description="Velocity tax on a balance of the first tier.",
        ),
        ParameterSpec(
            id="velocityTaxTier2Bps", unit="basis points", default=400, minimum=0,
            maximum=5_000, description="Velocity tax on a balance of the second tier.",
        ),
        ParameterSpec(
            id="velocityTaxTier3Bps", unit="basis points", default=500, minimum=0,
            maximum=5_000, description="Velocity tax on a balance of the third tier.",
        ),
        ParameterSpec(
            id="velocityTaxTier4Bps", unit="basis points", default=600, minimum=0,
            maximum=5_000, description="Velocity tax on a balance above all tiers' limits.",
        ),
        ParameterSpec(
            id="velocityTaxTreasuryBps", unit="basis points", default=7_000, minimum=0,
            maximum=BASIS_POINTS,
            description="The treasury's part of a velocity tax; the charitable pool has the rest.",
        ),
        ParameterSpec(
            id="minProposalQuorum", unit="votes", default=100, minimum=1, maximum=1_000_000_000,
            description="Votes that a proposal needs to count.",
        ),
    )
}  # fmt: skip
"""Every parameter that the ledger knows, by id."""


def parse_parameter(parameter_id: str, value: str) -> int:
    """Read a parameter's new value.

    Raises:
        RefusedError: PARAMETER_UNKNOWN, or PARAMETER_VALUE_INVALID if it is no integer
            within the parameter's bounds.
    """
    spec = PARAMETERS.get(parameter_id)
    if spec is None:
        raise RefusedError(RefusalCode.PARAMETER_UNKNOWN, f"no parameter {parameter_id[:40]!r}")
    is_canonical = value.isascii() and value.isdigit() and str(int(value)) == value
    if not is_canonical or not spec.minimum <= int(value) <= spec.maximum:
        raise RefusedError(
            RefusalCode.PARAMETER_VALUE_INVALID,
            f"{parameter_id} takes a whole number of {spec.unit} "
            f"from {spec.minimum} to {spec.maximum}, got {value[:40]!r}",
        )
    return int(value)


def fee_rate_bps(parameters: Mapping[str, int], amount: Amount, *, is_cross_border: bool) -> int:
    """Choose the fee rate of a transfer between two accounts that both pay fees."""
    if amount < parameters["feeFreeBelow"]:
        return 0
    border = "CrossBorder" if is_cross_border else ""
    tier = "Lower" if amount <= parameters["feeTierLimit"] else "Upper"
    return parameters[f"fee{border}{tier}Bps"]


def share_of(amount: int, rate_bps: int) -> Amount:
    """Take `rate_bps` basis points of `amount`, rounded half up."""
    return Amount((amount * rate_bps + BASIS_POINTS // 2) // BASIS_POINTS)


def with_defaults(values: Mapping[str, int]) -> Mapping[str, int]:
    """Complete parameters that an older table wrote: a younger parameter has its default."""
    if len(values) >= len(PARAMETERS):
        return values
    return {spec.id: spec.default for spec in PARAMETERS.values()} | dict(values)
